"""How the CSV import writes: rows are copied, new ones straight into their table, changes into one they are merged from.

COPY on PostgreSQL, `executemany` on SQLite: the only statement that differs in more than a word. The caller owns the
transaction, and has locked the profiles that are merged into.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
import psycopg
from django.db import connection

from profiles import changes
from profiles.statements import NEEDED, TYPES

_TYPES = {**TYPES, "has_new_keys": "boolean"}
_NULLABLE = {"external_id", "date_of_birth", "first_session_at", "last_session_at"}
_BLANK = {"custom_attributes": "{}", "push_tokens": "[]"}


@dataclass(frozen=True)
class _Dialect:
    """What the two databases call the same things."""

    merged: str
    json: str
    differs: str
    now: str
    own_id: str  # of the row that is updated, after RETURNING


_DIALECTS = {
    "postgresql": _Dialect(
        merged="p.custom_attributes || s.custom_attributes",
        json="{}",
        differs="IS DISTINCT FROM",
        now="STATEMENT_TIMESTAMP()",
        own_id="p.id",
    ),
    "sqlite": _Dialect(
        merged="json_patch(p.custom_attributes, s.custom_attributes)",
        json="json({})",
        differs="IS NOT",
        now="STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
        own_id="id",
    ),
}
Values = dict[str, Any]
_PLAIN = {str, int, bool, type(None)}


def insert_profiles(*, workspace_id: int, columns: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert profiles; a row has an `id` that was reserved, an `external_id`, and some of the columns."""
    names = ["external_id", *NEEDED, *(name for name in columns if name not in NEEDED)]
    blanks = {name: None if name in _NULLABLE else _BLANK.get(name, "") for name in names}
    _copy(
        "profiles_profile",
        ["id", "workspace_id", *names],
        [[row["id"], workspace_id, *_cells(row, blanks)] for row in rows],
        never_null=[name for name in names if name not in _NULLABLE],
    )


def insert_identifiers(*, workspace_id: int, rows: Sequence[tuple[int, str]]) -> None:
    """Insert identifiers; a row is profile id and key. Raises IntegrityError if one exists.

    In the order of their keys, so that two writers never wait for each other in a circle.
    """
    ordered = sorted(rows, key=lambda row: row[1])
    values = [(workspace_id, key, profile_id) for profile_id, key in ordered]
    _copy("profiles_identifier", ["workspace_id", "key", "profile_id"], values)


def merge(*, workspace_id: int, columns: Sequence[str], rows: Sequence[Values]) -> list[int]:
    """Update profiles; return the ids of those that really changed.

    A row has an `id`, whether it `has_new_keys` (which is a change), and some of the columns: what is None is left
    as it is, and custom attributes are merged.
    """
    dialect = _DIALECTS[connection.vendor]
    new, changed = _comparison(columns)
    assigned = "".join(f"{name} = {value}, " for name, value in zip(columns, new, strict=True))
    sql = f"""
        UPDATE profiles_profile AS p SET {assigned}changed_at = {dialect.now}
        FROM csv_staging s WHERE p.id = s.id AND +p.workspace_id = %s AND ({changed}) RETURNING {dialect.own_id}
    """  # noqa: S608 - names of columns of ours
    return _staged(sql, workspace_id, columns, rows)


def changing(*, workspace_id: int, columns: Sequence[str], rows: Sequence[Values]) -> list[int]:
    """Return the ids of those that `merge` would change."""
    _new, changed = _comparison(columns)
    sql = f"""
        SELECT p.id FROM csv_staging s JOIN profiles_profile p ON p.id = s.id
        WHERE +p.workspace_id = %s AND ({changed})
    """  # noqa: S608 - names of columns of ours
    return _staged(sql, workspace_id, columns, rows)


def _comparison(columns: Sequence[str]) -> tuple[list[str], str]:
    """Return the columns' values after the merge, and the condition that these are others than before."""
    dialect = _DIALECTS[connection.vendor]
    old = {name: f"p.{name}" for name in columns}
    new = {name: f"COALESCE(s.{name}, p.{name})" for name in columns}
    for name in _BLANK.keys() & new.keys():
        old[name] = dialect.json.format(f"p.{name}")
        new[name] = dialect.json.format(new[name])
    if "custom_attributes" in new:
        new["custom_attributes"] = f"COALESCE({dialect.merged}, {old['custom_attributes']})"
    differs = f" OR ({', '.join(old.values())}) {dialect.differs} ({', '.join(new.values())})" if new else ""
    return list(new.values()), f"s.has_new_keys{differs}"


def _staged(sql: str, workspace_id: int, columns: Sequence[str], rows: Sequence[Values]) -> list[int]:
    """Run a statement of a workspace that returns ids with the rows as the table `csv_staging`."""
    names = ["id", "has_new_keys", *columns]
    if not rows:
        return []
    typed = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE csv_staging ({typed})")
        _copy("csv_staging", names, [_cells(row, dict.fromkeys(names)) for row in rows])
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE csv_staging")  # or the plan is one for a table of unknown size
        cursor.execute(sql, [workspace_id])
        found = [profile_id for (profile_id,) in cursor.fetchall()]
        cursor.execute("DROP TABLE csv_staging")
    return found


def _copy(
    table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], *, never_null: Sequence[str] = ()
) -> None:
    """Write rows into a table as fast as the database can take them. Raises IntegrityError."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy_in(table, names, rows, never_null)
        return
    places = ", ".join("%s" for _name in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",  # noqa: S608 - names of ours
            rows,
        )


def _copy_in(
    table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], never_null: Sequence[str]
) -> None:
    """Copy as CSV: the one text format that Python writes in C. An empty cell is NULL, but where it cannot be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    blank = f", FORCE_NOT_NULL ({', '.join(never_null)})" if never_null else ""
    sql = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT csv{blank})"
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
        cursor.copy(sql.encode()) as copy,
    ):
        copy.write(text.getvalue())


def _cells(row: Values, blanks: Mapping[str, Any]) -> list[Any]:
    """Return a row's values as both databases read them, in the order of `blanks`, which stand for none."""
    found = [row.get(name, blank) for name, blank in blanks.items()]
    return [cell if type(cell) in _PLAIN else _cell(cell) for cell in found]


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return str(changes.stamp(value))
    return value.isoformat() if isinstance(value, date) else value
