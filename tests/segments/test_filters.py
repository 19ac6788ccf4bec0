"""Definitions are read whole or refused whole, each fault at its node, and can be said in words."""

from __future__ import annotations

import pytest

from segments import filters
from segments.filters import CohortFilter, CohortOperator, FilterError, Group, Join
from tests.segments.definitions import cohorts, definition, group

NAMES = {1: "Lapsed", 2: "Valuable", 3: "Loyal"}


def faults_of(value, **options):
    with pytest.raises(FilterError) as caught:
        filters.parse(value, **options)
    return {fault.pointer for fault in caught.value.faults}


def sentence(*children, **options):
    return filters.describe(filters.parse(definition(*children, **options)), NAMES)


def test_a_definition_becomes_a_tree():
    tree = filters.parse(
        definition(cohorts(1, 2), group(cohorts(3, operator="does_not_include"), operator="or"))
    )
    assert tree == Group(
        Join.AND,
        False,
        (
            CohortFilter("mixpanel", CohortOperator.INCLUDES, (1, 2)),
            Group(Join.OR, False, (CohortFilter("mixpanel", CohortOperator.EXCLUDES, (3,)),)),
        ),
    )


def test_a_tree_is_stored_as_it_was_read():
    value = definition(cohorts(1, 2), group(cohorts(3), operator="or", exclude=True))
    assert filters.dump(filters.parse(value)) == value


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"version": 2}, {"version": "1"}])
def test_anything_but_an_object_of_this_version_is_refused(value):
    assert faults_of(value) == {""}


@pytest.mark.parametrize("root", [None, [], {}, {"type": "unknown"}, {"type": ["group"]}])
def test_a_node_of_no_known_type_is_refused(root):
    assert faults_of({"version": 1, "root": root}) == {"/root"}


def test_a_filter_alone_is_no_definition():
    assert faults_of({"version": 1, "root": cohorts(1)}) == {"/root"}


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        ({"operator": "xor"}, "/root/children/0/operator"),
        ({"operator": None}, "/root/children/0/operator"),
        ({"exclude": 1}, "/root/children/0/exclude"),
        ({"children": None}, "/root/children/0/children"),
        ({"children": {}}, "/root/children/0/children"),
    ],
)
def test_a_group_says_where_it_is_at_fault(broken, pointer):
    assert pointer in faults_of(definition(group(cohorts(1)) | broken))


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        ({"operator": "equals"}, "/root/children/0/operator"),
        ({"partner": ""}, "/root/children/0/partner"),
        ({"partner": 3}, "/root/children/0/partner"),
        ({"cohorts": None}, "/root/children/0/cohorts"),
        ({"cohorts": ["1"]}, "/root/children/0/cohorts"),
        ({"cohorts": [True]}, "/root/children/0/cohorts"),
        ({"cohorts": [1.5]}, "/root/children/0/cohorts"),
        ({"cohorts": [2**70]}, "/root/children/0/cohorts"),
        ({"cohorts": list(range(filters.MAX_COHORTS + 1))}, "/root/children/0/cohorts"),
    ],
)
def test_a_filter_says_where_it_is_at_fault(broken, pointer):
    assert faults_of(definition(cohorts(1) | broken)) == {pointer}


def test_all_faults_are_found_at_once():
    value = definition(cohorts(1) | {"operator": "x"}, group(cohorts(2) | {"cohorts": "y"}), {"type": "z"})
    assert faults_of(value) == {
        "/root/children/0/operator",
        "/root/children/1/children/0/cohorts",
        "/root/children/2",
    }


def test_a_saved_definition_has_no_unfinished_nodes():
    assert "/root" in faults_of(definition())
    assert "/root/children/0/cohorts" in faults_of(definition(cohorts()))
    assert "/root/children/1" in faults_of(definition(cohorts(1), group()))


def test_a_draft_may_be_unfinished():
    tree = filters.parse(definition(cohorts(), group()), is_draft=True)
    assert not filters.is_finished(tree)
    assert filters.is_finished(filters.parse(definition(cohorts(), cohorts(1)), is_draft=True))


def test_groups_nest_as_deep_as_the_setting_allows(settings):
    settings.MAX_SEGMENT_DEPTH = 3
    filters.parse(definition(group(group(cohorts(1)))))
    assert faults_of(definition(group(group(group(cohorts(1)))))) == {
        "/root/children/0/children/0/children/0"
    }


def test_a_segment_has_as_many_filters_as_the_setting_allows(settings):
    settings.MAX_SEGMENT_FILTERS = 2
    filters.parse(definition(cohorts(1), cohorts(2)))
    assert faults_of(definition(cohorts(1), cohorts(2), cohorts(3))) == {"/root"}


def test_a_cohort_that_is_not_there_is_a_fault_at_its_filter():
    tree = filters.parse(definition(cohorts(1), group(cohorts(2), cohorts(9))))
    with pytest.raises(FilterError) as caught:
        filters.check_cohorts(tree, {1: "mixpanel", 2: "mixpanel"})
    assert [fault.pointer for fault in caught.value.faults] == ["/root/children/1/children/1/cohorts"]


def test_a_cohort_of_another_partner_is_a_fault():
    tree = filters.parse(definition(cohorts(1)))
    with pytest.raises(FilterError):
        filters.check_cohorts(tree, {1: "segment"})


def test_every_partner_has_a_filter_named_after_it():
    assert filters.filter_name("mixpanel") == "Mixpanel_Cohorts"
    assert filters.filter_name("segment") == "Segment_Cohorts"


def test_a_definition_is_said_in_words():
    assert sentence(cohorts(1)) == "Mixpanel_Cohorts includes “Lapsed”"
    assert sentence(cohorts(1, 2, operator="does_not_include")) == (
        "Mixpanel_Cohorts does not include “Lapsed” or “Valuable”"
    )
    assert sentence(cohorts(1), group(cohorts(2), cohorts(3), operator="or")) == (
        "Mixpanel_Cohorts includes “Lapsed” and "
        "(Mixpanel_Cohorts includes “Valuable” or Mixpanel_Cohorts includes “Loyal”)"
    )
    assert sentence(cohorts(1), group(cohorts(2), exclude=True), operator="or") == (
        "Mixpanel_Cohorts includes “Lapsed” or not (Mixpanel_Cohorts includes “Valuable”)"
    )
