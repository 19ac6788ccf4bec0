"""The worker's part of exports. All of it may run twice, or late."""

from __future__ import annotations

from django.utils import timezone

from profiles.tasks import naming_nobody
from segments import exports


def run_export(job_id: int) -> None:
    """Write an export for a slice of time. Queued by `segments/exports.py`; a second one for the same does nothing."""
    with naming_nobody("export", job_id):
        exports.work(job_id=job_id, clock=timezone.now)


def revive_exports() -> int:
    """Queue the exports whose worker is gone; return how many. Every minute."""
    return exports.revive(now=timezone.now())


def expire_exports() -> int:
    """Delete files whose time is over; return how many. Every night."""
    return exports.expire(now=timezone.now())
