"""What is kept for a while only: unfinished syncs, samples of unmatched identifiers, old history."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from cohorts import held, membership_pages
from cohorts.models import Cohort, CohortDelta, CohortSync


def expire_unfinished(*, before: datetime, now: datetime) -> int:
    """Give up syncs whose last page came before `before`. They never changed their cohorts, and now never will."""
    waiting = CohortSync.objects.unfinished_since(before).values_list("id", "cohort_id")
    return sum(_expire(sync_id, cohort_id, before, now) for sync_id, cohort_id in list(waiting))


def _expire(sync_id: int, cohort_id: int, before: datetime, now: datetime) -> int:
    with transaction.atomic():
        # The cohort's lock, as for an import: a page that comes meanwhile is applied before, or finds it expired.
        Cohort.objects.without_members().select_for_update(no_key=True).get(pk=cohort_id)
        waiting = CohortSync.objects.unfinished_since(before).filter(pk=sync_id)
        expired = waiting.update(status=CohortSync.Status.EXPIRED, finished_at=now)
        if expired:
            membership_pages.drop(sync_ids=[sync_id])
            held.forget_syncs(sync_ids=[sync_id])
    return expired


def forget_samples(*, before: datetime) -> int:
    """Empty the samples of syncs that ended before `before`: they hold identifiers of people."""
    return (
        CohortSync.objects.filter(last_page_at__lt=before)
        .exclude(unmatched_sample=[])
        .update(unmatched_sample=[])
    )


def forget_pages(*, before: datetime) -> int:
    """Delete the pages of full syncs that ended before `before`: no partner repeats them any more."""
    pages = CohortDelta.objects.filter(kind=CohortDelta.Kind.PAGE, sync__last_page_at__lt=before)
    return pages.exclude(sync__status=CohortSync.Status.RUNNING).delete()[0]


def forget_deltas(*, before: datetime) -> int:
    """Delete folded deltas older than `before`; the snapshots include them."""
    folded = CohortDelta.objects.filter(created_at__lt=before, sequence__lte=F("cohort__snapshot_sequence"))
    return folded.delete()[0]
