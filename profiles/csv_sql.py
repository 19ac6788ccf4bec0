"""What an import asks the database before it writes: to keep others out, and who the profiles are."""

from __future__ import annotations

from collections.abc import Collection

import orjson
from django.db import connection

# Any number that no other advisory lock of this database has; the second half of the lock is the workspace.
_IMPORT_LOCK = 0x50524F46


def lock_imports(*, workspace_id: int) -> None:
    """Make other imports into the workspace wait until this transaction ends. On SQLite they wait already."""
    _lock("pg_advisory_xact_lock", workspace_id)


def share_imports(*, workspace_id: int) -> None:
    """Keep what takes `lock_imports` waiting until this transaction ends; others that share go on beside it."""
    _lock("pg_advisory_xact_lock_shared", workspace_id)


def external_ids(*, workspace_id: int, profile_ids: Collection[int]) -> dict[int, str | None]:
    """Return the external id, None for an anonymous profile, of each live profile."""
    ids = list(profile_ids)
    is_postgresql = connection.vendor == "postgresql"
    sql = f"""
        SELECT id, external_id FROM profiles_profile
        WHERE id {_ONE_OF[connection.vendor]} AND +workspace_id = %s AND deleted_at IS NULL
    """  # noqa: S608 - one of the two below
    with connection.cursor() as cursor:
        cursor.execute(sql, [ids if is_postgresql else orjson.dumps(ids).decode(), workspace_id])
        return dict(cursor.fetchall())


_ONE_OF = {"postgresql": "= ANY(%s::integer[])", "sqlite": "IN (SELECT value FROM json_each(%s))"}


def _lock(function: str, workspace_id: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s::integer)", [_IMPORT_LOCK, workspace_id])
