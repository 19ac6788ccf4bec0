"""The two large arrays of the wire protocols, each one field: a nested serializer costs 24 µs per member, this 0.1.

Faults are collected, not thrown at the first: a validation error's detail is nested as the body is, so that every
fault comes out with its JSON pointer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.settings import api_settings

from cohorts.imports import Change
from profiles import identifiers

Faults = dict[Any, Any]
ID_KEYS = ("user_ids", "device_ids", "aliases")


class TextField(serializers.Field[str, Any, str, Any]):
    """A string that is not blank. Numbers are refused unless the protocol says they may come: `accept_numbers`."""

    def __init__(self, *, max_length: int, accept_numbers: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length
        self.accept_numbers = accept_numbers

    def to_internal_value(self, data: Any) -> str:
        """Return the text. Raises ValidationError, which names the field and what is allowed."""
        if self.accept_numbers and type(data) is int:
            data = str(data)
        if not isinstance(data, str) or not data.strip():
            raise serializers.ValidationError(
                f"{self.field_name} must be a valid string: text that is not blank."
            )
        if len(data) > self.max_length:
            raise serializers.ValidationError(
                f"{self.field_name} has {len(data)} characters; {self.max_length} are allowed."
            )
        return data

    def to_representation(self, value: str) -> str:
        """Return the text itself."""
        return value


class OffsetDateTimeField(serializers.Field[datetime, Any, str, Any]):
    """A moment in ISO 8601 with its offset from UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        """Return the moment. Raises ValidationError for any other format, or without offset."""
        try:
            moment = parse_datetime(data) if isinstance(data, str) else None
            if moment is not None and moment.tzinfo is not None:
                moment = moment.astimezone(UTC)  # which the first and last hours of the calendar do not have
        except (ValueError, OverflowError):
            moment = None
        if moment is None or moment.tzinfo is None:
            raise serializers.ValidationError(
                f"{self.field_name} must be an ISO 8601 time with its offset, like 2026-01-31T09:30:00Z."
            )
        return moment

    def to_representation(self, value: datetime) -> str:
        """Return ISO 8601."""
        return value.isoformat()


class CohortChangesField(serializers.Field[Sequence[Change], Any, Any, Any]):
    """`cohort_changes` of the partner protocol: an array of objects, or that array as a JSON string."""

    def to_internal_value(self, data: Any) -> list[Change]:
        """Return the changes in their order. Raises ValidationError with every fault."""
        data = _array_from_text(data)
        if not isinstance(data, list):
            raise serializers.ValidationError(_OF_CHANGES)
        faults: Faults = {
            index: found for index, change in enumerate(data) if (found := _change_faults(change))
        }
        if faults:
            raise serializers.ValidationError(faults)
        changes = [_change(change) for change in data]
        count = sum(len(change.members) for change in changes)
        limit = _limit(self)
        if count > limit:
            raise serializers.ValidationError(
                f"only {limit:,} ids of all kinds are allowed per request; this has {count:,}."
            )
        return changes

    def to_representation(self, value: Any) -> Any:
        """Never called: the field is only read."""
        return value


class MembersField(serializers.Field[Sequence[Mapping[str, Any]], Any, Any, Any]):
    """`members` of the webhook: an array of objects, kept as they are."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """Return the members. Raises ValidationError with every fault, or for too many."""
        if not isinstance(data, list):
            raise serializers.ValidationError("members must be an array of objects.")
        limit = _limit(self)
        if len(data) > limit:
            raise serializers.ValidationError(
                f"only {limit:,} members are allowed per page; this has {len(data):,}."
            )
        faults: Faults = {
            index: ["A member must be an object."]
            for index, member in enumerate(data)
            if type(member) is not dict
        }
        if faults:
            raise serializers.ValidationError(faults)
        return data

    def to_representation(self, value: Any) -> Any:
        """Never called: the field is only read."""
        return value


def _limit(field: serializers.Field[Any, Any, Any, Any]) -> int:
    """Return how many ids a request of the integration may hold: its own limit, or everybody's."""
    integration = field.context.get("integration")
    own: int | None = integration.id_limit if integration else None
    return settings.MAX_IDS_PER_REQUEST if own is None else own


_OF_CHANGES = (
    "cohort_changes must be an array of objects with user_ids, device_ids or aliases, and should_remove."
)


def _array_from_text(data: Any) -> Any:
    """Read the JSON string that some copies of the documentation show in place of the array."""
    if not isinstance(data, str):
        return data
    try:
        return None if "\\u0000" in data else orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _change_faults(change: Any) -> Faults | list[str]:
    if not isinstance(change, dict):
        return [_OF_CHANGES]
    faults: Faults = {}
    if not any(key in change for key in ID_KEYS):
        faults[api_settings.NON_FIELD_ERRORS_KEY] = [
            "One of user_ids, device_ids and aliases must be present; its array may be empty."
        ]
    if not isinstance(change.get("should_remove", False), bool):
        faults["should_remove"] = ["should_remove must be true or false."]
    for key in ID_KEYS:
        if found := _id_faults(key, change.get(key, [])):
            faults[key] = found
    return faults


def _id_faults(key: str, values: Any) -> Faults | list[str]:
    of_what = "objects with alias_name and alias_label" if key == "aliases" else "strings"
    if not isinstance(values, list):
        return [f"{key} must be an array of {of_what}."]
    if key == "aliases":
        return {
            index: ["An alias must be an object of two strings: alias_name and alias_label."]
            for index, alias in enumerate(values)
            if not _is_alias(alias)
        }
    return {
        index: [f"{key} must hold strings only."]
        for index, value in enumerate(values)
        if type(value) is not str
    }


def _is_alias(alias: Any) -> bool:
    return isinstance(alias, dict) and all(
        type(alias.get(name)) is str for name in ("alias_name", "alias_label")
    )


def _change(change: Mapping[str, Any]) -> Change:
    members = [
        *identifiers.of_external_ids(change.get("user_ids", ())),
        *identifiers.of_devices(change.get("device_ids", ())),
        *identifiers.of_aliases(change.get("aliases", ())),
    ]
    return Change(members=members, should_remove=change.get("should_remove", False))
