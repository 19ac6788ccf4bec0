"""What the import is held against, in the same run and database: raw SQL, and the naive way over HTTP.

Both write rows `(cohort_id, profile_id)`, each into a table of its own, which is dropped afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from benchmarks import machine

ROWS = """
    CREATE TABLE IF NOT EXISTS {table} (cohort_id int, profile_id int, PRIMARY KEY (cohort_id, profile_id))
"""


@dataclass(frozen=True)
class Cost:
    """What writing members cost."""

    seconds: float
    wal_bytes: int
    table_bytes: int


def raw_sql(url: str, workspace: int, ids: Sequence[str]) -> Cost:
    """COPY the ids into a staging table and join them into rows: the least any row-based import has to do."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS yardstick, yardstick_staging")
        connection.execute(ROWS.format(table="yardstick"))
        connection.execute("CREATE TABLE yardstick_staging (key text)")
        connection.execute("CHECKPOINT")
        wal, began = machine.wal_bytes(url), time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy("COPY yardstick_staging FROM STDIN") as copy:
                for one in ids:
                    copy.write_row((f"e:{one}",))
            cursor.execute(
                "INSERT INTO yardstick SELECT 1, i.profile_id FROM yardstick_staging s"
                " JOIN profiles_identifier i ON i.workspace_id = %s AND i.key = s.key",
                [workspace],
            )
        seconds = time.perf_counter() - began
        wal = machine.wal_bytes(url) - wal
        cost = Cost(seconds, wal, machine.table_bytes(url, ["yardstick"]))
        connection.execute("DROP TABLE yardstick, yardstick_staging")
    return cost


@contextmanager
def naive_table(url: str) -> Iterator[None]:
    """Make the table that the naive endpoint writes to (`benchmarks/naive`), and drop it in the end."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ROWS.format(table="naive_member"))
        connection.execute("ALTER TABLE naive_member ADD COLUMN IF NOT EXISTS id serial")
        try:
            yield
        finally:
            connection.execute("DROP TABLE naive_member")
