"""Events and purchases of a user, for pages that show them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from profiles import events
from profiles.events import Kind, Occurrence
from profiles.models import Profile


def happen(profile: Profile, *names: str) -> None:
    """Let a user do each thing, and buy it, on some of the last days."""
    now = timezone.now()
    done = [
        Occurrence(profile.pk, kind, name, currency, now - timedelta(days=ago), 3, quantity, Decimal(price))
        for name in names
        for ago in (0, 1, 5, 30, 200)
        for kind, currency, quantity, price in ((Kind.CUSTOM, "", 0, 0), (Kind.PURCHASE, "EUR", 6, "1234.5"))
    ]
    events.record(workspace_id=profile.workspace_id, occurrences=done, now=now)
