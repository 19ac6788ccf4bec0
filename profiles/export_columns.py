"""What a column of an export holds, and what it is called in the file: as in the tracking API and in CSV imports.

A column is named by an identifier, a standard attribute, one of the others below, or `custom:<name>` for one custom
attribute. Lists and objects are JSON, times are in UTC, and what a user does not have is blank. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from profiles import attributes, person, tracking_values
from profiles.csv_rows import CUSTOM_PREFIX, DEVICE_ID, DEVICE_SEPARATOR, EXTERNAL_ID

PROFILE_ID, ALIASES, CREATED_AT, CUSTOM = "profile_id", "user_aliases", "created_at", "custom_attributes"
# Push tokens are no use outside, and open a way to the device.
_ATTRIBUTES = {name: it.column for name, it in attributes.STANDARD.items() if name != "push_tokens"}
# Where the columns are kept that one column of the profile holds.
_KEPT = {
    PROFILE_ID: "id",
    EXTERNAL_ID: "external_id",
    **_ATTRIBUTES,
    CREATED_AT: "created_at",
    CUSTOM: "custom_attributes",
}
NAMES = (PROFILE_ID, EXTERNAL_ID, DEVICE_ID, ALIASES, *_ATTRIBUTES, CREATED_AT, CUSTOM)
MAX_COLUMNS = 200

# A profile's values by column of the table, and the keys of its identifiers, to the text of a cell.
Reader = Callable[[Mapping[str, Any], Sequence[str]], str]


class ExportColumnsError(ValueError):
    """Some columns are none; `names` says which."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def check(columns: Sequence[str]) -> None:
    """Raise ExportColumnsError unless all of these can be exported, each once."""
    twice = [name for index, name in enumerate(columns) if name in columns[:index]]
    unknown = [name for name in columns if name not in NAMES and not _custom_name(name)]
    if unknown or twice or not 0 < len(columns) <= MAX_COLUMNS:
        raise ExportColumnsError(list(dict.fromkeys([*unknown, *twice])))


def header_of(column: str) -> str:
    """Return what a column is called in the file: a custom attribute by its name, if nothing else is called that."""
    name = _custom_name(column)
    return column if not name or name in NAMES else name


def kept_in(columns: Sequence[str]) -> list[str]:
    """Return the columns of the table that are needed beside the profile's id."""
    wanted = {_KEPT.get(name, "custom_attributes") for name in columns if name not in {DEVICE_ID, ALIASES}}
    return sorted(wanted - {"id"})


def needs_identifiers(columns: Sequence[str]) -> bool:
    """Whether devices or aliases are wanted, which lie beside the profiles."""
    return not {DEVICE_ID, ALIASES}.isdisjoint(columns)


def reader(column: str) -> Reader:
    """Return what makes a cell of a profile."""
    if column == DEVICE_ID:
        return lambda _row, keys: DEVICE_SEPARATOR.join(
            it[2:] for it in keys if it.startswith(person.DEVICES)
        )
    if column == ALIASES:
        return lambda _row, keys: _text([person.alias(it) for it in keys if it.startswith("a:")] or None)
    if name := _custom_name(column):
        return lambda row, _keys: _text(row["custom_attributes"].get(name))
    kept = _KEPT[column]
    return lambda row, _keys: _text(row[kept])


def _custom_name(column: str) -> str:
    return column.removeprefix(CUSTOM_PREFIX) if column.startswith(CUSTOM_PREFIX) else ""


def _text(value: Any) -> str:
    if value in (None, {}, []):
        return ""
    match value:
        case str():
            return value
        case {tracking_values.TIME: str(moment)}:
            return moment
        case bool() | int() | float() | list() | dict():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return str(person.as_json(value))
