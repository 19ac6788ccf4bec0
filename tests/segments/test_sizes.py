"""Sizes day by day: exact, one a day, of active segments of every workspace, kept for as long as the setting says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.days import day_of
from accounts.models import Workspace
from segments import saving, sizes, tasks
from segments.models import SegmentSize, SegmentVersion
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def cohort(workspace):
    return CohortFactory(name="Lapsed", members=ProfileFactory.create_batch(2))


@pytest.fixture
def segment(cohort):
    return SegmentFactory.create(definition=definition(cohorts(cohort.pk)))


def totals() -> dict[date, int]:
    return dict(SegmentSize.objects.values_list("day", "total_count"))


def test_a_day_has_one_size_the_last_one(segment, cohort):
    assert sizes.record(now=NOON) == 1
    change_members(cohort, [ProfileFactory.create()])
    sizes.record(now=NOON + timedelta(hours=1))
    assert totals() == {date(2026, 3, 1): 3}
    assert SegmentSize.objects.get().measured_at == NOON + timedelta(hours=1)
    sizes.record_one(segment_id=segment.pk, now=NOON + timedelta(days=1))
    assert totals() == {date(2026, 3, 1): 3, date(2026, 3, 2): 3}


def test_days_are_those_of_utc(segment):
    at_night = datetime(2026, 3, 1, 23, 30, tzinfo=UTC).astimezone(timezone.get_fixed_timezone(120))
    assert day_of(at_night) == date(2026, 3, 1)


def test_every_workspace_has_its_sizes(segment, other_workspace):
    own = CohortFactory(workspace=other_workspace, members=[])
    SegmentFactory.create(workspace=other_workspace, definition=definition(cohorts(own.pk)))
    assert sizes.record(now=NOON) == 2
    assert sorted(SegmentSize.objects.values_list("total_count", flat=True)) == [0, 2]


def test_archived_segments_and_those_at_fault_have_none(segment, cohort):
    archived = SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    saving.archive(segment=archived, now=NOON)
    SegmentFactory.create(definition=definition(cohorts(987_654)))
    assert sizes.record(now=NOON) == 1
    sizes.record_one(segment_id=archived.pk, now=NOON)
    assert SegmentSize.objects.get().segment == segment


def test_many_segments_take_the_same_queries_as_one(segment, cohort):
    sizes.record(now=NOON)
    with CaptureQueriesContext(connection) as one:
        sizes.record(now=NOON)
    for _ in range(30):
        SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    with CaptureQueriesContext(connection) as many:
        assert sizes.record(now=NOON) == 31
    assert len(many) == len(one)


def test_sizes_are_found_by_segment_and_day(segment):
    for days in (0, 1, 2):
        sizes.record(now=NOON + timedelta(days=days))
    found = sizes.by_day(segment_ids=[segment.pk], since=date(2026, 3, 2))
    assert {day: size.total_count for day, size in found[segment.pk].items()} == {
        date(2026, 3, 2): 2,
        date(2026, 3, 3): 2,
    }


def test_every_night_sizes_are_noted_and_old_ones_forgotten(segment, settings):
    settings.SEGMENT_SIZE_DAYS = 400
    for days in (400, 401):
        sizes.record(now=timezone.now() - timedelta(days=days))
    assert tasks.keep_sizes() == {"recorded": 1, "forgotten": 1}
    assert tasks.keep_sizes() == {"recorded": 1, "forgotten": 0}
    assert SegmentSize.objects.count() == 2


def test_segments_that_are_there_begin_their_versions_with_what_they_are(segment, marketer, cohort):
    segment.updated_by = marketer
    segment.save()
    begun = SegmentFactory.create()
    saving.save(segment=begun, tags=[], by=None, now=NOON)
    migration = import_module("segments.migrations.0006_daily_sizes")
    for _ in range(2):
        migration.begin_versions(apps, None)
    version = SegmentVersion.objects.get(segment=segment)
    assert (version.number, version.definition, version.saved_by) == (1, segment.definition, marketer)
    assert version.saved_at == segment.updated_at
    assert begun.versions.count() == 1


def test_there_are_workspaces_without_segments(workspace):
    assert Workspace.objects.exists()
    assert sizes.record(now=NOON) == 0
