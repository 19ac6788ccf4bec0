"""What becomes of the events of people who are merged or erased. The caller has locked their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import orjson

from profiles import events
from profiles.models import CustomEvent


def move(*, kept_by_merged: Mapping[int, int], now: datetime) -> Collection[int]:
    """Add the events of merged profiles to those of the ones that keep them, whose ids are returned."""
    if not kept_by_merged:
        return ()
    totals: dict[tuple[int, int], list[CustomEvent]] = {}
    for event in CustomEvent.objects.filter(profile_id__in=kept_by_merged):
        totals.setdefault((event.name_id, kept_by_merged[event.profile_id]), []).append(event)
    if totals:
        events.add(rows=[(*key, *_sum(totals[key])) for key in sorted(totals)], now=now)
    return {kept_id for _name_id, kept_id in totals}


def forget(*, profile_ids: Collection[int]) -> None:
    """Delete the events of profiles that are merged away or erased."""
    if profile_ids:
        CustomEvent.objects.filter(profile_id__in=profile_ids).delete()


def _sum(several: Sequence[CustomEvent]) -> tuple[int, int, int, str, int, str]:
    """Return count, first, last, days, quantity and revenue of several rows, as `events.add` takes them."""
    days: Counter[str] = Counter()
    for event in several:
        days.update(event.days)
    return (
        sum(event.count for event in several),
        events.microseconds(min(event.first_at for event in several)),
        events.microseconds(max(event.last_at for event in several)),
        orjson.dumps(days).decode(),
        sum(event.quantity for event in several),
        str(sum((event.revenue for event in several), Decimal(0))),
    )
