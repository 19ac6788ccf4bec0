"""Scheduled work on accounts. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from django.utils import timezone

from accounts import heartbeat


def beat() -> None:
    """Show that schedule, queue and worker work. Every minute."""
    heartbeat.beat(now=timezone.now())
