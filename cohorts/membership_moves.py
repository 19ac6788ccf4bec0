"""Who entered or left a cohort lately: read from the deltas, as far back as they are kept.

A member who came and went several times is counted once. When profiles are merged, the kept one enters in the place
of the others, as its page says too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from pyroaring import BitMap

from accounts.days import day_of
from cohorts import folding
from cohorts.folding import Change
from cohorts.models import CohortDelta
from profiles import bitmaps, changes

Kind = CohortDelta.Kind


class Direction(StrEnum):
    """Which way members moved."""

    ENTERED = "entered"
    LEFT = "left"


def moved(
    *, cohort_ids: Sequence[int], direction: Direction, since: date, within: BitMap
) -> dict[int, BitMap]:
    """Return who entered, or left, each cohort on a day (UTC) or later; exact at one moment, in one query.

    `within` is the set of live profiles of the workspace.
    """
    if not cohort_ids:
        return {}
    start = changes.stamp(datetime(since.year, since.month, since.day, tzinfo=UTC))
    rows = bitmaps.fetch(_MOVES.format(bitmaps.placeholders(cohort_ids)), [*cohort_ids, start])
    return {
        cohort_id: _moved(list(group), direction, since) & within
        for cohort_id, group in groupby(rows, key=lambda row: row[0])
    }


# The snapshot comes between the deltas it includes, whose changes are effective, and those still to be folded.
_MOVES = """
    WITH chosen AS (SELECT id, snapshot, snapshot_sequence FROM cohorts_cohort WHERE id IN ({}))
    SELECT id, snapshot_sequence AS sequence, 1 AS place, NULL AS delta_id, NULL AS sync_id, 'snapshot' AS kind,
        NULL AS created_at, snapshot AS members, NULL AS went
    FROM chosen
    UNION ALL
    SELECT d.cohort_id, d.sequence, CASE WHEN d.sequence > c.snapshot_sequence THEN 2 ELSE 0 END,
        d.id, d.sync_id, d.kind, d.created_at, d.members, d.left
    FROM chosen c JOIN cohorts_cohortdelta d ON d.cohort_id = c.id
    WHERE d.sequence > c.snapshot_sequence OR (d.sequence IS NOT NULL AND d.created_at >= %s)
    ORDER BY 1, 3, 2
"""
_FOLDED, _SNAPSHOT, _LATER = range(3)


def _moved(rows: Sequence[tuple[Any, ...]], direction: Direction, since: date) -> BitMap:
    """Return who moved, of the rows of one cohort."""
    at = {place: [row for row in rows if row[2] == place] for place in (_FOLDED, _SNAPSHOT, _LATER)}
    folded = [_named(*row[5:], direction=direction) for row in at[_FOLDED]]
    later = [
        step.entered if direction is Direction.ENTERED else step.left
        for step in folding.steps(bitmaps.unpack(at[_SNAPSHOT][0][7]), map(_change, at[_LATER]))
        if step.changes[-1].day >= since
    ]
    return BitMap.union(BitMap(), *folded, *later)


def _named(kind: str, _created_at: Any, members: Any, left: Any, *, direction: Direction) -> BitMap:
    """Return who moved by a delta that was folded: it holds those who really did."""
    if direction is Direction.ENTERED:
        return BitMap() if kind == Kind.REMOVED else bitmaps.unpack(members)
    return bitmaps.unpack(members) if kind == Kind.REMOVED else bitmaps.unpack(left)


def _change(row: tuple[Any, ...]) -> Change:
    _cohort, _sequence, _place, delta_id, sync_id, kind, created_at, members, left = row
    day = day_of(changes.aware(created_at))
    return Change(delta_id, sync_id, kind, day, bitmaps.unpack(members), bitmaps.unpack(left))
