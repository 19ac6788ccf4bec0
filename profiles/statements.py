"""The statements that write profiles: each takes all its rows as one JSON parameter, on both databases.

The caller owns the transaction. A row is a mapping by column; `columns` says which of them are read or written, so
that a statement carries no more than it changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from django.db import connection

from profiles import bitmaps

# Columns that are no text.
TYPES = {
    "id": "integer",
    "date_of_birth": "date",
    "first_session_at": "timestamptz",
    "last_session_at": "timestamptz",
    "deleted_at": "timestamptz",
    "push_tokens": "jsonb",
    "custom_attributes": "jsonb",
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Dialect:
    """What the two databases call the same things."""

    now: str
    one_of: str
    lock: str


_DIALECTS = {
    "postgresql": _Dialect(
        now="STATEMENT_TIMESTAMP()", one_of="= ANY(%s::integer[])", lock="FOR NO KEY UPDATE"
    ),
    "sqlite": _Dialect(
        now="STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
        one_of="IN (SELECT value FROM json_each(%s))",
        lock="",  # one writer at a time
    ),
}
_RESERVE_IDS = "SELECT nextval(pg_get_serial_sequence('profiles_profile', 'id')) FROM generate_series(1, %s)"
_NEWEST_ID = "SELECT seq FROM sqlite_sequence WHERE name = 'profiles_profile'"


def reserve_ids(*, count: int) -> Sequence[int]:
    """Return ids for new profiles that were never anybody's."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_RESERVE_IDS, [count])
            return [profile_id for (profile_id,) in cursor.fetchall()]
        cursor.execute(_NEWEST_ID)
        newest = cursor.fetchone()
        first = (newest[0] if newest else 0) + 1
        return range(first, first + count)


def lock_profiles(
    *, workspace_id: int, profile_ids: Iterable[int], columns: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Return the columns of live profiles by id, and make other writers of these wait for the transaction's end.

    In the order of ids, so that two writers never wait for each other in a circle. One that was erased or merged
    away meanwhile is missing from the answer.
    """
    ids = sorted(profile_ids)
    dialect = _dialect()
    sql = f"""
        SELECT id{"".join(f", {name}" for name in columns)} FROM profiles_profile
        WHERE id {dialect.one_of} AND +workspace_id = %s AND deleted_at IS NULL ORDER BY id {dialect.lock}
    """  # noqa: S608 - names of columns of ours
    with connection.cursor() as cursor:
        cursor.execute(sql, [bitmaps.as_parameter(ids), workspace_id])
        rows = {
            profile_id: dict(zip(columns, values, strict=True)) for profile_id, *values in cursor.fetchall()
        }
    for name in TYPES.keys() & set(columns):
        for row in rows.values():
            row[name] = _read(name, row[name])
    return rows


def external_ids(*, workspace_id: int, profile_ids: Collection[int]) -> dict[int, str | None]:
    """Return the external id, None for an anonymous profile, of each live profile. Locks nothing."""
    sql = f"""
        SELECT id, external_id FROM profiles_profile
        WHERE id {_dialect().one_of} AND +workspace_id = %s AND deleted_at IS NULL
    """  # noqa: S608 - one of the two above
    with connection.cursor() as cursor:
        cursor.execute(sql, [bitmaps.as_parameter(profile_ids), workspace_id])
        return dict(cursor.fetchall())


def insert_profiles(*, workspace_id: int, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert profiles; each row has an `id` that was reserved. What `columns` leave out is blank."""
    names = ["id", *_with_needed(columns)]
    sql = f"""
        INSERT INTO profiles_profile (workspace_id, {", ".join(names)})
        SELECT %s, {", ".join(f"s.{name}" for name in names)} FROM {_source(names)}
    """  # noqa: S608 - names of columns of ours
    _run(sql, [workspace_id, _json([{**NEEDED, **row} for row in rows])])


def update_profiles(*, workspace_id: int, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write the columns of profiles that the caller has locked; each row has its `id`."""
    sql = f"""
        UPDATE profiles_profile AS p
        SET {"".join(f"{name} = s.{name}, " for name in columns)}changed_at = {_dialect().now}
        FROM {_source(["id", *columns])} WHERE p.id = s.id AND +p.workspace_id = %s
    """  # noqa: S608 - names of columns of ours
    _run(sql, [_json(rows), workspace_id])


def insert_identifiers(*, workspace_id: int, rows: Sequence[tuple[int, str]]) -> None:
    """Insert identifiers; a row is profile id and key. Raises IntegrityError if one exists.

    In the order of their keys, so that two writers never wait for each other in a circle.
    """
    source = {
        "postgresql": "SELECT (r.value->>0)::integer AS id, r.value->>1 AS key FROM json_array_elements(%s::json) r",
        "sqlite": "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS key FROM json_each(%s)",
    }
    sql = f"""
        INSERT INTO profiles_identifier (workspace_id, key, profile_id)
        SELECT %s, s.key, s.id FROM ({source[connection.vendor]}) AS s
    """  # noqa: S608 - one of the two above
    _run(sql, [workspace_id, _json(sorted(rows, key=lambda row: row[1]))])


# Columns without a default in the database.
NEEDED: dict[str, Any] = {
    **dict.fromkeys(
        ("email", "first_name", "last_name", "phone", "country", "language", "time_zone"),
        "",
    ),
    "custom_attributes": {},
}


def _with_needed(columns: Collection[str]) -> list[str]:
    return [*NEEDED, *(name for name in columns if name not in NEEDED)]


def _dialect() -> _Dialect:
    return _DIALECTS[connection.vendor]


def _source(names: Sequence[str]) -> str:
    """Return the JSON parameter as a table `s` of columns."""
    if connection.vendor == "postgresql":
        columns = ", ".join(f"{name} {TYPES.get(name, 'text')}" for name in names)
        return f"json_to_recordset(%s::json) AS s({columns})"
    cells = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
    return f"(SELECT {cells} FROM json_each(%s)) AS s"  # noqa: S608 - names of columns of ours


def _read(name: str, value: Any) -> Any:
    """Return a value as Python has it: times of SQLite bear no zone, and JSON is text on both."""
    if isinstance(value, str) and TYPES.get(name) == "jsonb":
        return orjson.loads(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _json(rows: Any) -> str:
    return orjson.dumps(rows, default=_moment, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _moment(value: Any) -> str:
    """Return a time as the database writes it; SQLite compares times as texts."""
    if isinstance(value, datetime) and connection.vendor == "sqlite":
        return str(value.astimezone(UTC).replace(tzinfo=None))
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError


def _run(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
