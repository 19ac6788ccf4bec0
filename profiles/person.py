"""All that is known of people, as JSON: what `/users/export/ids` answers, and what one person gets who asks for it.

Fields have the names of the tracking API. What is blank is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from profiles import attributes, followers, matching
from profiles.models import CustomEvent, EventName, Identifier, Profile

Described = dict[str, Any]

# What the apps above know is asked only when somebody wants it.
_ABOVE = frozenset({"cohorts", "segments"})
DEVICES = (matching.DEVICE, matching.IDENTIFIED_DEVICE)

FIELDS = frozenset(
    {
        *("external_id", "braze_id", "profile_id", "user_aliases", "devices"),
        *attributes.STANDARD,
        *("custom_attributes", "custom_events", "purchases", "total_revenue", "created_at", "updated_at"),
        *_ABOVE,
    }
)


def describe(*, profile: Profile) -> Described:
    """Return all that is known of one person."""
    found = describe_all(workspace_id=profile.workspace_id, profile_ids=[profile.pk])
    return found.get(profile.pk, {})


def describe_all(
    *, workspace_id: int, profile_ids: Collection[int], fields: Collection[str] | None = None
) -> dict[int, Described]:
    """Return what is known of live profiles, by id: all of it, or some fields.

    A constant number of queries, as far as the apps above allow.
    """
    profiles = Profile.objects.live().filter(workspace_id=workspace_id, pk__in=profile_ids).order_by("pk")
    facts = _facts(workspace_id, profile_ids, fields)
    found = {profile.pk: _describe(profile, facts) for profile in profiles}
    if fields is None:
        return found
    return {
        profile_id: {name: value for name, value in described.items() if name in fields}
        for profile_id, described in found.items()
    }


@dataclass(frozen=True)
class _Facts:
    """What is kept beside the profiles, by their ids."""

    keys: Mapping[int, Sequence[str]]
    events: Mapping[int, Sequence[CustomEvent]]
    above: Mapping[int, Mapping[str, Any]]


def _facts(workspace_id: int, profile_ids: Collection[int], fields: Collection[str] | None) -> _Facts:
    keys: dict[int, list[str]] = {}
    identifiers = Identifier.objects.filter(workspace_id=workspace_id, profile_id__in=profile_ids)
    for profile_id, key in identifiers.order_by("key").values_list("profile_id", "key"):
        keys.setdefault(profile_id, []).append(key)
    events: dict[int, list[CustomEvent]] = {}
    totals = CustomEvent.objects.filter(profile_id__in=profile_ids, name__workspace_id=workspace_id)
    for event in totals.select_related("name").order_by("name__name", "name__currency"):
        events.setdefault(event.profile_id, []).append(event)
    is_wanted = fields is None or not _ABOVE.isdisjoint(fields)
    above = followers.described(workspace_id=workspace_id, profile_ids=profile_ids) if is_wanted else {}
    return _Facts(keys, events, above)


def _describe(profile: Profile, facts: _Facts) -> Described:
    keys = facts.keys.get(profile.pk, ())
    events = facts.events.get(profile.pk, ())
    purchases = [event for event in events if event.name.kind == EventName.Kind.PURCHASE]
    others = [event for event in events if event.name.kind != EventName.Kind.PURCHASE]
    described = {
        "external_id": profile.external_id,
        "braze_id": str(profile.pk),
        "profile_id": profile.pk,
        "user_aliases": [alias(key) for key in keys if key.startswith("a:")],
        "devices": [{"device_id": key[2:]} for key in keys if key.startswith(DEVICES)],
        **{name: as_json(getattr(profile, it.column)) for name, it in attributes.STANDARD.items()},
        "custom_attributes": profile.custom_attributes,
        "custom_events": [_event(event) for event in others],
        "purchases": [_event(event) | _purchase(event) for event in purchases],
        "total_revenue": _total_revenue(purchases),
        "created_at": as_json(profile.created_at),
        "updated_at": as_json(profile.changed_at),
        **facts.above.get(profile.pk, {}),
    }
    return {name: value for name, value in described.items() if value not in (None, "", [], {})}


def alias(key: str) -> dict[str, str]:
    """Return the alias that a key is, as the tracking API has it."""
    label, name = matching.alias_of(key)
    return {"alias_name": name, "alias_label": label}


def _event(event: CustomEvent) -> Described:
    return {
        "name": event.name.name,
        "first": as_json(event.first_at),
        "last": as_json(event.last_at),
        "count": event.count,
        "days": event.days,
    }


def _purchase(event: CustomEvent) -> Described:
    return {"currency": event.name.currency, "quantity": event.quantity, "revenue": float(event.revenue)}


def _total_revenue(purchases: Sequence[CustomEvent]) -> float | None:
    """Return what was spent in all; None if it was nothing, or in several currencies."""
    currencies = {event.name.currency for event in purchases}
    return float(sum(event.revenue for event in purchases)) if len(currencies) == 1 else None


def as_json(value: Any) -> Any:
    """Return a value as JSON has it: times in UTC as the tracking API takes them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
