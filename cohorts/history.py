"""How large cohorts were day by day (UTC), and how many users entered and left them: exact, as far as history is kept.

Counted back from the members of now by the effective change of each delta, which folding wrote down; those still to be
folded are folded here. An erased user counts on the days before; one whom the partner took out later, until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from pyroaring import BitMap

from accounts.days import day_of
from cohorts import folding
from cohorts.folding import Change
from cohorts.models import Cohort
from profiles import bitmaps
from profiles.models import Profile


class Day(NamedTuple):
    """A day (UTC): how many were in a cohort at its end, and how many its partner let in and out.

    Who takes the place of a merged user neither entered nor left.
    """

    day: date
    size: int
    entered: int
    left: int


@dataclass(frozen=True)
class History:
    """How many are in a cohort now, and its days, oldest first: none before it came or before the history kept."""

    size: int
    days: Sequence[Day]


@dataclass
class _Found:
    """What is stored of a cohort: its members, erased ones too, and what the deltas of each day changed."""

    members: BitMap = field(default_factory=BitMap)
    net: Counter[date] = field(default_factory=Counter)
    entered: Counter[date] = field(default_factory=Counter)
    left: Counter[date] = field(default_factory=Counter)

    def note(self, day: date, *, net: int, entered: int, left: int) -> None:
        self.net[day] += net
        self.entered[day] += entered
        self.left[day] += left


def of(*, cohorts: Sequence[Cohort], within: BitMap, days: int, now: datetime) -> dict[int, History]:
    """Return the history of each cohort, of `days` days at most with today, exact at one moment; in two queries.

    `within` is the set of live profiles of their workspace.
    """
    if not cohorts:
        return {}
    today = day_of(now)
    since = today - timedelta(days=min(days, settings.DELTA_RETENTION_DAYS) - 1)
    found = _found([cohort.pk for cohort in cohorts], since)
    erased = _erased(BitMap.union(BitMap(), *(it.members - within for it in found.values())))
    return {
        cohort.pk: History(
            size=len(found[cohort.pk].members & within),
            days=_days(
                found[cohort.pk], erased, first=min(max(since, day_of(cohort.created_at)), today), last=today
            ),
        )
        for cohort in cohorts
    }


# --- what is stored ------------------------------------------------------------------------------------------
def _found(cohort_ids: Sequence[int], since: date) -> dict[int, _Found]:
    midnight = datetime(since.year, since.month, since.day, tzinfo=UTC)
    vendor = connection.vendor
    sql = _HISTORY.format(bitmaps.placeholders(cohort_ids), day=_DAY[vendor], unfolded=_UNFOLDED[vendor])
    rows = bitmaps.fetch(sql, [*cohort_ids, connection.ops.adapt_datetimefield_value(midnight)])
    found = {cohort_id: _Found() for cohort_id in cohort_ids}
    for cohort_id, group in groupby(rows, key=lambda row: row[0]):
        _read(found[cohort_id], (row[1:] for row in group))
    return found


# One statement, so that snapshot and deltas are of one moment: a delta is folded or not, never both or neither. The
# snapshot comes as sequence 0, after the sums of the days whose deltas it includes.
_HISTORY = """
    WITH chosen AS (SELECT id, snapshot, snapshot_sequence FROM cohorts_cohort WHERE id IN ({}))
    SELECT id, 0 AS sequence, 'snapshot' AS kind, snapshot, NULL, NULL, NULL, 0, 0, 0 FROM chosen
    UNION ALL
    SELECT d.cohort_id, d.sequence, d.kind, d.members, d.left, d.sync_id, {day}, 0, 0, 0
    FROM chosen c {unfolded}
    UNION ALL
    SELECT d.cohort_id, -1, 'sums', NULL, NULL, NULL, {day}, sum(d.entered_count) - sum(d.left_count),
        coalesce(sum(d.entered_count) FILTER (WHERE d.sync_id IS NOT NULL), 0),
        coalesce(sum(d.left_count) FILTER (WHERE d.sync_id IS NOT NULL), 0)
    FROM chosen c JOIN cohorts_cohortdelta d ON d.cohort_id = c.id AND d.sequence <= c.snapshot_sequence
    WHERE d.created_at >= %s AND NOT (d.kind = 'page')
    GROUP BY d.cohort_id, {day}
    ORDER BY 1, 2
"""
# PostgreSQL, left to itself, reads all deltas of all cohorts to find the few that are not folded yet.
_UNFOLDED = {
    "postgresql": """CROSS JOIN LATERAL (
        SELECT * FROM cohorts_cohortdelta WHERE cohort_id = c.id AND sequence > c.snapshot_sequence OFFSET 0
    ) d""",
    "sqlite": """JOIN cohorts_cohortdelta d ON d.cohort_id = c.id AND d.sequence > c.snapshot_sequence""",
}
_DAY = {"postgresql": "(d.created_at AT TIME ZONE 'UTC')::date", "sqlite": "date(d.created_at)"}


def _read(found: _Found, rows: Iterable[tuple[Any, ...]]) -> None:
    changes = []
    for sequence, kind, members, left, sync_id, day, *sums in rows:
        if kind == "snapshot":
            found.members = bitmaps.unpack(members)
        elif kind == "sums":
            net, entered, gone = map(int, sums)
            found.note(_date(day), net=net, entered=entered, left=gone)
        else:
            changes.append(
                Change(sequence, sync_id, kind, _date(day), bitmaps.unpack(members), bitmaps.unpack(left))
            )
    for step in folding.steps(found.members, changes):
        entered, gone = len(step.entered), len(step.left)
        last = step.changes[-1]
        is_sync = last.sync_id is not None  # else a handover, of the same people
        found.note(last.day, net=entered - gone, entered=entered * is_sync, left=gone * is_sync)
        found.members = step.members


def _erased(profile_ids: BitMap) -> dict[int, date]:
    """Return the days on which profiles were erased."""
    ids = profile_ids.to_array()
    erased: dict[int, date] = {}
    for start in range(0, len(ids), bitmaps.MAX_SQL_IDS):
        some = Profile.objects.filter(pk__in=ids[start : start + bitmaps.MAX_SQL_IDS])
        rows = some.exclude(deleted_at=None).values_list("pk", "deleted_at")
        erased |= {pk: day_of(moment) for pk, moment in rows if moment}
    return erased


# --- day by day ----------------------------------------------------------------------------------------------
def _days(found: _Found, erased: dict[int, date], *, first: date, last: date) -> list[Day]:
    """Return the days, found from the last one back."""
    gone = Counter(erased[pk] for pk in found.members & BitMap(erased))
    size = len(found.members) - gone.total()
    days = []
    for ago in range((last - first).days + 1):
        day = last - timedelta(days=ago)
        days.append(Day(day, size, found.entered[day], found.left[day]))
        size += gone[day] - found.net[day]
    return days[::-1]


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
