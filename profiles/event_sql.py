"""The statements that keep totals of events: each takes all its rows at once, on both databases.

The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection

from profiles import bitmaps

# Of a workspace: kind, name, currency.
Named = tuple[str, str, str]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - SQLite keeps UTC without saying so

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
# PostgreSQL takes columns, which it reads in half the time of rows as JSON; times are microseconds since 1970.
_ADD_TOTALS = {
    "postgresql": """
        INSERT INTO profiles_customevent AS e
            (name_id, profile_id, count, first_at, last_at, days, quantity, revenue)
        SELECT r.name_id, r.profile_id, r.count, 'epoch'::timestamptz + r.first_at * interval '1 microsecond',
            'epoch'::timestamptz + r.last_at * interval '1 microsecond', r.days, r.quantity, r.revenue
        FROM unnest(
            %s::bigint[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::jsonb[], %s::bigint[],
            %s::numeric[]
        ) AS r(name_id, profile_id, count, first_at, last_at, days, quantity, revenue)
        ON CONFLICT (name_id, profile_id) DO UPDATE SET
            count = e.count + excluded.count,
            first_at = least(e.first_at, excluded.first_at),
            last_at = greatest(e.last_at, excluded.last_at),
            days = CASE WHEN excluded.days = '{}' THEN e.days ELSE (
                SELECT jsonb_object_agg(d.key, d.n) FROM (
                    SELECT b.key, sum(b.value::bigint) AS n FROM (
                        SELECT * FROM jsonb_each_text(e.days)
                        UNION ALL SELECT * FROM jsonb_each_text(excluded.days)
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


def insert_names(*, workspace_id: int, names: Iterable[Named]) -> None:
    """Make names that are missing; in one order for all, so that nobody waits in a circle."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_NAMES[connection.vendor], [workspace_id, _json(sorted(names))])


def select_names(*, workspace_id: int, names: Iterable[Named]) -> dict[Named, int]:
    """Return the ids of names that are there."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_NAMES[connection.vendor], [_json(list(names)), workspace_id])
        return {(kind, name, currency): name_id for kind, name, currency, name_id in cursor.fetchall()}


def add_totals(*, columns: Sequence[Sequence[Any]], first_day: str) -> None:
    """Add totals to those that are there; days before `first_day` go.

    Columns: id of the name, id of the profile, count, first and last (microseconds since 1970), days (JSON),
    quantity, revenue (text). Rows are in the order of the first two, so that nobody waits in a circle.
    """
    if connection.vendor == "postgresql":
        return bitmaps.store(_ADD_TOTALS["postgresql"], [*map(_array, columns), first_day])
    name_ids, profile_ids, counts, *moments, days, quantities, revenues = columns
    firsts, lasts = ([str(_EPOCH + timedelta(microseconds=it)) for it in column] for column in moments)
    rows = zip(name_ids, profile_ids, counts, firsts, lasts, days, quantities, revenues, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_ADD_TOTALS["sqlite"], [_json(list(rows)), first_day])
    return None


def _array(values: Sequence[Any]) -> str:
    """Return numbers, or JSON, as PostgreSQL writes an array."""
    if isinstance(values[0], str):
        quoted = [value.replace('"', '\\"') for value in values]
        return '{"' + '","'.join(quoted) + '"}'
    return "{" + ",".join(map(str, values)) + "}"


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
