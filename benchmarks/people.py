"""People: /users/track, CSV files, event imports and the search, each beside raw SQL on a copy of its own."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import commands, load, machine, people_data, people_sql, population, server

CLIENTS = (1, 2, 4)
HEAD = (
    "| load | {unit}/s | of raw SQL | request p50 / p99 ms | CPU ms per {each}: ours + the database’s | peak MB | WAL MB per M |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
)
NEW_OF_TRACKED, NEW_OF_CSV = 0.1, 0.5

Clients = Sequence[Callable[[], list[load.Page]]]


@dataclass(frozen=True)
class Bench:
    """A database to copy, a key to send, and how much of everything."""

    url: str
    workspace: int
    key: str
    profiles: int
    sent: int
    rows: int
    workers: int

    def raw(self, measured: Callable[[str], people_sql.Cost]) -> people_sql.Cost | None:
        """Run a yardstick on a copy; SQLite has no COPY."""
        if self.url.startswith("sqlite"):
            return None
        with population.copied(self.url) as url:
            return measured(url)


def measure(url: str, workspace: int, parts: Sequence[str], arguments: argparse.Namespace) -> list[str]:
    """Return the tables of what was measured."""
    bench = Bench(
        url, workspace, _key(workspace), arguments.profiles, arguments.sent, arguments.rows, arguments.workers
    )
    measures = {"tracking": _tracking, "csv": _csv, "events": _events, "search": _search}
    return [line for part in parts for line in measures[part](bench)]


def _key(workspace: int) -> str:
    from django.utils import timezone

    from accounts import keys
    from accounts.models import Scope, Workspace

    owner, now = Workspace.objects.get(pk=workspace), timezone.now()
    return keys.create_rest(workspace=owner, label="benchmark", scopes=list(Scope), created_by=None, now=now)[
        1
    ]


# --- POST /users/track --------------------------------------------------------------------------------------
def _tracking(bench: Bench) -> list[str]:
    people = people_data.users(bench.sent, bench.profiles, new=NEW_OF_TRACKED, seed=2)
    raw = partial(people_sql.users, workspace=bench.workspace, rows=people, count_visits=True)
    whole, paged = bench.raw(raw), bench.raw(partial(raw, size=people_data.OBJECTS))
    lines = _head(
        f"`POST /users/track`, {bench.sent:,} users a load, each once and 1 of 10 new, 8 attributes an object,"
        " 75 objects an array; mixed requests, of half as many users, hold 75 attributes, events and purchases each:",
        unit="objects",
        each="request",
    )
    lines += [*_raw("COPY and merge at once", whole, whole), *_raw("75 rows a transaction", paged, whole)]
    make = partial(people_data.attribute_pages, bench.key)
    for clients in CLIENTS:
        lines.append(_sent(bench, f"attributes, {clients} client(s)", _shared(make, people, clients), whole))
    lines.append(
        _sent(
            bench,
            "attributes, 1 client, no change marker",
            _shared(make, people, 1),
            whole,
            application="benchmarks.unmarked:application",
        )
    )
    return lines + _mixed(bench, people[: len(people) // 2])


def _mixed(bench: Bench, people: Sequence[people_data.Person]) -> list[str]:
    raw = partial(people_sql.mixed, workspace=bench.workspace, rows=people)
    whole, paged = bench.raw(raw), bench.raw(partial(raw, size=people_data.OBJECTS))
    lines = [*_raw("mixed, COPY and merge at once", whole, whole)]
    lines += [*_raw("mixed, 225 rows a transaction", paged, whole)]
    for clients in CLIENTS:
        make = partial(people_data.mixed_pages, bench.key, seed=clients)
        lines.append(_sent(bench, f"mixed, {clients} client(s)", _shared(make, people, clients), whole))
    return lines


def _shared(
    make: Callable[[Sequence[people_data.Person]], list[load.Page]],
    people: Sequence[people_data.Person],
    clients: int,
) -> Clients:
    """Return clients that send an equal share each."""
    return [partial(make, people[share::clients]) for share in range(clients)]


# --- CSV ----------------------------------------------------------------------------------------------------
def _csv(bench: Bench) -> list[str]:
    people = people_data.users(bench.rows, bench.profiles, new=NEW_OF_CSV, seed=3)
    raw = bench.raw(partial(people_sql.users, workspace=bench.workspace, rows=people, count_visits=False))
    lines = _head(
        f"CSV import of {bench.rows:,} rows, half of them new users, by `manage.py import_profiles`:",
        unit="rows",
        each="1,000 rows",
    )
    lines += _raw("COPY and merge at once", raw, raw)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "users.csv"
        people_data.write_csv(file, people)
        with population.copied(bench.url) as url:
            first = commands.run(url, "import_profiles", str(file), "--workspace", "default")
            again = commands.run(url, "import_profiles", str(file), "--workspace", "default")
    lines.append(_ran("the file", first, len(people), raw))
    return [*lines, _ran("the file again: nothing changes", again, len(people), raw)]


# --- events -------------------------------------------------------------------------------------------------
def _events(bench: Bench) -> list[str]:
    events = people_data.occurrences(bench.sent, bench.profiles, seed=4)
    raw = partial(people_sql.events, workspace=bench.workspace, rows=events)
    whole, paged = bench.raw(raw), bench.raw(partial(raw, size=people_data.EVENTS))
    lines = _head(
        f"`POST /import`, {bench.sent:,} events of random users a load, 20 names in 30 days, 2,000 a request:",
        unit="events",
        each="request",
    )
    lines += [*_raw("COPY and merge at once", whole, whole), *_raw("2,000 rows a transaction", paged, whole)]
    for is_zipped in (False, True):
        for clients in CLIENTS:
            senders = [
                partial(
                    people_data.import_pages,
                    bench.key,
                    events,
                    is_zipped=is_zipped,
                    share=share,
                    shares=clients,
                )
                for share in range(clients)
            ]
            name = f"{'gzip' if is_zipped else 'plain'}, {clients} client(s)"
            lines.append(_sent(bench, name, senders, whole))
    return lines + _export(bench)


def _export(bench: Bench) -> list[str]:
    """Measure the import of two raw exports, and of the first of them again."""
    one, two = (people_data.occurrences(bench.rows, bench.profiles, seed=seed) for seed in (5, 6))
    raw = bench.raw(partial(people_sql.events, workspace=bench.workspace, rows=one))
    lines = _head(
        f"Raw export of {bench.rows:,} events of random users, by `manage.py import_events`:",
        unit="events",
        each="1,000 events",
    )
    lines += _raw("COPY and merge at once", raw, raw)
    with tempfile.TemporaryDirectory() as folder, population.copied(bench.url) as url:
        file = Path(folder) / "export.jsonl"
        for name, events in (
            ("the file", one),
            ("another file", two),
            ("the file again: all are known", one),
        ):
            people_data.write_export(file, events)
            ran = commands.run(url, "import_events", str(file), "--workspace", "default")
            lines.append(_ran(name, ran, len(events), raw))
    return lines


# --- search -------------------------------------------------------------------------------------------------
def _search(bench: Bench) -> list[str]:
    from benchmarks import people_search

    medians = people_search.measure(bench.profiles)
    lines = [
        "",
        "Search for users, the whole page of the admin:",
        "",
        "| text | median ms |",
        "| --- | ---: |",
    ]
    return [*lines, *(f"| {name} | {milliseconds:.1f} |" for name, milliseconds in medians.items())]


# --- lines --------------------------------------------------------------------------------------------------
def _head(title: str, *, unit: str, each: str) -> list[str]:
    print(title, flush=True)
    return ["", title, "", *(line.format(unit=unit, each=each) for line in HEAD)]


def _raw(name: str, cost: people_sql.Cost | None, whole: people_sql.Cost | None) -> list[str]:
    if not cost or not whole:
        return []
    wal = cost.wal_bytes / cost.rows
    line = f"| raw SQL: {name} | {cost.per_second:,.0f} | {cost.per_second / whole.per_second:.2f} | | | | {wal:.0f} |"
    print(line, flush=True)
    return [line]


def _sent(
    bench: Bench,
    name: str,
    clients: Clients,
    raw: people_sql.Cost | None,
    *,
    application: str = "config.wsgi:application",
) -> str:
    """Send the pages to the server on a fresh copy; return the line of what it took."""
    with (
        population.copied(bench.url) as url,
        server.running(url, workers=bench.workers, application=application) as running,
    ):
        wal, cpu = machine.wal_bytes(url), running.cpu_seconds()
        run = load.drive(running.port, clients)
        cpu, wal = running.cpu_seconds() - cpu, machine.wal_bytes(url) - wal
        theirs = machine.database_cpu_seconds(url)
        peak = running.peak_memory_bytes()
    ratio = f"{run.per_second / raw.per_second:.2f}" if raw else ""
    times = f"{run.percentile(0.5):.1f} / {run.percentile(0.99):.1f}"
    requests = len(run.page_milliseconds) / 1000
    each = f"{cpu / requests:.1f}" + (f" + {theirs / requests:.1f}" if theirs else "")
    line = f"| {name} | {run.per_second:,.0f} | {ratio} | {times} | {each} | {peak / 1e6:.0f} | {wal / run.members:.0f} |"
    print(line, flush=True)
    return line


def _ran(name: str, ran: commands.Ran, rows: int, raw: people_sql.Cost | None) -> str:
    pace = rows / ran.seconds
    ratio = f"{pace / raw.per_second:.2f}" if raw else ""
    cpu, peak, wal = ran.cpu_seconds / rows * 1e6, ran.peak_memory_bytes / 1e6, ran.wal_bytes / rows
    print(ran.said)
    line = f"| {name} | {pace:,.0f} | {ratio} | | {cpu:.1f} | {peak:.0f} | {wal:.0f} |"
    print(line, flush=True)
    return line
