"""The scheduled work: what it keeps and for how long, and that it is scheduled at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from cohorts import tasks
from cohorts.models import Cohort, CohortSync
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members

pytestmark = pytest.mark.django_db


def test_idle_cohorts_are_folded(workspace):
    change_members(CohortFactory.create(), [1], now=timezone.now() - timedelta(minutes=5))
    assert tasks.compact_idle() == 1
    assert Cohort.objects.get().snapshot_sequence == 1


def test_clean_up_keeps_to_the_settings(workspace, settings):
    hours, days = settings.UNFINISHED_SYNC_HOURS, settings.UNMATCHED_SAMPLE_DAYS
    sample = [{"identifier": "kim", "reason": "unknown"}]
    for age in (timedelta(hours=hours - 1), timedelta(hours=hours + 1)):
        CohortSyncFactory.create(unfinished=True, started_at=timezone.now() - age)
    for age in (timedelta(days=days - 1), timedelta(days=days + 1)):
        CohortSyncFactory.create(started_at=timezone.now() - age, unmatched_sample=sample)
    assert tasks.clean_up() == {"syncs": 1, "pages": 0, "samples": 1, "held": 0, "deltas": 0}
    assert CohortSync.objects.filter(status="expired").count() == 1


def test_running_twice_finds_nothing_more_to_do(workspace):
    CohortSyncFactory.create(unfinished=True, started_at=timezone.now() - timedelta(days=30))
    tasks.clean_up()
    assert tasks.clean_up() == {"syncs": 0, "pages": 0, "samples": 0, "held": 0, "deltas": 0}
    assert tasks.compact_idle() == 0


def test_every_schedule_names_a_function_that_exists(db):
    functions = set(Schedule.objects.values_list("func", flat=True))
    assert {"cohorts.tasks.compact_idle", "cohorts.tasks.clean_up"} <= functions
    assert all(callable(import_string(function)) for function in functions)
