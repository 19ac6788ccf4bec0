"""What the people's doors are held against, in the same run: the same rows by psql, COPY and a merge in set-based SQL.

Into the same tables with the same constraints, but without validation, data points, change markers or answers.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks import machine, people_data

STAGING = """
    CREATE TEMP TABLE people (external_id text, email text, first_name text, last_name text, country text,
        language text, plan text, ltv numeric) ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE events (external_id text, kind text, name text, currency text, seconds bigint,
        insert_id text, quantity int, price numeric, digest uuid GENERATED ALWAYS AS (
            (lpad(to_hex(seconds), 8, '0') || left(md5(name || ' ' || external_id || ' ' || insert_id), 24))::uuid
        ) STORED) ON COMMIT DELETE ROWS;
"""
KNOWN = "i.workspace_id = {workspace} AND i.key = ('e:' || s.external_id) COLLATE \"C\""
PLAN = "jsonb_build_object('plan', s.plan, 'ltv', s.ltv{visits})"
MERGE = f"""
    UPDATE profiles_profile p
    SET email = s.email, first_name = s.first_name, last_name = s.last_name, country = s.country,
        language = s.language, custom_attributes = p.custom_attributes || {PLAN}, changed_at = now()
    FROM people s JOIN profiles_identifier i ON {KNOWN}
    WHERE p.id = i.profile_id;
    WITH made AS (
        INSERT INTO profiles_profile (workspace_id, external_id, email, first_name, last_name, phone, country,
            language, time_zone, custom_attributes)
        SELECT {{workspace}}, s.external_id, s.email, s.first_name, s.last_name, '', s.country, s.language, '',
            {PLAN.replace("{visits}", "{first_visit}")}
        FROM people s LEFT JOIN profiles_identifier i ON {KNOWN} WHERE i.key IS NULL
        RETURNING id, external_id
    )
    INSERT INTO profiles_identifier (workspace_id, key, profile_id)
    SELECT {{workspace}}, 'e:' || external_id, id FROM made ORDER BY 2;
"""
VISITS = {
    "visits": ", 'visits', coalesce((p.custom_attributes->>'visits')::int, 0) + 1",
    "first_visit": ", 'visits', 1",
}
NO_VISITS = {"visits": "", "first_visit": ""}
NAMES = """
    INSERT INTO profiles_eventname (workspace_id, kind, name, currency)
    SELECT DISTINCT {workspace}, kind, name, currency FROM events ON CONFLICT DO NOTHING;
"""
ONCE = """
    WITH fresh AS (
        INSERT INTO profiles_eventreceipt (workspace_id, digest) SELECT {workspace}, digest FROM events
        ON CONFLICT DO NOTHING RETURNING digest
    ), counted AS (SELECT events.* FROM fresh JOIN events USING (digest))
"""
ALWAYS = "WITH counted AS (SELECT * FROM events)"
TOTALS = f"""
    INSERT INTO profiles_customevent AS e
        (name_id, profile_id, count, first_at, last_at, days, quantity, revenue)
    SELECT name_id, profile_id, sum(n), to_timestamp(min(first)), to_timestamp(max(last)), jsonb_object_agg(day, n),
        sum(quantity), sum(revenue)
    FROM (
        SELECT n.id AS name_id, i.profile_id, date(to_timestamp(s.seconds) AT TIME ZONE 'UTC') AS day,
            count(*) AS n, min(s.seconds) AS first, max(s.seconds) AS last, sum(s.quantity) AS quantity,
            sum(s.quantity * s.price) AS revenue
        FROM counted s JOIN profiles_identifier i ON {KNOWN}
        JOIN profiles_eventname n ON n.workspace_id = {{workspace}}
            AND (n.kind, n.name, n.currency) = (s.kind, s.name, s.currency)
        GROUP BY 1, 2, 3
    ) AS daily
    GROUP BY 1, 2
    ON CONFLICT (name_id, profile_id) DO UPDATE SET count = e.count + excluded.count,
        first_at = least(e.first_at, excluded.first_at), last_at = greatest(e.last_at, excluded.last_at),
        days = e.days || excluded.days, quantity = e.quantity + excluded.quantity,
        revenue = e.revenue + excluded.revenue;
"""

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Cost:
    """What a yardstick took."""

    rows: int
    seconds: float
    wal_bytes: int

    @property
    def per_second(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


def users(url: str, workspace: int, rows: Rows, *, count_visits: bool, size: int | None = None) -> Cost:
    """Create and update users, `size` rows a transaction, or all in one."""
    merge = MERGE.format(workspace=workspace, **(VISITS if count_visits else NO_VISITS))
    return _run(url, [[("people", batch)] for batch in people_data.batches(rows, size or len(rows))], merge)


def mixed(url: str, workspace: int, rows: Sequence[people_data.Person], *, size: int | None = None) -> Cost:
    """Create and update users, and add an event and a purchase of each, `size` users a transaction, or all."""
    sql = MERGE + NAMES + ALWAYS + TOTALS
    parts = []
    for number, batch in enumerate(people_data.batches(rows, size or len(rows))):
        events, purchases = people_data.done_by(batch, seed=number)
        parts.append([("people", batch), ("events", [*events, *purchases])])
    return _run(url, parts, sql.format(workspace=workspace, **VISITS))


def events(url: str, workspace: int, rows: Sequence[people_data.Event], *, size: int | None = None) -> Cost:
    """Count events once each, `size` rows a transaction, or all in one."""
    sql = (NAMES + ONCE + TOTALS).format(workspace=workspace)
    return _run(url, [[("events", batch)] for batch in people_data.batches(rows, size or len(rows))], sql)


def _run(url: str, parts: Sequence[list[tuple[str, Rows]]], merge: str) -> Cost:
    """Let psql run a script of transactions, each of which copies its rows in and merges them."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", newline="", encoding="utf-8") as script:
        script.write(STAGING)
        for part in parts:
            _write(script, part, merge, is_large=len(parts) == 1)
        script.flush()
        wal, began = machine.wal_bytes(url), time.perf_counter()
        _psql(url, Path(script.name))
        seconds = time.perf_counter() - began
    rows = sum(len(rows) for part in parts for _, rows in part)
    return Cost(rows, seconds, machine.wal_bytes(url) - wal)


def _write(script: IO[str], part: list[tuple[str, Rows]], merge: str, *, is_large: bool) -> None:
    script.write("BEGIN;\n")
    for table, rows in part:
        columns = ", ".join(people_data.Person._fields if table == "people" else people_data.Event._fields)
        script.write(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv, FORCE_NOT_NULL ({columns}));\n")
        csv.writer(script, lineterminator="\n").writerows(rows)
        script.write("\\.\n")
        script.write(f"ANALYZE {table};\n" if is_large else "")
    script.write(f"{merge}COMMIT;\n")


def _psql(url: str, script: Path) -> None:
    command = ["psql", url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the yardstick failed: {done.stderr}")
