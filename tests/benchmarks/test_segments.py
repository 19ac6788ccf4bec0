"""The statements that segments are held against select the same users: or their times could not be compared."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import segments, segments_data, segments_pages, segments_sql
from profiles import changes
from profiles.models import Profile
from segments import filters

PROFILES = 3_000
COHORTS = {"A": 1, "B": 2, "C": 3}
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EVERY = [*segments_sql.segments(COHORTS), *segments_sql.attributes()]


@pytest.mark.parametrize("segment", EVERY, ids=lambda segment: segment.name)
def test_segment_can_be_saved_and_its_statement_misses_no_parameter(segment):
    definition = segments_sql.definition(segment.root)
    assert filters.dump(filters.parse(definition)) == definition
    assert segment.sql % segments_sql.parameters(1, COHORTS, [1, 2, 3], NOW)


def test_there_are_ten_segments_of_different_names():
    assert len({segment.name for segment in segments_sql.segments(COHORTS)}) == 10


@pytest.fixture
def bench(transactional_db, workspace) -> Iterator[segments.Bench]:
    """A small population; its tables of yardsticks go with it."""
    segments_data.populate(PROFILES)
    cohorts, now = segments_data.cohort_ids(workspace.pk), timezone.now()
    events = segments_data.event_name_ids(workspace.pk)
    yield segments.Bench(
        workspace, PROFILES, now, segments_sql.parameters(workspace.pk, cohorts, events, now)
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE segments_yardstick, segments_yardstick_whole")


@pytest.mark.postgresql
def test_statements_count_what_the_application_counts_also_after_changes(bench):
    cohorts = segments_data.cohort_ids(bench.workspace.pk)
    every = [*segments_sql.segments(cohorts), *segments_sql.attributes()]
    before = [bench.count(one) for one in every]
    assert before == [bench.count_in_sql(one) for one in every]
    assert min(before) > 0
    _change_all(bench)
    after = [bench.count(one) for one in every]
    assert after == [bench.count_in_sql(one) for one in every]
    assert after != before


def _change_all(bench: segments.Bench) -> None:
    ids = list(Profile.objects.values_list("pk", flat=True).order_by("first_name", "email"))
    with transaction.atomic(), connection.cursor() as cursor:
        segments_data.change(cursor, ids[:1_000])
        for kind in (changes.Kind.ATTRIBUTES, changes.Kind.EVENTS):
            changes.record(workspace_id=bench.workspace.pk, kind=kind, profile_ids=ids)


@pytest.mark.postgresql
def test_population_is_made_once(bench):
    assert segments_data.populate(PROFILES) == bench.workspace.pk
    with pytest.raises(SystemExit):
        segments_data.populate(PROFILES + 1)


@pytest.mark.postgresql
def test_statements_that_read_blobs_are_counted_too(bench):
    with segments_pages.counted() as statements:
        bench.count(segments_sql.segments(segments_data.cohort_ids(bench.workspace.pk))[0])
    assert any("cohorts_cohort" in str(statement) for statement in statements)
