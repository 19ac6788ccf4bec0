"""The universe of a workspace: the exact set of its live profiles, repaired instead of recomputed.

Race-prone, so the order matters:
1. `as_of` is read before the changes: no transaction that is open now began before it.
2. Every write to a profile sets `changed_at` to the database's clock, which is never before its transaction began.
3. So whatever was not visible to this repair has `changed_at >= as_of` and is looked at again by the next one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models.functions import Now
from pyroaring import BitMap

from profiles import bitmaps
from profiles.models import Profile, Universe

# SQLite has one writer at a time and tells nobody when it began; none holds its transaction this long.
SQLITE_OVERLAP = timedelta(seconds=60)
# A PostgreSQL backend takes its transaction's time a moment before it shows it to others.
REPORTING_DELAY = timedelta(seconds=1)
# Fewer changes than this are cheaper to look at again than to store.
STORE_AFTER_CHANGES = 1_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = 100_000


def live(*, workspace_id: int) -> BitMap:
    """Return the ids of all live profiles of a workspace; the caller may change the bitmap."""
    rows = bitmaps.fetch(
        "SELECT members, as_of FROM profiles_universe WHERE workspace_id = %s", [workspace_id]
    )
    members, known_until = (bitmaps.unpack(rows[0][0]), _aware(rows[0][1])) if rows else (BitMap(), BEGINNING)
    as_of = _oldest_open_transaction()
    present = changed_ids(workspace_id=workspace_id, since=known_until, is_live=True)
    gone = changed_ids(workspace_id=workspace_id, since=known_until, is_live=False)
    members |= present
    members -= gone
    if len(present) + len(gone) >= STORE_AFTER_CHANGES:
        _store(workspace_id, members, as_of)
    return members


def changed_ids(*, workspace_id: int, since: datetime, is_live: bool) -> BitMap:
    """Return the profiles changed at or after `since` that are live, or that are erased.

    Ids leave PostgreSQL packed: 1 s for 5 million, where rows take 3 to 11 s.
    """
    condition = "deleted_at IS NULL" if is_live else "deleted_at IS NOT NULL"
    where = f"workspace_id = %s AND changed_at >= %s AND {condition}"
    if connection.vendor == "postgresql":
        sql = f"SELECT string_agg(int4send(id), ''::bytea) FROM profiles_profile WHERE {where}"  # noqa: S608
        return BitMap(bitmaps.from_packed_ids(bitmaps.fetch(sql, [workspace_id, since])[0][0]))
    members = BitMap()
    with connection.cursor() as cursor:
        sql = f"SELECT id FROM profiles_profile WHERE {where}"  # noqa: S608
        cursor.execute(sql, [workspace_id, since.replace(tzinfo=None)])
        while rows := cursor.fetchmany(CHUNK):
            members.update(row[0] for row in rows)
    return members


def _oldest_open_transaction() -> datetime:
    """Return a time no open transaction of this database began before, this one included."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", [])
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC) - SQLITE_OVERLAP
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(now(), min(xact_start)) FROM pg_stat_activity WHERE datname = current_database()"
        )
        oldest: datetime = cursor.fetchone()[0]
        return oldest - REPORTING_DELAY


def _aware(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _store(workspace_id: int, members: BitMap, as_of: datetime) -> None:
    members.run_optimize()  # dense ids are a handful of runs: a few bytes instead of a megabyte
    # Never replace a newer one: a slow reader may end after a fast one that began later.
    Universe.objects.bulk_create(
        [Universe(workspace_id=workspace_id, members=bitmaps.pack(BitMap()), as_of=BEGINNING)],
        ignore_conflicts=True,
    )
    stamp = as_of if connection.vendor == "postgresql" else as_of.replace(tzinfo=None)
    bitmaps.store(
        "UPDATE profiles_universe SET members = %s, as_of = %s WHERE workspace_id = %s AND as_of < %s",
        [bitmaps.pack(members), stamp, workspace_id, stamp],
    )


def touch(*, workspace_id: int, profile_ids: list[int]) -> None:
    """Mark profiles as changed now, by the database's clock."""
    Profile.objects.filter(workspace_id=workspace_id, id__in=profile_ids).update(changed_at=Now())
