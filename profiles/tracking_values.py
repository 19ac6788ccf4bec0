"""What a value sent for a custom attribute does to the value a profile has: set, remove, add to, merge into.

Pure. A change is a function of the current value, None for none, that returns the new one, None to remove it; it never
alters what it is given. The rules are those of Braze's public documentation, where it says any:

- A text has at most 255 characters, a number 64 bits; `null` removes the attribute.
- An array holds scalars or objects, at most 500. One of scalars holds each of them once: what is added goes to its
  end, where it was before or not.
- `{"inc": 2}` adds to a number, or to 0 where there is none. `{"add": [...]}` and `{"remove": [...]}` change an array,
  in the order in which they are written. With objects: `$add` (the same as `add`), `$remove` by `$identifier_key` and
  `$identifier_value`, and `$update` of those by a `$new_object`, which takes their place or, with `_merge_objects`,
  is merged into them.
- An object is replaced or, with `_merge_objects`, merged, deeply: `null` in it then removes the name, elsewhere it is
  refused. A name in an object does not begin with `$`, except in a time: `{"$time": "2026-01-31T09:30:00Z"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from profiles import attributes
from profiles.attributes import AttributeValueError
from profiles.tracking_matches import Matches, Scalar, identity

Change = Callable[[Any], Any]

MAX_ELEMENTS = 500
MAX_UPDATES = 5_000  # of the objects of one array: an operation may change many, an object be changed by many
MAX_BYTES = 100_000  # of an array or object as JSON
MAX_DEPTH = 50
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LARGEST_FLOAT = 2.0**64
INCREMENT = "inc"
TIME = "$time"
_KEY, _VALUE, _NEW = "$identifier_key", "$identifier_value", "$new_object"


def read(name: str, value: Any, *, merges: bool = False) -> Change:
    """Return what a value does to the attribute `name`. Raises AttributeValueError, which names it."""
    if type(value) is dict:
        if value and value.keys() <= _OPERATIONS.keys():
            return _operation(name, value, merges)
        _check(name, value, nulls=merges)
        if merges and TIME not in value:
            return lambda current: bounded(name, _merged(current, value))
    elif value is not None:
        _check(name, value)
        if type(value) is list:
            value = _distinct(value)
    return lambda _current: value


def bounded(name: str, value: Any) -> Any:
    """Return an array or object if it is not too large. Raises AttributeValueError."""
    if type(value) is list:
        _check_length(name, value)
    if (size := len(orjson.dumps(value))) > MAX_BYTES:
        raise AttributeValueError(f"{name} has {size:,} bytes as JSON; {MAX_BYTES:,} are allowed.")
    return value


def _check_length(name: str, elements: Sequence[Any]) -> None:
    if len(elements) > MAX_ELEMENTS:
        raise AttributeValueError(f"{name} has {len(elements)} elements; {MAX_ELEMENTS} are allowed.")


# --- what a value may be -------------------------------------------------------------------------------------------
def _check(name: str, value: Any, *, nulls: bool = False) -> None:
    if type(value) in (list, dict):
        _check_nested(name, value, 1, nulls)
        bounded(name, value)
    else:
        _check_scalar(name, value)


def _check_scalar(name: str, value: Any) -> None:
    kind = type(value)
    if kind is str:
        if len(value) > attributes.MAX_LENGTH or not value.isprintable():
            attributes.text(name, value)
    elif kind is int:
        if not _SMALLEST <= value <= _LARGEST:
            raise AttributeValueError(f"{name} is too large a number: 64 bits are the limit.")
    elif kind is float:
        if not abs(value) < _LARGEST_FLOAT:
            raise AttributeValueError(f"{name} is too large a number: 64 bits are the limit.")
    elif kind is not bool:
        raise AttributeValueError(
            f"{name} holds null, which has no meaning there."
            if value is None
            else f"{name} is no value of JSON."
        )


def _check_nested(name: str, value: Any, depth: int, nulls: bool) -> None:
    if depth > MAX_DEPTH:
        raise AttributeValueError(f"{name} is nested deeper than {MAX_DEPTH} levels.")
    if type(value) is list:
        _check_length(name, value)
        for element in value:
            if type(element) is list:
                raise AttributeValueError(
                    f"{name} holds an array in an array; scalars or objects are allowed."
                )
            _check_inner(name, element, depth, nulls=False)
    elif TIME in value:
        _check_time(name, value)
    else:
        for inner_name, inner in value.items():
            if inner_name.startswith("$"):
                raise AttributeValueError(f"{name} holds “{inner_name}”: names must not begin with $.")
            attributes.text(f"A name in {name}", inner_name)
            if inner is not None or not nulls:
                _check_inner(name, inner, depth, nulls=nulls)


def _check_inner(name: str, value: Any, depth: int, *, nulls: bool) -> None:
    if type(value) in (list, dict):
        _check_nested(name, value, depth + 1, nulls)
    else:
        _check_scalar(name, value)


def _check_time(name: str, value: Mapping[str, Any]) -> None:
    attributes.moment(f"{name}.{TIME}", value[TIME])
    if len(value) > 1:
        raise AttributeValueError(f"{name} holds more than {TIME} in an object that is a time.")


# --- merging -------------------------------------------------------------------------------------------------------
def _merged(current: Any, new: Any) -> Any:
    """Return a value with an object merged into it: what the object does not name stays."""
    if type(new) is not dict or TIME in new:
        return new
    merged = dict(current) if type(current) is dict and TIME not in current else {}
    for name, value in new.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value) if type(value) is dict else value
    return merged


def _distinct(elements: Sequence[Any]) -> list[Any]:
    """Return an array; of scalars that come more than once, the last. Objects may be alike."""
    if any(type(element) is dict for element in elements):
        return list(elements)
    distinct: dict[tuple[bool, Any], Any] = {}
    for element in elements:
        distinct.pop(identity(element), None)
        distinct[identity(element)] = element
    return list(distinct.values())


# --- operations ----------------------------------------------------------------------------------------------------
def _operation(name: str, value: Mapping[str, Any], merges: bool) -> Change:
    if INCREMENT in value:
        if len(value) > 1:
            raise AttributeValueError(f"{name}: inc goes with no other operation.")
        return _increment(name, value[INCREMENT])
    steps = [_OPERATIONS[operator](name, value[operator], merges) for operator in value]

    def change(current: Any) -> Any:
        if current is not None and type(current) is not list:
            raise AttributeValueError(f"{name} is no array: {', '.join(value)} cannot change it.")
        elements = current or []
        for step in steps:
            elements = step(elements)
        # Where nothing was, and nothing was added, nothing comes to be.
        return None if current is None and not elements else bounded(name, elements)

    return change


def _increment(name: str, by: Any) -> Change:
    if type(by) not in (int, float):
        raise AttributeValueError(f"{name}: inc must be a number.")
    _check_scalar(name, by)

    def change(current: Any) -> int | float:
        if current is not None and type(current) not in (int, float):
            raise AttributeValueError(f"{name} is no number: inc cannot change it.")
        total: int | float = (current or 0) + by
        _check_scalar(name, total)
        return total

    return change


def _array(name: str, operator: str, value: Any) -> list[Any]:
    if type(value) is not list:
        raise AttributeValueError(f"{name}: {operator} must be an array.")
    _check_length(name, value)
    return value


def _add(name: str, value: Any, _merges: bool) -> Change:
    added = _array(name, "add", value)
    _check(name, added)
    return lambda elements: _distinct([*elements, *added])


def _remove(name: str, value: Any, _merges: bool) -> Change:
    removed = _array(name, "remove", value)
    matches = Matches(_identifier(name, "remove", item) for item in removed if type(item) is dict)
    scalars = [item for item in removed if type(item) is not dict]
    _check(name, scalars)
    gone = {identity(item) for item in scalars}

    def is_gone(element: Any) -> bool:
        return identity(element) in gone if type(element) is not dict else matches.first(element) is not None

    return lambda elements: [element for element in elements if not is_gone(element)]


def _update(name: str, value: Any, merges: bool) -> Change:
    updates = _array(name, "update", value)
    matches = Matches(_identifier(name, "update", item) for item in updates)
    for item in updates:
        if type(item.get(_NEW)) is not dict:
            raise AttributeValueError(f"{name}: update needs an object as {_NEW}.")
        _check(name, item[_NEW], nulls=merges)

    def step(elements: list[Any]) -> list[Any]:
        updated, left = [], MAX_UPDATES
        for element in elements:
            position = matches.first(element) if type(element) is dict else None
            while position is not None:
                if not left:
                    raise AttributeValueError(
                        f"{name}: update changes objects more than {MAX_UPDATES:,} times."
                    )
                left -= 1
                new = updates[position][_NEW]
                element = _merged(element, new) if merges else new  # noqa: PLW2901 - as the operations leave it
                position = matches.first(element, position + 1)
            updated.append(element)
        return updated

    return step


def _identifier(name: str, operator: str, item: Any) -> tuple[str, Scalar]:
    """Return the member, and its value, by which an operation names objects."""
    if type(item) is not dict or type(item.get(_KEY)) is not str or item.get(_VALUE) is None:
        raise AttributeValueError(
            f"{name}: {operator} of objects needs {_KEY}, which is a string, and {_VALUE}."
        )
    if type(item[_VALUE]) in (list, dict):
        raise AttributeValueError(f"{name}: {_VALUE} must be a string, a number or a boolean.")
    return item[_KEY], item[_VALUE]


_Operation = Callable[[str, Any, bool], Change]
_OPERATIONS: Mapping[str, _Operation] = {
    INCREMENT: lambda name, value, _merges: _increment(name, value),
    "add": _add,
    "remove": _remove,
    "update": _update,
    "$add": _add,
    "$remove": _remove,
    "$update": _update,
}
