"""The objects of requests that say who is who, read into names and aliases. Pure.

An object at fault is refused by itself and the others stand; what makes the whole request senseless raises
RequestError. Whom an object names is read as for tracking (`tracking_objects.user_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from profiles import identity_names, matching
from profiles.addresses import Priority
from profiles.attributes import AttributeValueError
from profiles.identity import Alias, AliasRename
from profiles.identity_names import Kind, Name
from profiles.tracking_objects import By, ObjectError, RequestError, user_of

MAX_OBJECTS = 50
ADDRESSES = ("email", "phone")
# Arrays of requests to identify, and what their objects name the user by.
IDENTIFIED_BY: Mapping[str, tuple[str, ...]] = {
    "aliases_to_identify": ("user_alias", "device_id", "profile_id", "braze_id"),
    "emails_to_identify": ("email",),
    "phone_numbers_to_identify": ("phone",),
}
MERGE_BEHAVIORS = ("merge", "none")
_KINDS = {"e": Kind.EXTERNAL_ID, "a": Kind.ALIAS, "d": Kind.DEVICE}
_WHOSE = (Priority.IDENTIFIED, Priority.UNIDENTIFIED)
_WHICH = (Priority.NEWEST, Priority.OLDEST)

Item = TypeVar("Item")
Read = Callable[[Mapping[str, Any]], Item]


class Fault(NamedTuple):
    """An object that was not applied, where it stands, and why."""

    array: str
    position: int
    reason: str


class Objects(NamedTuple, Generic[Item]):
    """The objects that can be applied, where each stands in which array; those at fault apart."""

    items: list[Item]
    places: list[tuple[str, int]]
    faults: list[Fault]

    def faults_with(self, outcomes: Iterable[Exception | None]) -> list[Fault]:
        """Return all faults in the order of the request; `outcomes` are those of the items."""
        late = [
            Fault(*place, str(error))
            for place, error in zip(self.places, outcomes, strict=True)
            if error is not None
        ]
        order = {array: number for number, array in enumerate(IDENTIFIED_BY)}
        return sorted([*self.faults, *late], key=lambda it: (order.get(it.array, 0), it.position))


# --- requests --------------------------------------------------------------------------------------------------
def new_aliases(body: Mapping[str, Any]) -> Objects[Alias]:
    """Read `/users/alias/new`. Raises RequestError."""
    return _objects(body, {"user_aliases": _new_alias})


def alias_renames(body: Mapping[str, Any]) -> Objects[AliasRename]:
    """Read `/users/alias/update`. Raises RequestError."""
    return _objects(body, {"alias_updates": _alias_rename})


def to_identify(body: Mapping[str, Any]) -> Objects[tuple[Name, str]]:
    """Read `/users/identify`: the user of each object, and the external id to take. Raises RequestError."""
    return _objects(body, {array: _reader_of(named) for array, named in IDENTIFIED_BY.items()})


def with_data(body: Mapping[str, Any]) -> bool:
    """Return whether users bring their attributes and events along. Raises RequestError."""
    behavior = body.get("merge_behavior")
    if behavior is not None and behavior not in MERGE_BEHAVIORS:
        raise RequestError({"merge_behavior": f"merge_behavior must be {' or '.join(MERGE_BEHAVIORS)}."})
    return behavior != "none"


def merges(body: Mapping[str, Any]) -> Objects[tuple[Name, Name]]:
    """Read `/users/merge`. Raises RequestError."""
    return _objects(body, {"merge_updates": _merge})


def external_id_renames(body: Mapping[str, Any]) -> Objects[tuple[str, str]]:
    """Read `/users/external_ids/rename`. Raises RequestError."""
    return _objects(body, {"external_id_renames": _rename})


def to_delete(body: Mapping[str, Any]) -> list[Name]:
    """Read `/users/delete`: every user it names. Raises RequestError, whatever is at fault: nobody is erased then."""
    arrays = {name: body[name] for name in _LISTS if body.get(name) is not None}
    check_arrays(arrays, _LISTS)
    return _names(arrays)


def to_export(body: Mapping[str, Any]) -> list[Name]:
    """Read `/users/export/ids`: every user it names. Raises RequestError."""
    single = {name: [body[name]] for name in _SINGLE if body.get(name) is not None}
    arrays = {name: body[name] for name in _EXPORT_LISTS if body.get(name) is not None}
    check_arrays(arrays | single, [*_EXPORT_LISTS, *_SINGLE])
    return _names(arrays | single)


def fields_to_export(body: Mapping[str, Any]) -> list[str] | None:
    """Return the fields that are asked for, None for all; names that we have nothing for do no harm."""
    fields = body.get("fields_to_export")
    if fields is None:
        return None
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        raise RequestError({"fields_to_export": "fields_to_export must be an array of strings."})
    return fields


# What an array, or a field, of names holds.
_EXPORT_LISTS = {"external_ids": "external_id", "user_aliases": "user_alias"}
_SINGLE = {
    **{name: name for name in ("device_id", "braze_id", "profile_id", "phone")},
    "email_address": "email",
}
_LISTS = {
    **_EXPORT_LISTS,
    **{f"{name}s": name for name in ("braze_id", "profile_id", "device_id")},
    "email_addresses": "email",
    "phone_numbers": "phone",
}


def _names(arrays: Mapping[str, Sequence[Any]]) -> list[Name]:
    names: list[Name] = []
    faults: dict[str, str] = {}
    for array, values in arrays.items():
        for position, value in enumerate(values):
            try:
                names.append(_name_in(array, value))
            except (ObjectError, AttributeValueError) as error:
                faults.setdefault(array, f"{array}[{position}]: {error}")
    if faults:
        raise RequestError(faults)
    return names


def _name_in(array: str, value: Any) -> Name:
    field = (_LISTS | _SINGLE)[array]
    if field in ADDRESSES and type(value) is dict:  # with its prioritization
        return name_of({key: value.get(key) for key in (field, "prioritization")})
    return name_of({field: value})


# --- arrays ----------------------------------------------------------------------------------------------------
def _objects(body: Mapping[str, Any], readers: Mapping[str, Read[Item]]) -> Objects[Item]:
    arrays = {name: body[name] for name in readers if body.get(name) is not None}
    check_arrays(arrays, readers)
    found: Objects[Item] = Objects([], [], [])
    for array, values in arrays.items():
        for position, value in enumerate(values):
            try:
                found.items.append(readers[array](_object(array, value)))
                found.places.append((array, position))
            except (ObjectError, AttributeValueError) as error:
                found.faults.append(Fault(array, position, str(error)))
    return found


def check_arrays(arrays: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raise RequestError unless the values are arrays of at most MAX_OBJECTS together, and of one at least."""
    faults = {
        name: f"{name} must be an array." for name, value in arrays.items() if not isinstance(value, list)
    }
    if not faults and not any(arrays.values()):
        *others, last = allowed
        either = f"One of {', '.join(others)} and {last}" if others else last
        faults = {"" if others else last: f"{either} must be an array that is not empty."}
    if not faults and (count := sum(map(len, arrays.values()))) > MAX_OBJECTS:
        text = f"The request has {count} objects; {MAX_OBJECTS} are allowed. Nothing was applied."
        faults = dict.fromkeys(arrays, text) if len(arrays) == 1 else {"": text}
    if faults:
        raise RequestError(faults)


