"""Data points: counted in the transaction of the change they count, in rows that parallel writers do not share.

A row that a transaction has added to is locked until it commits, so each day and source of a workspace is kept in
SHARDS rows. On PostgreSQL a writer takes the first of them that nobody else is writing to, beginning at its
`shard_key`; only if all are taken does it wait for one. SQLite has one writer at a time, who never meets another.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from django.db import connection
from django.db.models import Sum

from accounts.models import DataPointUsage

SHARDS = 16
# The number of no other advisory lock of this database (see profiles/locks.py); they end with the transaction.
_LOCK = 0x504F494E
# One statement, which cannot fail a transaction. Written out: it runs with every page and request.
_ADD = """
    INSERT INTO accounts_datapointusage AS u (workspace_id, day, source, shard, count) VALUES (%s, %s, %s, {shard}, %s)
    ON CONFLICT (workspace_id, day, source, shard) DO UPDATE SET count = u.count + excluded.count
"""
# The rows are looked at one by one, and no further than to the first whose lock is to be had.
_FREE_SHARD = f"""coalesce((
    SELECT shard %% {SHARDS} FROM generate_series(%s, %s) AS shard
    WHERE pg_try_advisory_xact_lock({_LOCK}, (%s * {SHARDS} + shard %% {SHARDS})::integer) LIMIT 1
), %s)"""  # noqa: S608 - numbers of ours


def record(
    *, workspace_id: int, source: DataPointUsage.Source, day: date, count: int, shard_key: int
) -> None:
    """Add `count` data points to a workspace's day.

    The caller owns the transaction. `shard_key` spreads writers over rows: those that are already serialised
    (the imports of one cohort) pass the same number.
    """
    if not count:
        return
    first = shard_key % SHARDS
    if connection.vendor == "postgresql":
        shard, which = _FREE_SHARD, [first, first + SHARDS - 1, workspace_id, first]
    else:
        shard, which = "%s", [first]
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(shard=shard), [workspace_id, day, source, *which, count])


def per_day(*, workspace_id: int, since: date, until: date) -> dict[date, dict[str, int]]:
    """Return the data points of each day from `since` to `until`, both included, by source; days without are left out."""
    found: dict[date, dict[str, int]] = defaultdict(dict)
    days = DataPointUsage.objects.filter(workspace_id=workspace_id, day__range=(since, until))
    sums = days.values_list("day", "source").annotate(Sum("count")).order_by("day")
    for day, source, count in sums:
        found[day][source] = count
    return dict(found)
