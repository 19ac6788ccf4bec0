"""What values do to custom attributes: sentence by sentence, and against a naive model."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import tracking_values
from profiles.attributes import AttributeValueError

LONG = "x" * 256


def done(value: Any, current: Any = None, *, merges: bool = False) -> Any:
    """Return what becomes of the attribute."""
    return tracking_values.read("it", value, merges=merges)(current)


def fault(value: Any, current: Any = None, *, merges: bool = False) -> str:
    with pytest.raises(AttributeValueError) as caught:
        done(value, current, merges=merges)
    return str(caught.value)


# --- values ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "value",
    [
        "a",
        "",
        "x" * 255,
        "2026-01-31T09:30:00Z",
        0,
        -(2**63),
        2**63 - 1,
        1.5,
        True,
        False,
        [],
        ["a", 1, 1.5, False],
        [{"a": [1, "b"]}, {"b": {"c": {}}}],
        {},
        {"a": {"b": [1]}},
        {"$time": "2026-01-31"},
        {"birthday": {"$time": "1980-01-01T19:20:30Z"}},
        {"add": 1, "note": 2},
        list(range(500)),
    ],
)
def test_value_takes_the_place_of_any_other(value):
    for current in (None, 1, "x", [1], {"a": 1}):
        assert done(value, current) == value


def test_null_removes_the_attribute():
    assert done(None, "x") is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (LONG, "it has 256 characters; 255 are allowed."),
        ("a\x00", "it holds a NUL character or half of a surrogate pair."),
        (2**63, "it is too large a number: 64 bits are the limit."),
        (1e300, "it is too large a number: 64 bits are the limit."),
        (list(range(501)), "it has 501 elements; 500 are allowed."),
        ([[1]], "it holds an array in an array; scalars or objects are allowed."),
        ([None], "it holds null, which has no meaning there."),
        ({"a": None}, "it holds null, which has no meaning there."),
        ([{"a": LONG}], "it has 256 characters; 255 are allowed."),
        ({LONG: 1}, "A name in it has 256 characters; 255 are allowed."),
        ({"$a": 1}, "it holds “$a”: names must not begin with $."),
        ({"a": {"$add": [1]}}, "it holds “$add”: names must not begin with $."),
        ({"$time": "yesterday"}, "it.$time must be a time in ISO 8601, like 2026-01-31T09:30:00Z."),
        ({"$time": "2026-01-31", "a": 1}, "it holds more than $time in an object that is a time."),
        ({"a": ["x" * 255] * 400}, "it has 103,207 bytes as JSON; 100,000 are allowed."),
        (("a",), "it is no value of JSON."),
    ],
)
def test_value_that_is_not_allowed_is_named_with_what_is(value, message):
    assert fault(value) == message


def test_depth_is_bounded():
    nested: Any = 1
    for _ in range(50):
        nested = {"a": nested}
    assert done(nested) == nested
    assert fault({"a": nested}) == "it is nested deeper than 50 levels."


def test_array_of_scalars_holds_each_once_at_its_last_place():
    assert done(["hotdog", "hotdog", "pizza", "hotdog"]) == ["pizza", "hotdog"]
    assert done([1, True, 1]) == [True, 1]


# --- operations -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("current", "by", "result"), [(None, 2, 2), (5, -7, -2), (1, 0.5, 1.5), (2**63 - 2, 1, 2**63 - 1)]
)
def test_inc_adds_to_a_number_or_to_nothing(current, by, result):
    assert done({"inc": by}, current) == result


@pytest.mark.parametrize(
    ("value", "current", "message"),
    [
        ({"inc": 1}, "5", "it is no number: inc cannot change it."),
        ({"inc": 1}, True, "it is no number: inc cannot change it."),
        ({"inc": 1}, 2**63 - 1, "it is too large a number: 64 bits are the limit."),
        ({"inc": "1"}, None, "it: inc must be a number."),
        ({"inc": True}, None, "it: inc must be a number."),
        ({"inc": 1, "add": [1]}, None, "it: inc goes with no other operation."),
        ({"add": "x"}, None, "it: add must be an array."),
        ({"add": ["x"]}, "x", "it is no array: add cannot change it."),
        ({"add": [[1]]}, None, "it holds an array in an array; scalars or objects are allowed."),
        ({"add": [500]}, list(range(500)), "it has 501 elements; 500 are allowed."),
        (
            {"remove": [{"id": 1}]},
            None,
            "it: remove of objects needs $identifier_key, which is a string, and $identifier_value.",
        ),
        (
            {"update": [{"$identifier_key": "id", "$identifier_value": [1], "$new_object": {}}]},
            None,
            "it: $identifier_value must be a string, a number or a boolean.",
        ),
        (
            {"update": [{"$identifier_key": "id", "$identifier_value": 1}]},
            None,
            "it: update needs an object as $new_object.",
        ),
    ],
)
def test_operation_that_cannot_be_done_says_why(value, current, message):
    assert fault(value, current) == message


def test_added_element_goes_to_the_end_wherever_it_was():
    assert done({"add": ["a", "c"]}, ["a", "b"]) == ["b", "a", "c"]
    assert done({"add": ["a"]}) == ["a"]


def test_removed_element_goes_and_nothing_else():
    assert done({"remove": ["a", 1]}, ["a", True, "b", 1]) == [True, "b"]
    assert done({"remove": ["a"]}, ["a"]) == []
    assert done({"remove": ["a"]}) is None


def test_several_operations_are_done_in_the_order_in_which_they_are_written():
    assert done({"add": ["a"], "remove": ["a"]}, ["b"]) == ["b"]
    assert done({"remove": ["a"], "add": ["a"]}, ["b"]) == ["b", "a"]


PETS = [{"id": 1, "type": "dog"}, {"id": 2, "type": "cat", "tags": {"a": 1}}, {"id": 3, "type": "dog"}]


def by_id(identifier: Any, **more: Any) -> dict[str, Any]:
    return {"$identifier_key": "id", "$identifier_value": identifier} | more


def test_objects_are_added_to_an_array():
    assert done({"$add": [{"id": 4}]}, PETS) == [*PETS, {"id": 4}]


def test_every_object_with_the_identifier_is_removed():
    dogs = {"$identifier_key": "type", "$identifier_value": "dog"}
    assert done({"$remove": [dogs, by_id(7)]}, PETS) == [PETS[1]]
    assert done({"$remove": [by_id(True)]}, PETS) == PETS


def test_updated_object_is_replaced_or_merged_as_asked():
    value = {
        "$update": [by_id(2, **{"$new_object": {"id": 2, "tags": {"b": 2}}}), by_id(9, **{"$new_object": {}})]
    }
    assert done(value, PETS) == [PETS[0], {"id": 2, "tags": {"b": 2}}, PETS[2]]
    merged = {"id": 2, "type": "cat", "tags": {"a": 1, "b": 2}}
    assert done(value, PETS, merges=True) == [PETS[0], merged, PETS[2]]


# --- merging --------------------------------------------------------------------------------------------------
def test_object_is_merged_deeply_and_null_removes_a_name():
    song = {"name": "Solea", "plays": {"count": 1, "top": True}, "at": {"$time": "2026-01-31"}}
    value = {"year": 1960, "plays": {"count": 2, "top": None}, "at": {"$time": "2026-02-01"}}
    assert done(value, song, merges=True) == {
        "name": "Solea",
        "plays": {"count": 2},
        "at": {"$time": "2026-02-01"},
        "year": 1960,
    }
    assert done({"a": {"b": None, "c": 1}}, "a text", merges=True) == {"a": {"c": 1}}


def test_merging_cannot_grow_past_the_bound():
    assert "100,000 are allowed" in fault(
        {"b": [f"{n:0250}" for n in range(300)]},
        {"a": [f"{n:0250}" for n in range(300)]},
        merges=True,
    )


# --- a naive model ---------------------------------------------------------------------------------------------
scalars = st.one_of(
    st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 1.5]), st.sampled_from("abc")
)


def same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


class Naive:
    """An attribute as a child would keep it."""

    def __init__(self) -> None:
        self.value: Any = None

    def add(self, elements: list[Any]) -> None:
        for element in elements:
            self.value = [it for it in self.value or [] if not same(it, element)] + [element]

    def remove(self, elements: list[Any]) -> None:
        if self.value is not None:
            self.value = [it for it in self.value if not any(same(it, element) for element in elements)]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.lists(scalars, max_size=5)), max_size=2),
        max_size=8,
    )
)
def test_arrays_are_what_a_naive_model_says(requests):
    naive, value = Naive(), None
    for request in requests:
        operations = dict(request)
        for operator, elements in operations.items():
            getattr(naive, operator)(elements)
        before = copy.deepcopy(value)
        new = done(operations, value) if operations else value
        assert value == before  # nothing is altered in place
        value = new
    assert (value or None) == (naive.value or None)
    assert [type(it) for it in value or []] == [type(it) for it in naive.value or []]


trees = st.recursive(
    scalars | st.none(),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from("abcd"), trees, max_size=4)


def paths(value: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return an object's leaves by their paths."""
    if isinstance(value, dict):
        return {
            path: leaf for name, inner in value.items() for path, leaf in paths(inner, (*at, name)).items()
        }
    return {at: value}


@given(st.lists(objects, max_size=5))
def test_merged_objects_hold_the_last_leaf_of_every_path(updates):
    value: Any = None
    leaves: dict[tuple[str, ...], Any] = {}
    for update in updates:
        value = done(update, value, merges=True)
        for path, leaf in paths(update).items():
            # What stood at, above or below the path gives way.
            leaves = {
                other: it
                for other, it in leaves.items()
                if other != path[: len(other)] and other[: len(path)] != path
            }
            if leaf is not None:
                leaves[path] = leaf
        leaves = {path: leaf for path, leaf in leaves.items() if not shadowed(path, update)}
    assert {path: leaf for path, leaf in paths(value).items() if path} == leaves


def shadowed(path: tuple[str, ...], update: Any) -> bool:
    """Whether an update puts an object where the path had a leaf above its end, or nothing."""
    for name in path[:-1]:
        if not isinstance(update, dict) or name not in update:
            return False
        update = update[name]
        if not isinstance(update, dict):
            return True
    return isinstance(update, dict) and isinstance(update.get(path[-1]), dict)
