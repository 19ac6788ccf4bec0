"""Operations name objects of an array by a member: found at once, in the order of the operations, and not without end."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import tracking_values
from profiles.attributes import AttributeValueError
from profiles.tracking_matches import Matches


def by(key: str, value: Any, **new: Any) -> dict[str, Any]:
    """Return an operation; with members, one that updates to these."""
    return {"$identifier_key": key, "$identifier_value": value} | ({"$new_object": new} if new else {})


def done(value: Any, current: Any, *, merges: bool = False) -> Any:
    return tracking_values.read("it", value, merges=merges)(current)


def test_true_is_not_one_and_what_is_nested_names_nobody():
    matches = Matches([("a", 1), ("a", True), ("b", 1)])
    assert [matches.first({"a": it}) for it in (True, 1, 1.0, [1], {"x": 1}, "1")] == [
        1,
        0,
        0,
        None,
        None,
        None,
    ]
    assert (matches.first({"b": 1, "a": True}), matches.first({"b": 1}, 2), matches.first({"b": 1}, 3)) == (
        1,
        2,
        None,
    )


def names_it(operation: dict[str, Any], element: Any) -> bool:
    value = element.get(operation["$identifier_key"]) if isinstance(element, dict) else None
    wanted = operation["$identifier_value"]
    return type(value) is type(wanted) and value == wanted


MEMBERS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3) | st.booleans(), min_size=1, max_size=3)
OPERATIONS = st.lists(
    st.builds(
        lambda key, value, new: by(key, value, **new), st.sampled_from("abc"), st.integers(0, 3), MEMBERS
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(MEMBERS | st.integers(0, 3), max_size=6), OPERATIONS, st.booleans())
def test_updates_are_those_of_operations_one_after_another(elements, operations, merges):
    expected = copy.deepcopy(elements)
    for operation in operations:
        new = operation["$new_object"]
        expected = [
            (({**it, **new} if merges else new) if names_it(operation, it) else it) for it in expected
        ]
    assert done({"$update": operations}, elements, merges=merges) == expected


@given(st.lists(MEMBERS, min_size=1, max_size=6), OPERATIONS)
def test_removed_are_those_that_any_operation_names(elements, operations):
    expected = [it for it in elements if not any(names_it(operation, it) for operation in operations)]
    assert done({"$remove": operations}, elements) == expected


@pytest.mark.parametrize("operator", ["$update", "$remove", "remove"])
def test_operations_are_no_more_than_an_array_has_elements(operator):
    with pytest.raises(AttributeValueError, match="it has 501 elements; 500 are allowed"):
        done({operator: [by("id", number, x=1) for number in range(501)]}, [{"id": 1}])


def test_operations_that_lead_from_one_to_the_next_come_to_an_end():
    chain = [by("id", number, id=number + 1) for number in range(500)]
    assert done({"$update": chain}, [{"id": 490}] * 500) == [{"id": 500}] * 500
    with pytest.raises(AttributeValueError, match="more than 5,000 times"):
        done({"$update": chain}, [{"id": 0}] * 500)
