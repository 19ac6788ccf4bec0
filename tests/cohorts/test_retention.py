"""What is kept for a while only, and what never goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cohorts import membership, retention
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import bitmaps
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members, members_of
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD = NOW - timedelta(days=500)
Status = CohortSync.Status


def staged_page(sync: CohortSync, created_at=OLD) -> CohortDelta:
    return CohortDelta.objects.create(
        cohort=sync.cohort,
        sync=sync,
        kind="page",
        page=1,
        members=bitmaps.pack(bitmaps.BitMap([1])),
        created_at=created_at,
    )


def test_unfinished_sync_expires_and_its_pages_are_dropped(workspace):
    sync = CohortSyncFactory.create(unfinished=True, started_at=OLD)
    page = staged_page(sync)
    assert retention.expire_unfinished(before=NOW - timedelta(hours=72), now=NOW) == 1
    sync.refresh_from_db()
    page.refresh_from_db()
    assert (sync.status, sync.finished_at) == (Status.EXPIRED, NOW)
    assert bytes(page.members) == b""


def test_sync_that_still_gets_pages_does_not_expire(workspace):
    CohortSyncFactory.create(unfinished=True, started_at=OLD, last_page_at=NOW)
    assert retention.expire_unfinished(before=NOW - timedelta(hours=72), now=NOW) == 0


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.SUPERSEDED, Status.EXPIRED])
def test_sync_that_is_over_does_not_expire(workspace, status):
    CohortSyncFactory.create(started_at=OLD, status=status)
    assert retention.expire_unfinished(before=NOW, now=NOW) == 0


def test_page_that_comes_between_look_and_lock_saves_its_sync(workspace, monkeypatch):
    sync = CohortSyncFactory.create(unfinished=True, started_at=OLD)
    real = retention._expire

    def page_comes_first(*args):
        CohortSync.objects.filter(pk=sync.pk).update(last_page_at=NOW)
        return real(*args)

    monkeypatch.setattr(retention, "_expire", page_comes_first)
    assert retention.expire_unfinished(before=NOW - timedelta(hours=1), now=NOW) == 0
    sync.refresh_from_db()
    assert sync.status == Status.RUNNING


def test_old_samples_are_forgotten_and_new_ones_kept(workspace):
    sample = [{"identifier": "kim", "reason": "unknown"}]
    old = CohortSyncFactory.create(started_at=OLD, unmatched_sample=sample, unknown_count=1)
    new = CohortSyncFactory.create(started_at=NOW, unmatched_sample=sample)
    CohortSyncFactory.create(started_at=OLD)
    assert retention.forget_samples(before=NOW - timedelta(days=30)) == 1
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.unmatched_sample, old.unknown_count) == ([], 1)
    assert new.unmatched_sample == sample


def test_old_folded_history_is_forgotten_and_members_stay(workspace):
    people = ProfileFactory.create_batch(3)
    cohort = CohortFactory.create()
    change_members(cohort, people[:2], now=OLD)
    membership.compact(cohort=Cohort.objects.get())
    change_members(cohort, people[2:], now=NOW)
    assert retention.forget_deltas(before=NOW - timedelta(days=400)) == 1
    assert members_of(cohort) == {person.pk for person in people}


def test_history_that_is_not_folded_is_never_forgotten(workspace):
    person = ProfileFactory.create()
    cohort = CohortFactory.create()
    change_members(cohort, [person], now=OLD)
    assert retention.forget_deltas(before=NOW) == 0
    assert members_of(cohort) == {person.pk}


def test_old_pages_of_ended_syncs_are_forgotten_and_those_of_running_ones_kept(workspace):
    staged_page(CohortSyncFactory.create(started_at=OLD))
    kept = staged_page(CohortSyncFactory.create(unfinished=True, started_at=OLD))
    staged_page(CohortSyncFactory.create(started_at=NOW), created_at=NOW)
    assert retention.forget_pages(before=NOW - timedelta(days=400)) == 1
    assert CohortDelta.objects.filter(pk=kept.pk).exists()
