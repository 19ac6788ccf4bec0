"""The change marker: which profiles changed since when, as one small bitmap per writing transaction.

Sets derived from profiles (the universe, filter bitmaps) are repaired from it, so every write to a profile, to its
identifiers or its events calls `record` in its transaction: one INSERT, however many profiles it wrote. An indexed
time on each profile would cost every update an entry in each of the table's indexes.
Creating or erasing a profile is a change of its existence, which every reader looks at; `Recorded.since` adds it.

Race-prone, so the order matters:
1. A reader takes `as_of` before it looks at anything: no transaction that is open then, and has begun to write,
   began before it. Those that only read for hours, a backup say, hold nobody up.
2. A writer's record bears the database's clock at a moment when its transaction was known to write.
3. So whatever a reader did not see yet was recorded at or after its `as_of`, and is looked at by the next repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Max
from django.db.models.functions import TruncHour
from pyroaring import BitMap

from profiles import bitmaps
from profiles.models import ProfileChange

Kind = ProfileChange.Kind
# SQLite has one writer at a time and tells nobody when it began; none holds its transaction this long.
SQLITE_OVERLAP = timedelta(seconds=60)
# A PostgreSQL backend takes its transaction's time a moment before it shows it to others.
REPORTING_DELAY = timedelta(seconds=1)
# Sets that were not repaired for so long are computed anew.
RETENTION = timedelta(days=7)
FOLD_AFTER = timedelta(minutes=10)

# On PostgreSQL the clock is read when the transaction has its number, by which readers see that it writes.
CLOCK = {
    "postgresql": "CASE WHEN pg_current_xact_id() IS NOT NULL THEN CLOCK_TIMESTAMP() END",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
}
_RECORD = (
    "INSERT INTO profiles_profilechange (workspace_id, changed_at, kind, members) VALUES (%s, {}, %s, %s)"
)


def record(*, workspace_id: int, kind: Kind, profile_ids: Iterable[int]) -> None:
    """Mark profiles as changed from this transaction's commit on. The caller owns the transaction."""
    members = BitMap(profile_ids)
    if members:
        bitmaps.store(
            _RECORD.format(CLOCK[connection.vendor]),
            [workspace_id, kind.value, bitmaps.pack(members)],
        )


@dataclass(frozen=True)
class Recorded:
    """What was recorded at or after a moment: time, kind and profiles of each record."""

    records: Sequence[tuple[datetime, str, BitMap]]

    def since(self, *, kind: Kind, moment: datetime) -> BitMap:
        """Return the profiles marked at or after a later moment, maybe some more.

        Those created or erased since are always among them.
        """
        kinds = {kind.value, Kind.EXISTENCE.value}
        found = [members for at, name, members in self.records if name in kinds and at >= moment]
        return BitMap.union(BitMap(), *found)


def is_kept_since(moment: datetime) -> bool:
    """Whether all that was recorded since a moment is still there."""
    return moment >= datetime.now(UTC) - RETENTION


def recorded(*, workspace_id: int, moment: datetime) -> Recorded:
    """Return what was recorded at or after `moment`; of what is no longer kept, nothing is said."""
    rows = bitmaps.fetch(
        "SELECT changed_at, kind, members FROM profiles_profilechange "
        "WHERE workspace_id = %s AND changed_at >= %s",
        [workspace_id, stamp(moment)],
    )
    return Recorded([(aware(changed_at), kind, bitmaps.unpack(blob)) for changed_at, kind, blob in rows])


def as_of() -> datetime:
    """Return a time that no open transaction of this database which writes began before, this one included."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute(f"SELECT {CLOCK['sqlite']}", [])
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC) - SQLITE_OVERLAP
        cursor.execute(
            "SELECT least(now(), min(xact_start)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_xid IS NOT NULL"
        )
        oldest: datetime = cursor.fetchone()[0]
        return oldest - REPORTING_DELAY


def stamp(moment: datetime) -> datetime:
    """Return a moment as the database compares it in SQL that is written out."""
    return moment if connection.vendor == "postgresql" else moment.astimezone(UTC).replace(tzinfo=None)


def aware(value: datetime | str) -> datetime:
    """Return a moment as Python compares it, of what the database answers to SQL that is written out."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def tidy(*, now: datetime) -> int:
    """Fold the records of each past hour into one and drop those nobody asks for; return how many rows went.

    A folded record bears the newest of its times: asked since a moment in between, it names some profiles too many,
    which are looked at in vain. Owns its transactions.
    """
    dropped, _ = ProfileChange.objects.filter(changed_at__lt=now - RETENTION - timedelta(days=1)).delete()
    hours = (
        ProfileChange.objects.filter(changed_at__lt=now - FOLD_AFTER)
        .values("workspace_id", "kind", hour=TruncHour("changed_at"))
        .annotate(rows=Count("pk"), newest=Max("changed_at"))
        .filter(rows__gt=1)
    )
    return dropped + sum(
        _fold(row["workspace_id"], row["kind"], since=row["hour"], until=row["newest"]) for row in hours
    )


def _fold(workspace_id: int, kind: str, *, since: datetime, until: datetime) -> int:
    with transaction.atomic():
        rows = ProfileChange.objects.filter(
            workspace_id=workspace_id, kind=kind, changed_at__gte=since, changed_at__lte=until
        ).select_for_update()
        found = {row.pk: bitmaps.unpack(row.members) for row in rows}
        ProfileChange.objects.filter(pk__in=found).delete()
        union = BitMap.union(BitMap(), *found.values())
        ProfileChange.objects.create(
            workspace_id=workspace_id, kind=kind, changed_at=until, members=bitmaps.pack(union)
        )
    return len(found) - 1
