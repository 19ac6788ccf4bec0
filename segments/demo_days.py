"""The demo's past: an allotment, and what would have been noted in the weeks before, so that charts have something to show."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from accounts import usage
from accounts.days import day_of
from accounts.models import Allotment, DataPointUsage, Workspace
from profiles import people_counts
from profiles.models import PeopleCount
from segments.models import Segment, SegmentSize

DAYS = 89
ALLOTMENT = 3_000_000
WEEKEND = 5  # the first of its days
# How many data points a day each source brings about, and how much it varies.
PER_DAY = {
    DataPointUsage.Source.PARTNER_COHORTS: (28_000, 9_000),
    DataPointUsage.Source.TRACKING_API: (40_000, 12_000),
    DataPointUsage.Source.EVENTS: (17_000, 7_000),
}
FILE_EVERY, FILE_POINTS = 7, 55_000


def invent(*, workspace: Workspace, now: datetime) -> None:
    """Note the past of a workspace that has none, and what it is today. The caller sees to it that it is done once."""
    today = day_of(now)
    days = [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
    people_counts.note_one(workspace=workspace, now=now)
    _invent_people(workspace, days, people_counts.by_day(workspace=workspace, since=today)[today])
    _invent_points(workspace, days)
    _invent_sizes(workspace, days, now)
    month = Allotment.Period.MONTH
    Allotment.objects.get_or_create(
        workspace=workspace,
        defaults={"data_points": ALLOTMENT, "period": month, "starts_on": today.replace(day=1)},
    )


def _invent_people(workspace: Workspace, days: list[date], newest: PeopleCount) -> None:
    """More users from day to day, up to those of today; among the early ones more are anonymous."""
    rows = []
    for number, day in enumerate(days):
        grown = 0.62 + 0.38 * number / len(days)
        anonymous = round(newest.anonymous_count * (grown + 0.5 * (1 - number / len(days))))
        identified = round(newest.identified_count * grown)
        rows.append(
            PeopleCount(workspace=workspace, day=day, identified_count=identified, anonymous_count=anonymous)
        )
    PeopleCount.objects.bulk_create(rows, ignore_conflicts=True)


def _invent_points(workspace: Workspace, days: list[date]) -> None:
    for day in days:
        for source, count in _points(day):
            usage.record(workspace_id=workspace.pk, source=source, day=day, count=count, shard_key=0)


def _points(day: date) -> Iterator[tuple[DataPointUsage.Source, int]]:
    chance = random.Random(day.toordinal())  # noqa: S311 - no secret
    quiet = 0.55 if day.weekday() >= WEEKEND else 1
    for source, (middle, spread) in PER_DAY.items():
        yield source, round(quiet * (middle + chance.uniform(-spread, spread)))
    if day.toordinal() % FILE_EVERY == 0:
        yield DataPointUsage.Source.CSV, FILE_POINTS


def _invent_sizes(workspace: Workspace, days: list[date], now: datetime) -> None:
    """Sizes that wander to what they are today, which saving the segments noted."""
    newest = SegmentSize.objects.filter(segment__in=Segment.objects.for_workspace(workspace), day=day_of(now))
    for number, size in enumerate(newest.order_by("segment_id")):
        chance = random.Random(number)  # noqa: S311 - no secret
        trend = chance.uniform(-0.3, 0.3)
        SegmentSize.objects.bulk_create(
            (
                SegmentSize(
                    segment_id=size.segment_id,
                    day=day,
                    total_count=_wander(size.total_count, trend, ago, chance),
                    email_count=_wander(size.email_count, trend, ago, chance),
                    push_count=_wander(size.push_count, trend, ago, chance),
                    measured_at=now - timedelta(days=ago),
                )
                for ago, day in zip(range(len(days), 0, -1), days, strict=True)
            ),
            ignore_conflicts=True,
        )


def _wander(count: int, trend: float, ago: int, chance: random.Random) -> int:
    return round(count * max(0.0, 1 - trend * min(ago, 30) / 30 + chance.uniform(-0.02, 0.02)))
