"""Data points: counted in the transaction of the change they count."""

from __future__ import annotations

from datetime import date

from django.db.models import F, Sum

from accounts.models import DataPointUsage

SHARDS = 16


def record(
    *, workspace_id: int, source: DataPointUsage.Source, day: date, count: int, shard_key: int
) -> None:
    """Add `count` data points to a workspace's day.

    The caller owns the transaction. `shard_key` spreads writers over rows: those that are already serialised
    (the imports of one cohort) pass the same number, others rarely meet in one row.
    """
    if not count:
        return
    row = {"workspace_id": workspace_id, "source": source, "day": day, "shard": shard_key % SHARDS}
    # Two statements that cannot fail a transaction: the row is made with 0 if it is missing, then added to.
    DataPointUsage.objects.bulk_create([DataPointUsage(**row, count=0)], ignore_conflicts=True)
    DataPointUsage.objects.filter(**row).update(count=F("count") + count)


def total(*, workspace_id: int, since: date) -> int:
    """Data points of a workspace from `since` (a day, included) on."""
    days = DataPointUsage.objects.filter(workspace_id=workspace_id, day__gte=since)
    return days.aggregate(total=Sum("count"))["total"] or 0
