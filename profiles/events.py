"""Totals of what users did: every event of every door is added here, by one statement however many there are.

Who calls holds the profiles still, so that nobody who is merged or erased meanwhile gets events: either their rows
are locked (`/users/track`) or the workspace's imports are (`csv_sql.lock_imports`, event imports). The order in
which writers lock is: profiles, receipts, names, totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from pyroaring import BitMap

from profiles import changes
from profiles.models import EventName

Kind = EventName.Kind
# Of a workspace: kind, name, currency.
Named = tuple[str, str, str]

EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)  # what happened before is never counted
MAX_NAME_LENGTH = 255
KEPT_DAYS = timedelta(days=90)
_MAX_CACHED_NAMES = 50_000
_ZERO = Decimal(0)

# Names are never deleted, so an id that was committed once holds as long as the process.
_ids_of_names: dict[tuple[int, Named], int] = {}

_INSERT_NAMES = {
    "postgresql": """
        INSERT INTO profiles_eventname (workspace_id, kind, name, currency)
        SELECT %s, r.value->>0, r.value->>1, r.value->>2 FROM json_array_elements(%s::json) AS r(value)
        ON CONFLICT DO NOTHING
    """,
    "sqlite": """
        INSERT INTO profiles_eventname (workspace_id, kind, name, currency)
        SELECT %s, r.value->>0, r.value->>1, r.value->>2 FROM json_each(%s) AS r WHERE true
        ON CONFLICT DO NOTHING
    """,
}
_SELECT_NAMES = {
    "postgresql": """
        SELECT n.kind, n.name, n.currency, n.id FROM json_array_elements(%s::json) AS r(value)
        JOIN profiles_eventname n ON n.workspace_id = %s
            AND n.kind = r.value->>0 AND n.name = r.value->>1 AND n.currency = r.value->>2
    """,
    "sqlite": """
        SELECT n.kind, n.name, n.currency, n.id FROM json_each(%s) AS r
        CROSS JOIN profiles_eventname n ON n.workspace_id = %s
            AND n.kind = r.value->>0 AND n.name = r.value->>1 AND n.currency = r.value->>2
    """,
}
# Days are merged only when there are new ones; until then, old ones that are over stay unseen in the row.
_UPSERT = {
    "postgresql": """
        INSERT INTO profiles_customevent AS e
            (name_id, profile_id, count, first_at, last_at, days, quantity, revenue)
        SELECT (r.value->>0)::bigint, (r.value->>1)::integer, (r.value->>2)::bigint,
            (r.value->>3)::timestamp AT TIME ZONE 'UTC', (r.value->>4)::timestamp AT TIME ZONE 'UTC',
            (r.value->>5)::jsonb, (r.value->>6)::bigint, (r.value->>7)::numeric
        FROM json_array_elements(%s::json) AS r(value)
        ON CONFLICT (name_id, profile_id) DO UPDATE SET
            count = e.count + excluded.count,
            first_at = least(e.first_at, excluded.first_at),
            last_at = greatest(e.last_at, excluded.last_at),
            days = CASE WHEN excluded.days = '{}' THEN e.days ELSE (
                SELECT jsonb_object_agg(d.key, d.n) FROM (
                    SELECT b.key, sum(b.value::bigint) AS n FROM (
                        SELECT * FROM jsonb_each_text(e.days) UNION ALL SELECT * FROM jsonb_each_text(excluded.days)
                    ) b WHERE b.key >= %s GROUP BY b.key
                ) d
            ) END,
            quantity = e.quantity + excluded.quantity,
            revenue = e.revenue + excluded.revenue
    """,
    "sqlite": """
        INSERT INTO profiles_customevent AS e
            (name_id, profile_id, count, first_at, last_at, days, quantity, revenue)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4, r.value->>5, r.value->>6,
            CAST(r.value->>7 AS NUMERIC)
        FROM json_each(%s) AS r WHERE true
        ON CONFLICT (name_id, profile_id) DO UPDATE SET
            count = e.count + excluded.count,
            first_at = min(e.first_at, excluded.first_at),
            last_at = max(e.last_at, excluded.last_at),
            days = CASE WHEN excluded.days = '{}' THEN e.days ELSE (
                SELECT json_group_object(d.key, d.n) FROM (
                    SELECT b.key, sum(b.value) AS n FROM (
                        SELECT key, value FROM json_each(e.days)
                        UNION ALL SELECT key, value FROM json_each(excluded.days)
                    ) b WHERE b.key >= %s GROUP BY b.key
                ) d
            ) END,
            quantity = e.quantity + excluded.quantity,
            revenue = round(e.revenue + excluded.revenue, 4)
    """,
}


class Occurrence(NamedTuple):
    """That a profile did something: once, or `count` times at one moment. Purchases have the last two."""

    profile_id: int
    kind: str
    name: str
    currency: str
    at: datetime
    count: int = 1  # type: ignore[assignment]  # a tuple's method of that name is of no use here
    quantity: int = 0
    revenue: Decimal = _ZERO


def record(*, workspace_id: int, occurrences: Iterable[Occurrence], now: datetime) -> BitMap:
    """Add events to the totals of their profiles, mark those as changed, and return their ids.

    What is said to happen after `now` happens now. Names have at most MAX_NAME_LENGTH characters, and nothing is
    before EARLIEST: who reads the input sees to it. The caller owns the transaction and holds the profiles still
    (see above). Five queries at most.
    """
    totals = _totals(occurrences, now)
    if not totals:
        return BitMap()
    ids = _ids(workspace_id, {named for named, _ in totals})
    # In the order of the primary key: two writers never wait for each other in a circle.
    rows = sorted((ids[named], profile_id, *total) for (named, profile_id), total in totals.items())
    add(rows=rows, now=now)
    profile_ids = BitMap([row[1] for row in rows])
    changes.record(workspace_id=workspace_id, kind=changes.Kind.EVENTS, profile_ids=profile_ids)
    return profile_ids


def add(*, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Add to totals, in the order of the rows, which is that of their primary key.

    A row is the name's id, the profile's id, count, first, last (in UTC, without a zone), days as JSON, quantity,
    revenue as text.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT[connection.vendor], [_json(rows), _first_day(now).isoformat()])


def _first_day(now: datetime) -> date:
    return (now - KEPT_DAYS).astimezone(UTC).date()


def _totals(occurrences: Iterable[Occurrence], now: datetime) -> dict[tuple[Named, int], list[Any]]:
    """Return count, first, last, days (as JSON), quantity and revenue by name and profile."""
    kept = _first_day(now)
    totals: dict[tuple[Named, int], list[Any]] = {}
    for profile_id, kind, name, currency, said_at, count, quantity, revenue in occurrences:
        at = min(said_at, now).astimezone(UTC)
        total = totals.setdefault(((kind, name, currency), profile_id), [0, at, at, {}, 0, _ZERO])
        total[0] += count
        total[1] = min(total[1], at)
        total[2] = max(total[2], at)
        if (day := at.date()) >= kept:
            total[3][day.isoformat()] = total[3].get(day.isoformat(), 0) + count
        total[4] += quantity
        total[5] += revenue
    for total in totals.values():
        total[1:4] = [str(total[1].replace(tzinfo=None)), str(total[2].replace(tzinfo=None)), _json(total[3])]
        total[5] = str(total[5])
    return totals


# --- names -----------------------------------------------------------------------------------------------------
def _ids(workspace_id: int, wanted: Iterable[Named]) -> dict[Named, int]:
    """Return the id of each name, which is made if there is none."""
    found = {it: _ids_of_names.get((workspace_id, it)) for it in wanted}
    known = {it: name_id for it, name_id in found.items() if name_id is not None}
    if missing := sorted(found.keys() - known.keys()):
        seen = _select(workspace_id, missing)
        if new := [it for it in missing if it not in seen]:
            with connection.cursor() as cursor:
                cursor.execute(_INSERT_NAMES[connection.vendor], [workspace_id, _json(new)])
            seen |= _select(workspace_id, new)
        transaction.on_commit(lambda: _remember(workspace_id, seen))
        known |= seen
    return known


def _select(workspace_id: int, names: Sequence[Named]) -> dict[Named, int]:
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_NAMES[connection.vendor], [_json(names), workspace_id])
        return {(kind, name, currency): name_id for kind, name, currency, name_id in cursor.fetchall()}


def _remember(workspace_id: int, ids: dict[Named, int]) -> None:
    """Keep ids that are committed: those of a transaction that is rolled back are nobody's."""
    if len(_ids_of_names) > _MAX_CACHED_NAMES:
        _ids_of_names.clear()
    _ids_of_names.update({(workspace_id, named): name_id for named, name_id in ids.items()})


def forget_names() -> None:
    """Forget all ids: the tables were emptied (tests do that)."""
    _ids_of_names.clear()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
