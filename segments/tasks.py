"""Scheduled work on segments. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.days import day_of
from segments import sizes


def keep_sizes() -> dict[str, int]:
    """Note the size of every active segment, and forget old ones; return how many of each. Every night."""
    now = timezone.now()
    oldest = day_of(now) - timedelta(days=settings.SEGMENT_SIZE_DAYS)
    return {"recorded": sizes.record(now=now), "forgotten": sizes.forget(before=oldest)}
