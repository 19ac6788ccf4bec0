"""What waiting pages of full syncs hold: members that do not count yet. The caller holds the cohorts' row locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyroaring import BitMap

from cohorts.models import CohortDelta
from profiles import bitmaps


def hand_over(*, cohort_ids: Sequence[int], kept_by_merged: Mapping[int, int]) -> None:
    """Let profiles take the places of merged ones in pages that wait, so that no member is lost when they swap."""
    if not cohort_ids:
        return
    merged = BitMap(kept_by_merged)
    for delta_id, blob in bitmaps.fetch(_STAGED.format(bitmaps.placeholders(cohort_ids)), list(cohort_ids)):
        page = bitmaps.unpack(blob)
        if gone := page & merged:
            page = (page - gone) | BitMap(kept_by_merged[profile_id] for profile_id in gone)
            sql = "UPDATE cohorts_cohortdelta SET members = %s WHERE id = %s"
            bitmaps.store(sql, [bitmaps.pack(page), delta_id])


_STAGED = """
    SELECT d.id, d.members FROM cohorts_cohortsync s JOIN cohorts_cohortdelta d ON d.sync_id = s.id
    WHERE s.cohort_id IN ({}) AND s.status = 'running' AND d.kind = 'page' ORDER BY d.id
"""


def drop(*, sync_ids: Iterable[int]) -> None:
    """Forget what the pages of syncs held; that they were seen, and their digests, stay."""
    CohortDelta.objects.filter(sync_id__in=sync_ids, kind=CohortDelta.Kind.PAGE).update(members=b"")
