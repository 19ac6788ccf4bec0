"""How large segments are, day by day (UTC): counted every night and after each save, kept for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Abs

from accounts.days import day_of
from accounts.models import Workspace
from profiles import locks
from profiles.locks import Lock
from segments import audience
from segments.audience import Summary
from segments.models import Segment, SegmentSize

BATCH = 500
WEEK = timedelta(days=7)
COUNTS = ("total_count", "email_count", "push_count", "measured_at")


class Move(NamedTuple):
    """How the size of a segment changed within a week."""

    segment: Segment
    before: int
    after: int


def record(*, now: datetime) -> int:
    """Note today's size of every active segment of every workspace; return how many. Those at fault have none."""
    return sum(_record(workspace, now) for workspace in Workspace.objects.order_by("id"))


def record_one(*, segment_id: int, now: datetime) -> None:
    """Note today's size of one segment, if it is still there and active."""
    for segment in Segment.objects.active().select_related("workspace").filter(pk=segment_id):
        _write(segment.workspace, [segment], now)


def forget(*, before: date) -> int:
    """Delete the sizes of days before `before`; return how many."""
    return SegmentSize.objects.filter(day__lt=before).delete()[0]


def by_day(*, segment_ids: Collection[int], since: date) -> dict[int, dict[date, SegmentSize]]:
    """Return the sizes of some segments from a day on, by segment and day."""
    found: dict[int, dict[date, SegmentSize]] = defaultdict(dict)
    for size in SegmentSize.objects.filter(segment_id__in=segment_ids, day__gte=since):
        found[size.segment_id][size.day] = size
    return found


def largest_moves(*, workspace: Workspace, now: datetime, limit: int) -> list[Move]:
    """Return the active segments whose size changed most within a week, as it was noted, the largest change first.

    Sizes are noted every night, so the newest is of today or yesterday. One query.
    """
    today = day_of(now)
    known = (
        Segment.objects.for_workspace(workspace)
        .active()
        .annotate(after=_noted(by=today), before=_noted(by=today - WEEK))
    )
    moved = known.annotate(change=Abs(F("after") - F("before"))).filter(change__gt=0)
    largest: Any = moved.only("name").order_by("-change", "name")[:limit]
    return [Move(it, it.before, it.after) for it in largest]


def _noted(*, by: date) -> Subquery:
    """Return the size of a segment on a day, or if it is not noted yet, the day before."""
    days = SegmentSize.objects.filter(segment=OuterRef("pk"), day__range=(by - timedelta(days=1), by))
    return Subquery(days.order_by("-day").values("total_count")[:1])


def _record(workspace: Workspace, now: datetime) -> int:
    return _write(workspace, list(Segment.objects.for_workspace(workspace).active()), now)


def _write(workspace: Workspace, segments: list[Segment], now: datetime) -> int:
    """Count on one fetch, then write. Who is deleted meanwhile has no size: that waits for this, or comes before."""
    summaries = audience.summaries(workspace=workspace, segments=segments, now=now)
    with transaction.atomic():
        locks.share(Lock.SEGMENTS, workspace_id=workspace.pk)
        there = set(Segment.objects.for_workspace(workspace).values_list("pk", flat=True))
        rows = list(_rows((it for it in summaries if it.segment.pk in there), now))
        SegmentSize.objects.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["segment", "day"],
            update_fields=COUNTS,
        )
    return len(rows)


def _rows(summaries: Iterable[Summary], now: datetime) -> Iterable[SegmentSize]:
    for summary in summaries:
        if summary.size is not None:
            yield SegmentSize(
                segment=summary.segment,
                day=day_of(now),
                total_count=summary.size,
                email_count=summary.email or 0,
                push_count=summary.push or 0,
                measured_at=now,
            )
