from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule

from accounts import heartbeat, tasks
from accounts.models import Heartbeat

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_worker_that_never_beat_is_late():
    assert heartbeat.age(now=NOW) is None
    assert heartbeat.is_late(now=NOW)


@pytest.mark.parametrize(
    ("silence", "is_late"), [(0, False), (180, False), (181, True), (86_400, True), (-5, False)]
)
def test_worker_is_late_after_three_minutes_of_silence(silence, is_late):
    heartbeat.beat(now=NOW - timedelta(seconds=silence))
    assert heartbeat.age(now=NOW) == timedelta(seconds=silence)
    assert heartbeat.is_late(now=NOW) is is_late


def test_last_beat_counts_and_is_the_only_one_kept(django_assert_num_queries):
    heartbeat.beat(now=NOW - timedelta(hours=1))
    with django_assert_num_queries(1):
        heartbeat.beat(now=NOW)
    assert Heartbeat.objects.get().beat_at == NOW


def test_scheduled_job_beats_now():
    schedule = Schedule.objects.get(func="accounts.tasks.beat")
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)
    tasks.beat()
    assert not heartbeat.is_late(now=timezone.now())
