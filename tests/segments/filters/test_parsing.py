"""Definitions are read whole or refused whole, each fault at its node."""

from __future__ import annotations

from datetime import date

import pytest

from segments import filters
from segments.filters import Filter, FilterError, Group, Join, catalogue
from segments.filters.partner_cohorts import COHORT
from segments.filters.values import MAX_TEXT, MAX_TEXTS
from tests.segments.definitions import cohorts, definition, group, leaf

NODE = "/root/children/0"


def faults_of(value, **options):
    with pytest.raises(FilterError) as caught:
        filters.parse(value, **options)
    return {fault.pointer for fault in caught.value.faults}


def test_a_definition_becomes_a_tree():
    tree = filters.parse(
        definition(cohorts(1, 2), group(cohorts(3, operator="does_not_include"), operator="or"))
    )
    includes, does_not_include = COHORT.operator("includes"), COHORT.operator("does_not_include")
    assert tree == Group(
        Join.AND,
        False,
        (
            Filter(COHORT, includes, "mixpanel", (1, 2)),
            Group(Join.OR, False, (Filter(COHORT, does_not_include, "mixpanel", (3,)),)),
        ),
    )


def test_a_tree_is_stored_as_it_was_read():
    value = definition(
        cohorts(1, 2),
        group(cohorts(3), leaf("email", "is_blank"), operator="or", exclude=True),
        leaf("date_of_birth", "before", "2000-02-29"),
        leaf("custom_attribute", "number_between", [0.5, 3], subject="ltv"),
        leaf("custom_event", "exactly", 0, subject="bought"),
        leaf("cohort_moves", "left_in_last_days", 7, subject=12),
    )
    assert filters.dump(filters.parse(value)) == value


def test_what_is_said_twice_is_kept_once_and_what_means_nothing_is_dropped():
    asked = leaf("country", "is_one_of", ["FR", "DE", "FR"]) | {"subject": "x", "note": "y"}
    dumped = filters.dump(filters.parse(definition(asked)))
    assert dumped == definition(leaf("country", "is_one_of", ["FR", "DE"]))


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"version": 1}, {"version": 3}, {"version": "2"}])
def test_anything_but_an_object_of_this_version_is_refused(value):
    assert faults_of(value) == {""}


@pytest.mark.parametrize("root", [None, [], {}, {"type": "unknown"}, {"type": ["group"]}])
def test_a_node_of_no_known_type_is_refused(root):
    assert faults_of({"version": 2, "root": root}) == {"/root"}


def test_a_filter_alone_is_no_definition():
    assert faults_of({"version": 2, "root": cohorts(1)}) == {"/root"}


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        ({"operator": "xor"}, f"{NODE}/operator"),
        ({"operator": None}, f"{NODE}/operator"),
        ({"operator": ["and"]}, f"{NODE}/operator"),
        ({"exclude": 1}, f"{NODE}/exclude"),
        ({"children": None}, f"{NODE}/children"),
        ({"children": {}}, f"{NODE}/children"),
    ],
)
def test_a_group_says_where_it_is_at_fault(broken, pointer):
    assert pointer in faults_of(definition(group(cohorts(1)) | broken))


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        ({"operator": "equals"}, f"{NODE}/operator"),
        ({"operator": ["includes"]}, f"{NODE}/operator"),
        ({"subject": ""}, f"{NODE}/subject"),
        ({"subject": 3}, f"{NODE}/subject"),
        ({"subject": "a\x00"}, f"{NODE}/subject"),
        ({"subject": "a\ud800"}, f"{NODE}/subject"),
        ({"subject": "x" * 256}, f"{NODE}/subject"),
        ({"value": None}, f"{NODE}/value"),
        ({"value": 1}, f"{NODE}/value"),
        ({"value": ["1"]}, f"{NODE}/value"),
        ({"value": [True]}, f"{NODE}/value"),
        ({"value": [1.5]}, f"{NODE}/value"),
        ({"value": [0]}, f"{NODE}/value"),
        ({"value": [2**70]}, f"{NODE}/value"),
        ({"value": list(range(1, MAX_TEXTS + 2))}, f"{NODE}/value"),
    ],
)
def test_a_filter_says_where_it_is_at_fault(broken, pointer):
    assert faults_of(definition(cohorts(1) | broken)) == {pointer}


