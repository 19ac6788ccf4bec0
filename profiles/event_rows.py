"""What one event in Mixpanel's import format says: when, who did what, and what tells it apart from others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from math import isfinite
from typing import Any, NamedTuple

import orjson

from profiles import identifiers
from profiles.events import MAX_NAME_LENGTH
from profiles.matching import Keys

DIGEST_BYTES = 16
# Seconds are smaller than this until the year 5138, milliseconds larger since 1973.
_FIRST_MILLISECONDS = 10**11
_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1_000_000
_MAX_UINT32 = 2**32 - 1


class EventFaultError(ValueError):
    """An event cannot be imported: the member at fault, and what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}" if field else message)
        self.field = field
        self.message = message


class Event(NamedTuple):
    """An event of somebody who has one of the keys; without a key it is nobody's.

    `at` is in microseconds since 1970. `digest` is 16 bytes that begin with the time: those of the same name, time,
    user and `$insert_id` are equal.
    """

    name: str
    at: int
    keys: Keys
    digest: bytes


def read(raw: Any, *, external_id_property: str = "") -> Event:
    """Return the event that a JSON value is, or, given as bytes, a line of JSON. Raises EventFaultError."""
    if isinstance(raw, bytes):
        raw = _parsed(raw)
    if not isinstance(raw, dict):
        raise EventFaultError("", "An event must be a JSON object.")
    name = _name(raw.get("event"))
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        raise EventFaultError("properties", "must be an object.")
    at = _microseconds(properties.get("time"))
    user, keys = _user(properties, external_id_property)
    parts = f"{name}\0{at}\0{user}\0{_insert_id(properties)}"
    seconds = min(max(at // 1_000_000, 0), _MAX_UINT32)
    digest = blake2b(parts.encode(), digest_size=DIGEST_BYTES - 4).digest()
    return Event(name, at, keys, seconds.to_bytes(4, "big") + digest)


def insert_id_of(raw: Any) -> str:
    """Return what an event at fault calls itself, as far as it does."""
    try:
        raw = _parsed(raw) if isinstance(raw, bytes) else raw
    except EventFaultError:
        return ""
    properties = raw.get("properties") if isinstance(raw, dict) else None
    insert_id = properties.get("$insert_id") if isinstance(properties, dict) else None
    return insert_id if isinstance(insert_id, str) else ""


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise EventFaultError("", f"Malformed JSON: {error}") from error


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value or value.isspace():
        raise EventFaultError("event", "must be a string that is not blank.")
    if len(value) > MAX_NAME_LENGTH:
        raise EventFaultError("event", f"has {len(value)} characters; {MAX_NAME_LENGTH} are allowed.")
    if "\0" in value:
        raise EventFaultError("event", "holds a NUL character.")
    return value


def _microseconds(value: Any) -> int:
    """Return the time since 1970, which is given in seconds or in milliseconds."""
    if type(value) is str:
        value = _number(value)
    if type(value) is not int and type(value) is not float:
        raise EventFaultError(
            "properties.time", "must be a number: seconds or milliseconds since 1970 (UTC)."
        )
    scale = 1_000_000 if -_FIRST_MILLISECONDS < value < _FIRST_MILLISECONDS else 1_000
    if abs(value) * scale > _LAST:
        raise EventFaultError("properties.time", "is after the year 9999: send seconds or milliseconds.")
    return round(value * scale)


def _number(text: str) -> float | int | None:
    try:
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else float(text)  # noqa: PLR2004
    except ValueError:
        return None
    return number if isfinite(number) else None


def _user(properties: Mapping[str, Any], external_id_property: str) -> identifiers.Identified:
    """Return how the event names its user, and the keys to look them up by; no keys for “nobody in particular”."""
    distinct_id = properties.get("distinct_id")
    if distinct_id is not None and type(distinct_id) is not str and type(distinct_id) is not int:
        raise EventFaultError("properties.distinct_id", "must be a string.")
    user, keys = identifiers.of_event(properties, external_id_property=external_id_property)
    if not keys and distinct_id != "":
        reason = "is missing." if distinct_id is None else f"“{distinct_id}” stands for nobody."
        raise EventFaultError(
            "properties.distinct_id", f"{reason} Send the empty string for an event of no user."
        )
    if "\0" in user or "\0" in "".join(keys):
        raise EventFaultError("properties.distinct_id", "holds a NUL character.")
    return user, keys


def _insert_id(properties: Mapping[str, Any]) -> str | int:
    insert_id = properties.get("$insert_id")
    if insert_id is None:
        return ""
    if type(insert_id) not in {str, int}:
        raise EventFaultError("properties.$insert_id", "must be a string.")
    return insert_id  # type: ignore[no-any-return]
