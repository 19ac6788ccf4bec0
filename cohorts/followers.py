"""What cohorts do when people are merged or erased, and what they know of a person (`profiles/followers.py`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from cohorts import membership, moves
from cohorts.models import Cohort, CohortSync

CHUNK = 500


def merged(*, workspace_id: int, kept_by_merged: Mapping[int, int], now: datetime) -> None:
    """Let kept profiles take the places of the merged ones in every cohort."""
    moves.move(workspace_id=workspace_id, kept_by_merged=kept_by_merged, now=now)


def erased(*, workspace_id: int, profile_ids: Collection[int], texts: Collection[str]) -> None:  # noqa: ARG001
    """Take people out of the samples of unmatched identifiers; no cohort shows an erased member anyway.

    A page that is on its way adds to the sample that it read: written later, it would bring them back.
    """
    moves.hold_pages_off(workspace_id=workspace_id)
    syncs = CohortSync.objects.filter(cohort__workspace_id=workspace_id).exclude(unmatched_sample=[])
    changed = []
    for sync in syncs.only("unmatched_sample").iterator(CHUNK):
        kept = [entry for entry in sync.unmatched_sample if entry["identifier"] not in texts]
        if len(kept) < len(sync.unmatched_sample):
            sync.unmatched_sample = kept
            changed.append(sync)
    CohortSync.objects.bulk_update(changed, ["unmatched_sample"], batch_size=CHUNK)


def described(*, workspace_id: int, profile_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the cohorts that each profile is in, by name."""
    cohorts = Cohort.objects.filter(workspace_id=workspace_id).order_by("name", "pk")
    by_id = {cohort.pk: cohort for cohort in cohorts.only("partner", "partner_cohort_id", "name")}
    members = membership.members(cohort_ids=list(by_id), within=BitMap(profile_ids))
    return {
        profile_id: {"cohorts": [_described(it) for it in by_id.values() if profile_id in members[it.pk]]}
        for profile_id in profile_ids
    }


def _described(cohort: Cohort) -> dict[str, str]:
    return {"name": cohort.name, "partner": cohort.partner, "partner_cohort_id": cohort.partner_cohort_id}