BAD_VALUES = {
    "text": [1, True, [], {}, "x" * (MAX_TEXT + 1), "a\x00b", "\udc00"],
    "texts": ["x", 1, {}, ["x", ""], [1], [None], [["x"]], ["x" * (MAX_TEXT + 1)], ["\x00"]],
    "number": ["1", True, [], {}, float("nan"), float("inf"), -float("inf"), 10**400, 10**16, -(10**16)],
    "range": [1, [1, 2, 3], [2, 1], ["1", 2], [0, 10**400], [True, 2]],
    "date": [1, [], "x", "2026-02-30", "1799-12-31", "2201-01-01", "2026-01-01T00:00:00"],
    "none": ["x", 1, True, ["x"], {"x": 1}],
    "ids": ["x", 1, {}, ["1"], [True], [0], [-1], [1.5], [None], [2**63]],
}
OPERATORS = [
    pytest.param(kind, operator, id=f"{kind.type}-{operator.code}")
    for module in catalogue.GROUPS
    for kind in module.KINDS
    for operator in kind.operators
]


@pytest.mark.parametrize(("kind", "operator"), OPERATORS)
def test_every_operator_refuses_values_of_other_types_at_its_value(kind, operator):
    subject = None if kind.asks is None else 1 if kind.type == "cohort_moves" else "x"
    widget = operator.value.widget()
    for wrong in BAD_VALUES["ids" if widget.get("of") else widget["widget"]]:
        asked = definition(leaf(kind.type, operator.code, wrong, subject=subject))
        assert faults_of(asked) == {f"{NODE}/value"}, wrong
        assert faults_of(asked, is_draft=True) == {f"{NODE}/value"}, wrong


@pytest.mark.parametrize(("kind", "operator"), OPERATORS)
def test_every_operator_may_be_unfinished_in_a_draft_alone(kind, operator):
    asked = definition(leaf(kind.type, operator.code))
    takes_nothing = operator.value.widget()["widget"] == "none"
    missing = {f"{NODE}/value"} if not takes_nothing else set()
    missing |= {f"{NODE}/subject"} if kind.asks else set()
    if missing:
        assert faults_of(asked) == missing
    tree = filters.parse(asked, is_draft=True)
    assert filters.is_finished(tree) == (not missing)
    assert filters.dump(tree) == asked


@pytest.mark.parametrize("number", [0, -3, 1.5, 10**15])
def test_numbers_are_read_as_they_are(number):
    tree = filters.parse(definition(leaf("custom_attribute", "number_equals", number, subject="x")))
    assert tree.children[0].value == number


def test_a_whole_number_is_one_however_it_is_written():
    tree = filters.parse(definition(leaf("age", "at_least", 18.0)))
    assert repr(tree.children[0].value) == "18"
    assert faults_of(definition(leaf("age", "at_least", 18.5))) == {f"{NODE}/value"}


def test_a_day_is_read_as_a_date():
    assert filters.parse(definition(leaf("date_of_birth", "on", "2000-02-29"))).children[0].value == date(
        2000, 2, 29
    )


def test_only_the_choices_of_a_filter_can_be_chosen():
    filters.parse(definition(leaf("gender", "is_one_of", ["F", "M"])))
    assert faults_of(definition(leaf("gender", "is_one_of", ["F", "X"]))) == {f"{NODE}/value"}


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", r"(a)\1", "[a", "a{2}{3}"])
def test_a_regular_expression_that_cannot_be_used_is_a_fault(pattern):
    for asked in (
        leaf("email", "matches", pattern),
        leaf("custom_attribute", "text_matches", pattern, subject="x"),
    ):
        assert faults_of(definition(asked)) == {f"{NODE}/value"}


def test_all_faults_are_found_at_once():
    value = definition(cohorts(1) | {"operator": "x"}, group(cohorts(2) | {"value": "y"}), {"type": "z"})
    assert faults_of(value) == {f"{NODE}/operator", "/root/children/1/children/0/value", "/root/children/2"}


def test_a_saved_definition_has_no_unfinished_nodes():
    assert "/root" in faults_of(definition())
    assert f"{NODE}/value" in faults_of(definition(cohorts()))
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
