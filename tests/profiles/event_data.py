"""Events as Mixpanel exports them, for tests of everything that imports them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from profiles.models import CustomEvent

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIME = 1_795_000_000  # 2026-11-18


def exported(
    name: Any = "Signed up", distinct_id: Any = "ann", time: Any = TIME, **more: Any
) -> dict[str, Any]:
    """Return an event; further properties by name, those that are None are left out."""
    properties = {"time": time, "distinct_id": distinct_id, "$city": "Paris"} | more
    return {
        "event": name,
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def lines(*events: Any) -> bytes:
    """Return events as a raw export."""
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def totals() -> dict[tuple[str, str], int]:
    """Return how often who did what."""
    rows = CustomEvent.objects.select_related("name", "profile")
    return {(row.profile.external_id or "", row.name.name): row.count for row in rows}
