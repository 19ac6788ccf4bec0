"""What cohorts do when people are merged or erased, and what they know of a person (`profiles/followers.py`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from pyroaring import BitMap

from cohorts import held, membership, moves
from cohorts.models import Cohort, CohortSync
from profiles import bitmaps

CHUNK = 500


def merged(*, workspace_id: int, kept_by_merged: Mapping[int, int], now: datetime) -> None:
    """Let kept profiles take the places of the merged ones in every cohort."""
    moves.move(workspace_id=workspace_id, kept_by_merged=kept_by_merged, now=now)


def erased(*, workspace_id: int, profile_ids: Collection[int], texts: Collection[str]) -> None:  # noqa: ARG001
    """Take people out of held members and samples of unmatched identifiers; no cohort shows an erased member anyway.

    A page that is on its way adds to the sample that it read: written later, it would bring them back.
    """
    moves.hold_pages_off(workspace_id=workspace_id)
    held.forget_texts(workspace_id=workspace_id, texts=texts)
    is_named = RawSQL(_NAMED[connection.vendor], [bitmaps.as_parameter(texts)], BooleanField())  # noqa: S611 - texts of ours
    syncs = CohortSync.objects.filter(is_named, cohort__workspace_id=workspace_id).only("unmatched_sample")
    changed = list(syncs.order_by("pk"))
    for sync in changed:
        sync.unmatched_sample = [it for it in sync.unmatched_sample if it["identifier"] not in texts]
    CohortSync.objects.bulk_update(changed, ["unmatched_sample"], batch_size=CHUNK)


# The samples are looked through where they are: those of a month are too many to fetch.
_NAMED = {
    "postgresql": """
        EXISTS (
            SELECT FROM jsonb_array_elements(cohorts_cohortsync.unmatched_sample) e
            WHERE e->>'identifier' = ANY(%s)
        )
    """,
    "sqlite": """
        EXISTS (
            SELECT 1 FROM json_each(cohorts_cohortsync.unmatched_sample) e
            WHERE json_extract(e.value, '$.identifier') IN (SELECT value FROM json_each(%s))
        )
    """,
}


def described(*, workspace_id: int, profile_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the cohorts that each profile is in, by name."""
    cohorts = Cohort.objects.current().filter(workspace_id=workspace_id).order_by("name", "pk")
    by_id = {cohort.pk: cohort for cohort in cohorts.only("partner", "partner_cohort_id", "name")}
    members = membership.members(cohort_ids=list(by_id), within=BitMap(profile_ids))
    return {
        profile_id: {"cohorts": [_described(it) for it in by_id.values() if profile_id in members[it.pk]]}
        for profile_id in profile_ids
    }


def _described(cohort: Cohort) -> dict[str, str]:
    return {"name": cohort.name, "partner": cohort.partner, "partner_cohort_id": cohort.partner_cohort_id}
