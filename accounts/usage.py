"""Data points: counted in the transaction of the change they count."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.db.models import Sum

from accounts.models import DataPointUsage

SHARDS = 16
# One statement, which cannot fail a transaction. Written out: it runs with every page and request.
_ADD = """
    INSERT INTO accounts_datapointusage AS u (workspace_id, day, source, shard, count) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (workspace_id, day, source, shard) DO UPDATE SET count = u.count + excluded.count
"""


def record(
    *, workspace_id: int, source: DataPointUsage.Source, day: date, count: int, shard_key: int
) -> None:
    """Add `count` data points to a workspace's day.

    The caller owns the transaction. `shard_key` spreads writers over rows: those that are already serialised
    (the imports of one cohort) pass the same number, others rarely meet in one row.
    """
    if not count:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [workspace_id, day, source, shard_key % SHARDS, count])


def total(*, workspace_id: int, since: date) -> int:
    """Data points of a workspace from `since` (a day, included) on."""
    days = DataPointUsage.objects.filter(workspace_id=workspace_id, day__gte=since)
    return days.aggregate(total=Sum("count"))["total"] or 0
