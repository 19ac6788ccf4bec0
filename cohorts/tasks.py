"""Scheduled work on cohorts. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from cohorts import membership, retention, staleness


def compact_idle() -> int:
    """Fold what stayed unfolded since the last compaction; return how many cohorts that were. Every minute."""
    return membership.compact_idle(idle=timedelta(seconds=30), now=timezone.now())


def check_freshness() -> dict[str, int]:
    """Tell staff of cohorts that fell silent, or are heard of again; return how much there was. Every minute."""
    return staleness.check(now=timezone.now())


def clean_up() -> dict[str, int]:
    """Expire unfinished syncs, unmatched samples and old history; return how many of each. Every night."""
    now = timezone.now()
    too_late = now - timedelta(hours=settings.UNFINISHED_SYNC_HOURS)
    return {
        "syncs": retention.expire_unfinished(before=too_late, now=now),
        "pages": retention.forget_pages(before=too_late),
        "samples": retention.forget_samples(before=now - timedelta(days=settings.UNMATCHED_SAMPLE_DAYS)),
        "deltas": retention.forget_deltas(before=now - timedelta(days=settings.DELTA_RETENTION_DAYS)),
    }
