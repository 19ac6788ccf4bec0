"""The statements of the CSV import: each takes a whole batch as one JSON parameter, on both databases.

The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from profiles.csv_rows import ATTRIBUTES

# Any number that no other advisory lock of this database has; the second half of the lock is the workspace.
_IMPORT_LOCK = 0x50524F46


@dataclass(frozen=True)
class _Dialect:
    """What the two databases call the same things. Rows of the JSON parameter are arrays: `r.value`."""

    rows: str
    cell: str
    json_cell: str
    merged: str
    current: str
    differs: str
    now: str
    own_id: str  # of the row that is updated, after RETURNING


_DIALECTS = {
    "postgresql": _Dialect(
        rows="json_array_elements(%s::json) AS r(value)",
        cell="r.value->>{}",
        json_cell="CAST(r.value->{} AS jsonb)",
        merged="p.custom_attributes || s.custom",
        current="p.custom_attributes",
        differs="IS DISTINCT FROM",
        now="STATEMENT_TIMESTAMP()",
        own_id="p.id",
    ),
    "sqlite": _Dialect(
        rows="json_each(%s) AS r",
        cell="json_extract(r.value, '$[{}]')",
        json_cell="json_extract(r.value, '$[{}]')",
        merged="json_patch(p.custom_attributes, s.custom)",
        current="json(p.custom_attributes)",
        differs="IS NOT",
        now="STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
        own_id="id",
    ),
}


def lock_imports(*, workspace_id: int) -> None:
    """Make other imports into the workspace wait until this transaction ends. On SQLite they wait already."""
    if connection.vendor == "postgresql":
        _run("SELECT pg_advisory_xact_lock(%s, %s::integer)", [_IMPORT_LOCK, workspace_id])


def share_imports(*, workspace_id: int) -> None:
    """Keep what takes `lock_imports` waiting until this transaction ends; others that share go on beside it."""
    if connection.vendor == "postgresql":
        _run("SELECT pg_advisory_xact_lock_shared(%s, %s::integer)", [_IMPORT_LOCK, workspace_id])


def external_ids(*, workspace_id: int, profile_ids: Sequence[int]) -> dict[int, str | None]:
    """Return the external id, None for an anonymous profile, of each profile."""
    sql = """
        SELECT p.id, p.external_id FROM {rows} JOIN profiles_profile p ON p.id = CAST({id} AS integer)
        WHERE +p.workspace_id = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(_sql(sql), [_json([[profile_id] for profile_id in profile_ids]), workspace_id])
        return dict(cursor.fetchall())


def update_profiles(*, workspace_id: int, rows: Sequence[Sequence[Any]]) -> list[int]:
    """Update profiles; return the ids of those that really changed.

    A row is id, whether it changed already by new identifiers, the ATTRIBUTES (None leaves one as it is), and the
    custom attributes to merge.
    """
    dialect = _dialect()
    cells = [f"{dialect.cell.format(2 + index)} AS {name}" for index, name in enumerate(ATTRIBUTES)]
    new = [f"COALESCE(s.{name}, p.{name})" for name in ATTRIBUTES] + [dialect.merged]
    old = [f"p.{name}" for name in ATTRIBUTES] + [dialect.current]
    names = [*ATTRIBUTES, "custom_attributes"]
    sql = f"""
        UPDATE profiles_profile AS p
        SET {", ".join(f"{name} = {value}" for name, value in zip(names, new, strict=True))},
            changed_at = {dialect.now}
        FROM (
            SELECT CAST({{id}} AS integer) AS id, {{second}} AS has_new_keys, {", ".join(cells)},
                {dialect.json_cell.format(2 + len(ATTRIBUTES))} AS custom
            FROM {{rows}}
        ) AS s
        WHERE p.id = s.id AND +p.workspace_id = %s
            AND (s.has_new_keys = 'yes' OR ({", ".join(old)}) {dialect.differs} ({", ".join(new)}))
        RETURNING {dialect.own_id}
    """  # noqa: S608 - names of columns of ours
    with connection.cursor() as cursor:
        cursor.execute(_sql(sql), [_json(rows), workspace_id])
        return [profile_id for (profile_id,) in cursor.fetchall()]


def _dialect() -> _Dialect:
    return _DIALECTS[connection.vendor]


def _sql(template: str) -> str:
    dialect = _dialect()
    return template.format(rows=dialect.rows, id=dialect.cell.format(0), second=dialect.cell.format(1))


def _json(rows: Sequence[Any]) -> str:
    return orjson.dumps(rows).decode()


def _run(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
