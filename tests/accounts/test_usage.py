"""Data points: added up per workspace, source and day."""

from __future__ import annotations

from datetime import date

import pytest

from accounts import usage
from accounts.models import DataPointUsage

pytestmark = pytest.mark.django_db
SOURCE = DataPointUsage.Source.PARTNER_COHORTS
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def record(workspace, count, day=MONDAY, shard_key=1):
    usage.record(workspace_id=workspace.pk, source=SOURCE, day=day, count=count, shard_key=shard_key)


def test_counts_add_up(workspace):
    record(workspace, 3)
    record(workspace, 4)
    assert usage.total(workspace_id=workspace.pk, since=MONDAY) == 7
    assert DataPointUsage.objects.count() == 1


def test_nothing_is_written_for_nothing(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        record(workspace, 0)


def test_total_counts_from_its_day_on_and_over_all_shards(workspace):
    for shard_key in range(usage.SHARDS + 3):
        record(workspace, 1, shard_key=shard_key)
    record(workspace, 5, day=TUESDAY)
    assert usage.total(workspace_id=workspace.pk, since=MONDAY) == usage.SHARDS + 8
    assert usage.total(workspace_id=workspace.pk, since=TUESDAY) == 5
    assert DataPointUsage.objects.filter(day=MONDAY).count() == usage.SHARDS


def test_workspaces_are_counted_apart(workspace, other_workspace):
    record(workspace, 3)
    assert usage.total(workspace_id=other_workspace.pk, since=MONDAY) == 0
