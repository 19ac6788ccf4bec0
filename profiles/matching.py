"""Identifiers in, profile ids out: one query per page, one more only when some stayed unmatched.

Every identifier is one text key (`external_id`, alias or device), so one statement serves all kinds. Keys:

    e:<external id>          a:<label>:<name>          (the label's "%" and ":" are escaped)
    d:<device id>            device of an anonymous profile: matches
    i:<device id>            device of an identified profile: does not match, but tells why

A device's key changes from `d:` to `i:` when its profile is identified. That is how the rule of the source
documents holds without a look at the profile: an identified profile is never matched by its device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import orjson
from django.db import connection

from profiles import bitmaps

# PostgreSQL: indexes and ids come back packed in one value; the covering index answers without the table.
_POSTGRESQL = """
    SELECT string_agg(int4send(k.ordinality::int - 1) || int4send(i.profile_id), ''::bytea)
    FROM json_array_elements_text(%s::json) WITH ORDINALITY AS k(key, ordinality)
    JOIN profiles_identifier i ON i.workspace_id = %s AND i.key = k.key COLLATE "C"
"""
# CROSS JOIN keeps SQLite's planner from reading the whole table first.
_SQLITE = """
    SELECT k.key, i.profile_id FROM json_each(%s) k
    CROSS JOIN profiles_identifier i ON i.workspace_id = %s AND i.key = k.value
"""
# What Mixpanel refuses as ids, and so do we: these stand for "nobody" in clients' data.
NOBODY = frozenset(
    [
        "anon",
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "<nil>",
        "0",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
    ]
) | {"", "00000000-0000-0000-0000-000000000000"}

EXTERNAL_ID, DEVICE, IDENTIFIED_DEVICE = "e:", "d:", "i:"
LARGEST_PROFILE_ID = 2**31 - 1  # of the column; ids of bitmaps could be twice as large
Keys = Sequence[str]


class Reason(StrEnum):
    """Why an identifier matched no profile."""

    UNKNOWN = "unknown"
    IDENTIFIED = "identified_use_external_id"
    INVALID = "invalid"


def external_id_key(external_id: str) -> str:
    """Return the key of an external id."""
    return EXTERNAL_ID + external_id


def alias_key(label: str, name: str) -> str:
    """Return the key of an alias; two different aliases never share one."""
    return f"a:{label.replace('%', '%25').replace(':', '%3A')}:{name}"


def alias_of(key: str) -> tuple[str, str]:
    """Return label and name of an alias's key."""
    _kind, label, name = key.split(":", 2)
    return label.replace("%3A", ":").replace("%25", "%"), name


def device_key(device_id: str, *, identified: bool = False) -> str:
    """Return the key of a device of an anonymous, or of an identified, profile."""
    return (IDENTIFIED_DEVICE if identified else DEVICE) + device_id


def is_nobody(value: str) -> bool:
    """Whether a value stands for no one, in any letter case (Mixpanel's list)."""
    return value.lower() in NOBODY or value.isspace()


def lookup(*, workspace_id: int, keys: Keys) -> dict[str, int]:
    """Return the profile id of every key that has one, in one query whatever the number of keys."""
    if not keys:
        return {}
    parameters = (orjson.dumps(keys).decode(), workspace_id)
    if connection.vendor == "postgresql":
        packed = bitmaps.from_packed_ids(bitmaps.fetch(_POSTGRESQL, parameters)[0][0])
        return dict(zip(map(keys.__getitem__, packed[::2]), packed[1::2], strict=True))
    return {keys[index]: profile for index, profile in bitmaps.fetch(_SQLITE, parameters)}


def match(*, workspace_id: int, candidates: Sequence[Keys]) -> list[int | Reason]:
    """Return for each member its profile's id, or the reason why there is none.

    `candidates[n]` are the keys of member n, the most trusted first; the first that matches wins. A member
    without any is invalid. Two queries at most, whatever the number of members.
    """
    # In the order of the index: neighbours are then found on the same page of it.
    first_choices = sorted({keys[0] for keys in candidates if keys})
    found: Mapping[str, int] = lookup(workspace_id=workspace_id, keys=first_choices)
    result: list[int | Reason] = [
        found.get(keys[0], Reason.UNKNOWN) if keys else Reason.INVALID for keys in candidates
    ]
    if unmatched := [index for index, outcome in enumerate(result) if outcome is Reason.UNKNOWN]:
        more = {key: None for index in unmatched for key in _second_look(candidates[index])}
        found = lookup(workspace_id=workspace_id, keys=list(more))
        for index in unmatched:
            result[index] = _outcome(candidates[index], found)
    return result


def _identified(device: str) -> str:
    return IDENTIFIED_DEVICE + device.removeprefix(DEVICE)


def _second_look(keys: Keys) -> list[str]:
    devices = [_identified(key) for key in keys if key.startswith(DEVICE)]
    return [*keys[1:], *devices]


def _outcome(keys: Keys, found: Mapping[str, int]) -> int | Reason:
    for key in keys:
        if (profile := found.get(key)) is not None:
            return profile
    if any(_identified(key) in found for key in keys if key.startswith(DEVICE)):
        return Reason.IDENTIFIED
    return Reason.UNKNOWN
