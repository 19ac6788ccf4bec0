"""Scheduled work on accounts. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import allotment_notices, calls, heartbeat


def beat() -> None:
    """Show that schedule, queue and worker work. Every minute."""
    heartbeat.beat(now=timezone.now())


def forget_rejected_calls() -> int:
    """Delete rejected calls older than REJECTED_CALL_DAYS; return how many rows that were. Every night."""
    return calls.forget(before=timezone.now() - timedelta(days=settings.REJECTED_CALL_DAYS))


def tell_of_allotments() -> int:
    """Mail those whose workspace has used much of its allotment; return how many workspaces. Every 15 minutes."""
    return allotment_notices.tell(now=timezone.now())
