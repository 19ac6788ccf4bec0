"""A definition can be said in words, and what it mentions must be there."""

from __future__ import annotations

import pytest
from django.utils import translation

from cohorts.models import Cohort
from segments import filters
from segments.filters import Names, There, catalogue
from segments.filters.partner_cohorts import filter_name
from tests.segments.definitions import cohorts, definition, group, leaf

NAMES = Names({1: "Lapsed", 2: "Valuable", 3: "Loyal"}, {7: "VIP"})
THERE = There(
    {
        1: Cohort(partner="mixpanel", name="Lapsed"),
        2: Cohort(partner="mixpanel", name="Valuable"),
        5: Cohort(partner="segment", name="Elsewhere"),
    },
    {7: "VIP"},
)


def sentence(*children, **options):
    return filters.describe(filters.parse(definition(*children, **options), is_draft=True), NAMES)


def faults_of(*children):
    return [fault.pointer for fault in filters.faults(filters.parse(definition(*children)), THERE)]


def test_every_partner_has_a_filter_named_after_it():
    assert filter_name("mixpanel") == "Mixpanel_Cohorts"
    assert filter_name("segment") == "Segment_Cohorts"


def test_a_definition_is_said_in_words():
    assert sentence(cohorts(1)) == "Mixpanel_Cohorts includes “Lapsed”"
    assert sentence(cohorts(1, 2, operator="does_not_include")) == (
        "Mixpanel_Cohorts does not include “Lapsed” or “Valuable”"
    )
    assert sentence(cohorts(1, 2, operator="includes_all_of")) == (
        "Mixpanel_Cohorts includes all of “Lapsed” and “Valuable”"
    )
    assert sentence(cohorts(1), group(cohorts(2), cohorts(3), operator="or")) == (
        "Mixpanel_Cohorts includes “Lapsed” and "
        "(Mixpanel_Cohorts includes “Valuable” or Mixpanel_Cohorts includes “Loyal”)"
    )
    assert sentence(cohorts(1), group(cohorts(2), exclude=True), operator="or") == (
        "Mixpanel_Cohorts includes “Lapsed” or not (Mixpanel_Cohorts includes “Valuable”)"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (leaf("custom_attribute", "text_is", "plus", subject="plan"), "“plan” is “plus”"),
        (
            leaf("custom_attribute", "number_between", [1, 5000], subject="ltv"),
            "“ltv” is between 1 and 5,000",
        ),
        (
            leaf("custom_attribute", "list_includes_all_of", ["a", "b"], subject="t"),
            "“t” includes all of “a” and “b”",
        ),
        (leaf("custom_event", "at_least", 1, subject="bought"), "has done “bought” at least 1 time"),
        (leaf("custom_event", "at_most", 0, subject="bought"), "has done “bought” at most 0 times"),
        (
            leaf("custom_event", "last_more_than_days_ago", 30, subject="seen"),
            "last did “seen” more than 30 days ago",
        ),
        (leaf("cohort_moves", "entered_in_last_days", 1, subject=1), "entered “Lapsed” in the last 1 day"),
        (leaf("segment", "not_in", [7]), "not in the segment “VIP”"),
        (leaf("random_bucket", "between", [0, 999]), "Random bucket is between 0 and 999"),
        (leaf("gender", "is_one_of", ["F", "M"]), "Gender is “Female” or “Male”"),
        (leaf("date_of_birth", "on", "2000-02-29"), "Date of birth is on Feb. 29, 2000"),
        (leaf("alias", "has", subject="crm"), "has an alias of the label “crm”"),
        (leaf("identity", "anonymous"), "is anonymous"),
        (leaf("email", "is_not_blank"), "Email is not blank"),
    ],
)
def test_every_kind_of_value_is_said_in_words(asked, said):
    assert sentence(asked) == said


def test_names_with_braces_and_percents_are_said_as_they_are():
    asked = leaf("custom_attribute", "text_is", "{value} %s {0}", subject="{filter}%(x)s")
    assert sentence(asked) == "“{filter}%(x)s” is “{value} %s {0}”"


def test_what_is_unfinished_is_not_mentioned():
    assert sentence(cohorts(), leaf("email", "is_blank"), group(cohorts())) == "Email is blank"
    assert sentence() == sentence(group(cohorts(), exclude=True)) == "nobody"


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_every_operator_says_its_value_in_every_language(language):
    with translation.override(language):
        for kind in (kind for module in catalogue.GROUPS for kind in module.KINDS):
            for operator in kind.operators:
                parts = str(operator.sentence)
                takes_value = operator.value.widget()["widget"] != "none"
                assert ("{value}" in parts) == takes_value, operator.code
                assert kind.asks is None or "{filter}" in parts, operator.code
                assert parts.format(filter="F", value="V")


def test_no_two_operators_of_a_filter_share_a_code_and_no_two_filters_a_type():
    kinds = [kind for module in catalogue.GROUPS for kind in module.KINDS]
    assert len({kind.type for kind in kinds}) == len(kinds)
    assert all(len({it.code for it in kind.operators}) == len(kind.operators) for kind in kinds)
    assert all(catalogue.kind(kind.type) is kind for kind in kinds)
    assert catalogue.kind("group") is None


# --- what is mentioned must be there -------------------------------------------------------------------------
def test_a_cohort_that_is_not_there_is_a_fault_at_its_filter():
    assert faults_of(cohorts(1), group(cohorts(2), cohorts(9))) == ["/root/children/1/children/1/value"]
    moved = leaf("cohort_moves", "entered_in_last_days", 3, subject=9)
    assert faults_of(cohorts(1), moved) == ["/root/children/1/subject"]


def test_a_cohort_of_another_partner_is_a_fault():
    assert faults_of(cohorts(5)) == ["/root/children/0/value"]
    assert faults_of(cohorts(1, 5)) == ["/root/children/0/value"]
    assert faults_of(cohorts(5, partner="segment")) == []


def test_a_segment_that_is_not_there_is_a_fault():
    assert faults_of(leaf("segment", "in", [7])) == []
    assert faults_of(leaf("segment", "not_in", [7, 8])) == ["/root/children/0/value"]
