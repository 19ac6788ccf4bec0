"""Segments: what the builder's counts take, first, warm, cold and after changes, each beside hand-written SQL."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from benchmarks import machine, segments_data, segments_pages, segments_sql, times
from benchmarks.segments_sql import Segment
from benchmarks.times import Times

SQL_ROUNDS, FIRST_ROUNDS, WARM_ROUNDS, COLD_ROUNDS, CHANGE_ROUNDS = 2, 2, 100, 40, 12
CHANGED = 1_000
# A repair looks again at what was recorded in the second before (profiles/changes.py): wait until that is only ours.
SETTLED_SECONDS = 1.2
# Memory for sorting and hashing, as somebody would grant it to a large count, and no time spent on compiling.
SQL_SETTINGS = "SET LOCAL work_mem = '256MB'; SET LOCAL jit = off"
COLUMNS = (
    "segment",
    "users",
    "SQL ms",
    "first ms (of SQL)",
    "warm p50 / p99 ms (CPU)",
    "times faster than SQL",
    "cold p50 / p95 ms (CPU)",
    "after 1,000 changes p50 / p95 ms (CPU)",
)
HEAD = (
    f"| {' | '.join(COLUMNS)} |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)
FIRST_HEAD = (
    "| custom attribute | users | SQL ms | first ms | of SQL |",
    "| --- | ---: | ---: | ---: | ---: |",
)


class WrongCountError(Exception):
    """The application and the SQL do not count the same."""


@dataclass(frozen=True)
class Bench:
    """A workspace, and what the statements and definitions are about."""

    workspace: Any
    profiles: int
    now: datetime
    parameters: dict[str, Any]

    def count(self, segment: Segment) -> int:
        """Return the size of a segment, by all that the builder does after an edit."""
        from segments import audience, filters

        tree = filters.parse(segments_sql.definition(segment.root))
        return audience.counts(workspace=self.workspace, tree=tree, now=self.now).size.total

    def count_in_sql(self, segment: Segment) -> int:
        """Return the size of a segment by one statement."""
        from django.db import connection, transaction

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SQL_SETTINGS)
            cursor.execute(segment.sql, self.parameters)
            return int(cursor.fetchone()[0])


def measure(workspace_id: int, arguments: argparse.Namespace) -> list[str]:
    """Return the tables of what was measured."""
    from django.utils import timezone

    from accounts.models import Workspace

    cohorts, now = segments_data.cohort_ids(workspace_id), timezone.now()
    parameters = segments_sql.parameters(
        workspace_id, cohorts, segments_data.event_name_ids(workspace_id), now
    )
    bench = Bench(Workspace.objects.get(pk=workspace_id), arguments.profiles, now, parameters)
    lines = _table("Unindexed custom attributes, first evaluation:", FIRST_HEAD)
    lines += [_first_line(bench, one) for one in segments_sql.attributes()]
    lines += _table("Ten segments, cohorts A, B and C of a tenth, a half and a fifth of all users:", HEAD)
    every = segments_sql.segments(cohorts)
    lines += [_line(bench, one) for one in every]
    return lines + segments_pages.measure(bench.workspace, every)


def _table(title: str, head: tuple[str, ...]) -> list[str]:
    print(title, flush=True)
    return ["", title, "", *head]


# --- one segment -------------------------------------------------------------------------------------------
def _line(bench: Bench, segment: Segment) -> str:
    sql, first = _first(bench, segment)
    users = bench.count(segment)
    count = lambda: bench.count(segment)  # noqa: E731
    measured = partial(times.of, count, cpu_seconds=_cpu_seconds)
    warm = measured(WARM_ROUNDS)
    cold = measured(COLD_ROUNDS, before=_forget_memory)
    changed = measured(CHANGE_ROUNDS, before=lambda: _change(bench, count))
    _check(bench, segment)
    return _printed(
        f"| {segment.name} | {users:,} | {sql.best:,.0f} | {first.best:,.0f} ({first.best / sql.best:.2f})"
        f" | {_pair(warm, 0.99)} | {sql.best / warm.percentile(0.5):,.0f} | {_pair(cold, 0.95)} | {_pair(changed, 0.95)} |"
    )


def _first_line(bench: Bench, segment: Segment) -> str:
    sql, first = _first(bench, segment)
    return _printed(
        f"| {segment.name} | {bench.count(segment):,} | {sql.best:,.0f} | {first.best:,.0f} | {first.best / sql.best:.2f} |"
    )


def _first(bench: Bench, segment: Segment) -> tuple[Times, Times]:
    """Return what the SQL takes, and what the first evaluation takes that all others profit from."""
    _check(bench, segment)
    sql = times.of(lambda: bench.count_in_sql(segment), SQL_ROUNDS)
    return sql, times.of(lambda: bench.count(segment), FIRST_ROUNDS, before=_forget_filters)


def _check(bench: Bench, segment: Segment) -> None:
    ours, theirs = bench.count(segment), bench.count_in_sql(segment)
    if ours != theirs:
        raise WrongCountError(f"{segment.name}: {ours:,}, by SQL {theirs:,}")


def _pair(taken: Times, share: float) -> str:
    return f"{taken.percentile(0.5):.1f} / {taken.percentile(share):.1f} ({taken.mean_cpu:.1f})"


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of the one of the database that serves it."""
    from django.db import connection

    return time.process_time() + machine.run_seconds(connection.connection.info.backend_pid)


def _printed(line: str) -> str:
    print(line, flush=True)
    return line


# --- before a round ----------------------------------------------------------------------------------------
def _forget_memory() -> None:
    from profiles import filter_bitmaps

    filter_bitmaps.forget()


def _forget_filters() -> None:
    """Forget all filters but those that each count of each segment needs: all users, and those of the channels."""
    from profiles import filter_bitmaps
    from profiles.models import FilterBitmap
    from segments.filters import reachability

    needed = (
        filter_bitmaps.EVERYBODY,
        reachability.reachable_by_email(),
        reachability.reachable_by_push(),
    )
    FilterBitmap.objects.exclude(digest__in=[query.digest for query in needed]).delete()
    filter_bitmaps.forget()


def _change(bench: Bench, settle: Callable[[], object]) -> None:
    """Change attributes and events of 1,000 users, as the doors of the application do: with a mark, in one commit."""
    from django.db import connection, transaction

    from profiles import changes

    time.sleep(SETTLED_SECONDS)
    settle()
    chosen = segments_data.some_profiles(bench.profiles, CHANGED)
    with transaction.atomic(), connection.cursor() as cursor:
        segments_data.change(cursor, chosen)
        for kind in (changes.Kind.ATTRIBUTES, changes.Kind.EVENTS):
            changes.record(workspace_id=bench.workspace.pk, kind=kind, profile_ids=chosen)
