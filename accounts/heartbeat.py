"""Whether the worker works: a job of its own queue leaves a mark each minute, so schedule, queue and worker are proven."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Heartbeat

WORKER = "worker"
# Two beats may be missed: a worker with all hands in long jobs, or one that is being started again, is not gone.
LATE_AFTER = timedelta(minutes=3)


def beat(*, now: datetime) -> None:
    """Note that the worker is alive. One statement, so that workers of several hosts may beat at once."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=WORKER, beat_at=now)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["beat_at"],
    )


def age(*, now: datetime) -> timedelta | None:
    """Return how long ago the worker beat; None if it never did."""
    beat_at = Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()
    return None if beat_at is None else now - beat_at


def is_late(*, now: datetime) -> bool:
    """Whether the worker was not heard of for too long, or never."""
    silence = age(now=now)
    return silence is None or silence > LATE_AFTER
