"""Where a benchmark ran, and what it left behind there: write-ahead log and table bytes."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import psycopg

TABLES = ("cohorts_cohort", "cohorts_cohortsync", "cohorts_cohortdelta", "accounts_datapointusage")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int, *, name: str = "") -> float:
    """Return the CPU time a process used so far; none if it is not here, or not called so."""
    try:
        before, _, after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except FileNotFoundError:
        return 0
    fields = after.split()
    return (int(fields[11]) + int(fields[12])) / TICKS if name in before else 0


def run_seconds(pid: int) -> float:
    """Return the CPU time a process of one thread used so far, to the nanosecond; none if it is not here."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:
        return 0


def database_cpu_seconds(url: str) -> float:
    """Return the CPU time of those who serve this database now, but for ourselves; none of a server elsewhere."""
    if url.startswith("sqlite"):
        return 0
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return sum(cpu_seconds(pid, name="postgres") for (pid,) in rows)


def wal_bytes(url: str) -> int:
    """Return how many bytes of write-ahead log PostgreSQL has written since it was made."""
    if url.startswith("sqlite"):
        return 0
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
        return row[0] if row else 0


def table_bytes(url: str, tables: Sequence[str] = TABLES) -> int:
    """Return the size of tables with their indexes, without the room that a vacuum gives back.

    Ends with a checkpoint, so that every load begins with the same full-page images to write.
    """
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size
    with psycopg.connect(url, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"VACUUM FULL {table}")
        connection.execute("CHECKPOINT")
        rows = connection.execute(
            "SELECT pg_total_relation_size(t) FROM unnest(%s::regclass[]) t", [list(tables)]
        )
        return sum(size for (size,) in rows)


def describe(url: str) -> str:
    """Return the machine and database in a line."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    if url.startswith("sqlite"):
        database = f"SQLite {sqlite3.sqlite_version}"
    else:
        with psycopg.connect(url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
            database = f"PostgreSQL {row[0] if row else ''}"
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, {database}"