def _object(array: str, value: Any) -> Mapping[str, Any]:
    if type(value) is not dict:
        raise ObjectError(f"Each of {array} must be an object.")
    return value


# --- objects ---------------------------------------------------------------------------------------------------
def _new_alias(item: Mapping[str, Any]) -> Alias:
    external_id = item.get("external_id")
    return Alias(
        _text(item, "alias_label"),
        _text(item, "alias_name"),
        None if external_id is None else _text(item, "external_id"),
    )


def _alias_rename(item: Mapping[str, Any]) -> AliasRename:
    return AliasRename(
        _text(item, "alias_label"), _text(item, "old_alias_name"), _text(item, "new_alias_name")
    )


def _reader_of(named: Sequence[str]) -> Read[tuple[Name, str]]:
    def read(item: Mapping[str, Any]) -> tuple[Name, str]:
        external_id = _text(item, "external_id")
        by = {name: item.get(name) for name in (*named, "prioritization")}
        return name_of(by, default=(Priority.UNIDENTIFIED, Priority.NEWEST)), external_id

    return read


def _merge(item: Mapping[str, Any]) -> tuple[Name, Name]:
    pair = [_object_at(item, name) for name in ("identifier_to_merge", "identifier_to_keep")]
    return name_of(pair[0]), name_of(pair[1])


def _object_at(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    if type(value) is not dict:
        raise ObjectError(f"{name} must be an object that names a user.")
    return value


def _rename(item: Mapping[str, Any]) -> tuple[str, str]:
    return _text(item, "current_external_id"), _text(item, "new_external_id")


def name_of(item: Mapping[str, Any], *, default: tuple[Priority, ...] = ()) -> Name:
    """Return whom an object names. Raises ObjectError or AttributeValueError."""
    by, value = user_of(item)
    match by:
        case By.KEY:
            return Name(_KINDS[value[0]], value)
        case By.PROFILE_ID:
            return Name(Kind.PROFILE, value)
    return Name(Kind(by.value), value, _priorities(item.get("prioritization")) or default)


def _priorities(value: Any) -> tuple[Priority, ...]:
    allowed = [priority.value for priority in Priority]
    if value is None:
        return ()
    if not isinstance(value, list) or not all(item in allowed for item in value):
        raise ObjectError(f"prioritization must be an array of {', '.join(allowed)}.")
    for either in (_WHOSE, _WHICH):
        if sum(item in either for item in value) > 1:
            raise ObjectError(f"prioritization must hold one of {' and '.join(either)} only.")
    return tuple(Priority(item) for item in value)


def _text(item: Mapping[str, Any], name: str) -> str:
    return identity_names.text(name, item.get(name))


def label_of(name: Name) -> str:
    """Return a name as the request wrote it: of an alias, label and name."""
    if name.kind is Kind.ALIAS:
        return ":".join(matching.alias_of(name.value))
    return name.value[2:] if name.keys else name.value
