"""Locks of a whole workspace, for what no row can guard: who is who, and users who are not there yet.

On PostgreSQL they are advisory locks that end with the transaction. On SQLite there is one writer at a time, so there
is nothing to do. Each is taken before any row is locked.
"""

from __future__ import annotations

from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """What is locked; its number is that of no other advisory lock of this database."""

    # Who is who, and files of users: alone. Imports of events, which rely on it: shared.
    IMPORTS = 0x50524F46
    # Whoever makes users shares it; who met others twice while making theirs takes it alone.
    NEWCOMERS = 0x50524F47
    # Memberships that follow merged people: alone. Pages of cohorts, which are matched before: shared.
    MOVES = 0x4D4F5645
    # Whoever saves, archives or deletes segments, which may use each other: alone.
    SEGMENTS = 0x5345474D


def alone(lock: Lock, *, workspace_id: int) -> None:
    """Wait for all who hold the lock, and keep everybody else waiting until this transaction ends."""
    _take("pg_advisory_xact_lock", lock, workspace_id)


def share(lock: Lock, *, workspace_id: int) -> None:
    """Keep whoever wants the lock alone waiting until this transaction ends; others that share it go on beside."""
    _take("pg_advisory_xact_lock_shared", lock, workspace_id)


def _take(function: str, lock: Lock, workspace_id: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s::integer)", [lock.value, workspace_id])
