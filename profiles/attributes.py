"""The standard attributes of a profile: what each is called outside, where it is kept, and what it may hold.

The names are those of the tracking API, and the columns of a CSV file. Anything else is a custom attribute. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from profiles.models import Profile

MAX_LENGTH = 255
MAX_PUSH_TOKENS = 100


class AttributeValueError(ValueError):
    """A value is none of its attribute's: the message says what is allowed, and begins with the name."""


@dataclass(frozen=True)
class Attribute:
    """A standard attribute: its name outside, its column, how a value is read, and what its column holds for none."""

    name: str
    column: str
    read: Callable[[str, Any], Any]
    blank: Any = ""


def text(name: str, value: Any) -> str:
    """Return a text of at most MAX_LENGTH characters that databases can hold. Raises AttributeValueError."""
    if not isinstance(value, str):
        raise AttributeValueError(f"{name} must be a string.")
    if len(value) > MAX_LENGTH:
        raise AttributeValueError(f"{name} has {len(value)} characters; {MAX_LENGTH} are allowed.")
    if not value.isprintable() and (
        "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value)
    ):
        raise AttributeValueError(f"{name} holds a NUL character or half of a surrogate pair.")
    return value


def moment(name: str, value: Any) -> datetime:
    """Return a time in ISO 8601, in UTC; one without an offset is in UTC already. Raises AttributeValueError."""
    try:
        found = (parse_datetime(value) or _midnight(value)) if isinstance(value, str) else None
        if found is not None:  # the first and last hours of the calendar are in no other zone
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise AttributeValueError(f"{name} must be a time in ISO 8601, like 2026-01-31T09:30:00Z.")


def _midnight(value: str) -> datetime | None:
    day = parse_date(value)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _day(name: str, value: Any) -> date:
    try:
        found = parse_date(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise AttributeValueError(f"{name} must be a date, like 1990-12-31.")
    return found


def _one_of(choices: list[str]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in choices:
            raise AttributeValueError(f"{name} must be one of {', '.join(choices)}.")
        return str(value)

    return read


def _push_tokens(name: str, value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) > MAX_PUSH_TOKENS:
        raise AttributeValueError(f"{name} must be an array of at most {MAX_PUSH_TOKENS} objects.")
    return [_push_token(f"{name}[{index}]", item) for index, item in enumerate(value)]


def _push_token(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not {"app_id", "token"} <= value.keys():
        raise AttributeValueError(f"{name} must be an object with app_id and token.")
    known = {key: value[key] for key in ("app_id", "token", "device_id") if value.get(key) is not None}
    return {key: text(f"{name}.{key}", item) for key, item in known.items()}


_TEXTS = ("first_name", "last_name", "email", "phone", "country", "language", "time_zone", "home_city")
_SUBSCRIPTION = _one_of(list(Profile.Subscription))
STANDARD: Mapping[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        *(Attribute(name, name, text) for name in _TEXTS),
        Attribute("gender", "gender", _one_of(list(Profile.Gender))),
        Attribute("dob", "date_of_birth", _day, blank=None),
        Attribute("email_subscribe", "email_subscribe", _SUBSCRIPTION),
        Attribute("push_subscribe", "push_subscribe", _SUBSCRIPTION),
        Attribute("date_of_first_session", "first_session_at", moment, blank=None),
        Attribute("date_of_last_session", "last_session_at", moment, blank=None),
        Attribute("push_tokens", "push_tokens", _push_tokens, blank=()),
    )
}


def read(name: str, value: Any) -> Any:
    """Return the column's value for a standard attribute's value; None removes it. Raises AttributeValueError."""
    attribute = STANDARD[name]
    return attribute.blank if value is None else attribute.read(name, value)
