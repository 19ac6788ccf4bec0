"""Since when a profile is in its cohorts: read from the deltas, as far as they are kept and one cares to look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from cohorts.models import CohortDelta
from profiles import bitmaps
from profiles.changes import aware

Kind = CohortDelta.Kind
# Deltas to look at, over all cohorts that are asked about: most are small, and 20,000 take a tenth of a second.
MAX_DELTAS = 20_000


class Stay(NamedTuple):
    """That a profile is in a cohort; `entered_at` is None if it entered before what was looked at."""

    entered_at: datetime | None


def since(*, profile_id: int, cohort_ids: Sequence[int]) -> dict[int, Stay]:
    """Return those of the cohorts that a live profile is in, and since when; exact at one moment, in one query."""
    if not cohort_ids:
        return {}
    sql = _HISTORY.format(bitmaps.placeholders(cohort_ids))
    rows = bitmaps.fetch(sql, [*cohort_ids, MAX_DELTAS // len(cohort_ids) + 1])
    stays = {
        cohort_id: _stay(profile_id, (row[1:] for row in group))
        for cohort_id, group in groupby(rows, key=lambda row: row[0])
    }
    return {cohort_id: stay for cohort_id, stay in stays.items() if stay is not None}


# A cohort's snapshot comes between the deltas it includes, whose changes are effective, and those still to be folded.
_HISTORY = """
    WITH chosen AS (SELECT id, snapshot, snapshot_sequence FROM cohorts_cohort WHERE id IN ({}))
    SELECT id, 'snapshot' AS kind, snapshot, NULL, NULL, snapshot_sequence AS sequence, 1 AS place FROM chosen
    UNION ALL
    SELECT d.cohort_id, d.kind, d.members, d.left, d.created_at, d.sequence, 0
    FROM chosen c JOIN cohorts_cohortdelta d ON d.cohort_id = c.id AND d.sequence > c.snapshot_sequence - %s
    WHERE coalesce(d.entered_count, 1) + coalesce(d.left_count, 1) > 0
    ORDER BY 1, 6, 7
"""


def _stay(profile_id: int, changes: Iterable[tuple[Any, ...]]) -> Stay | None:
    """Return how a profile is in a cohort after all its changes; None if it is not."""
    stay: Stay | None = None
    for kind, members, left, created_at, *_order in changes:
        is_named = profile_id in bitmaps.unpack(members)
        if kind == "snapshot":
            stay = (stay or Stay(None)) if is_named else None
        elif kind == Kind.REMOVED:
            stay = None if is_named else stay
        elif is_named:
            stay = stay or Stay(aware(created_at))
        elif left and profile_id in bitmaps.unpack(left):
            stay = None
    return stay
