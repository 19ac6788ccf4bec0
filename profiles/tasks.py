"""Scheduled work on profiles. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from django.utils import timezone

from profiles import changes


def tidy_changes() -> int:
    """Fold and forget old records of the change marker; return how many rows went. Every ten minutes."""
    return changes.tidy(now=timezone.now())
