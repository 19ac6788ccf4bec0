"""Data points: added up per workspace, source and day; parallel writers do not wait for each other."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date

import pytest
from django.db import OperationalError, connection, transaction

from accounts import usage
from accounts.models import DataPointUsage
from tests.profiles.open_transactions import open_transaction

pytestmark = pytest.mark.django_db
SOURCE, OTHER = DataPointUsage.Source.PARTNER_COHORTS, DataPointUsage.Source.CSV
MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)


def record(workspace, count, day=MONDAY, shard_key=1, source=SOURCE):
    usage.record(workspace_id=workspace.pk, source=source, day=day, count=count, shard_key=shard_key)


def per_day(workspace, since=MONDAY, until=WEDNESDAY):
    return usage.per_day(workspace_id=workspace.pk, since=since, until=until)


def test_counts_add_up(workspace):
    record(workspace, 3)
    record(workspace, 4)
    assert per_day(workspace) == {MONDAY: {SOURCE: 7}}
    assert DataPointUsage.objects.count() == 1


def test_nothing_is_written_for_nothing(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        record(workspace, 0)


def test_days_are_summed_over_all_shards_by_source_and_within_bounds(workspace):
    for shard_key in range(usage.SHARDS + 3):
        record(workspace, 1, shard_key=shard_key)
    record(workspace, 2, source=OTHER)
    record(workspace, 5, day=WEDNESDAY)
    assert per_day(workspace) == {MONDAY: {SOURCE: usage.SHARDS + 3, OTHER: 2}, WEDNESDAY: {SOURCE: 5}}
    assert per_day(workspace, since=TUESDAY) == {WEDNESDAY: {SOURCE: 5}}
    assert per_day(workspace, until=TUESDAY) == {MONDAY: {SOURCE: usage.SHARDS + 3, OTHER: 2}}


def test_workspaces_are_counted_apart(workspace, other_workspace):
    record(workspace, 3)
    assert per_day(other_workspace) == {}


# --- writers side by side ----------------------------------------------------------------------------------
def without_waiting(workspace, **more) -> None:
    """Record one data point, and fail rather than wait for somebody else's row."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
        record(workspace, 1, **more)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_writers_with_the_same_number_do_not_wait_for_each_other_until_all_rows_are_taken(workspace):
    with ExitStack() as open_ones:
        for _ in range(usage.SHARDS - 1):
            open_ones.enter_context(open_transaction(lambda: record(workspace, 1, shard_key=3)))
        without_waiting(workspace, shard_key=3)
        open_ones.enter_context(open_transaction(lambda: record(workspace, 1, shard_key=3)))
        with pytest.raises(OperationalError):  # so the test can tell
            without_waiting(workspace, shard_key=3)
    assert per_day(workspace) == {MONDAY: {SOURCE: usage.SHARDS + 1}}
    assert DataPointUsage.objects.count() == usage.SHARDS


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_writer_keeps_to_one_row_and_leaves_those_of_other_workspaces_alone(workspace, other_workspace):
    def write_twice() -> None:
        record(workspace, 1, day=MONDAY)
        record(workspace, 1, day=TUESDAY)

    with open_transaction(write_twice):
        without_waiting(other_workspace)
    assert set(DataPointUsage.objects.values_list("shard", flat=True)) == {1}
