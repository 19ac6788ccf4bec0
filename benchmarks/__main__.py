"""`make bench ARGS="--profiles 1m"`: measure the import and the counts, print a table, append it to results.md."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import load, machine, population, server

UNITS = {"k": 1_000, "m": 1_000_000}
RESULTS = Path(__file__).with_name("results.md")
CLIENTS = (1, 2, 4)
HEAD = (
    "| load | members/s | of raw SQL's time | times naive | page p50 / p99 ms | CPU ms per page | peak MB "
    "| WAL MB per M | disk MB per M |"
)
PROTOCOLS = {"partner": load.partner_pages, "webhook": load.webhook_pages}


def main() -> None:
    """Measure for every number of profiles asked for."""
    arguments = _arguments()
    base = os.environ.get("DATABASE_URL", "sqlite:////tmp/rollcall-bench.sqlite3")
    url = population.database_url(base, arguments.profiles)
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
    import django

    django.setup()
    workspace = population.populate(arguments.profiles)
    secret = _key(workspace)
    lines = _imports(url, workspace, secret, arguments)
    lines += _counts(workspace, arguments.profiles)
    report = _report(arguments, lines)
    print(report)
    with RESULTS.open("a") as results:
        results.write(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--profiles", type=_number, default="1m", help="profiles in the database: 100k, 1m, 10m"
    )
    parser.add_argument(
        "--members", type=_number, default="1m", help="members sent per load; at most the profiles"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes of the server")
    arguments = parser.parse_args()
    arguments.members = min(arguments.members, arguments.profiles)
    return arguments


def _number(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1].lower()] if text[-1].lower() in UNITS else int(text)


def _key(workspace: int) -> str:
    from django.utils import timezone

    from accounts import keys
    from accounts.models import Workspace

    owner = Workspace.objects.get(pk=workspace)
    made = keys.create(
        workspace=owner, partner="mixpanel", label="benchmark", created_by=None, now=timezone.now()
    )
    return made[1]


# --- imports -----------------------------------------------------------------------------------------------
def _imports(url: str, workspace: int, secret: str, arguments: argparse.Namespace) -> list[str]:
    ids = load.external_ids(arguments.members, arguments.profiles, seed=1)
    yardstick = _yardstick(url, workspace, ids)
    naive = _naive(url, arguments, ids)
    lines = [HEAD, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines += [_yardstick_line(yardstick, arguments.members)] if yardstick else []
    for clients in CLIENTS:
        for protocol in PROTOCOLS:
            run, used = _load(url, secret, protocol, clients, ids, arguments.workers)
            lines.append(_line(f"{protocol}, {clients} client(s)", run, used, yardstick, naive[protocol]))
            print(lines[-1], flush=True)
    for protocol, slow in naive.items():
        if slow:
            lines.append(
                f"| naive {protocol}, 1 client | {slow.per_second:,.0f} | | 1.0 | {_pages(slow)} | | | | |"
            )
    return lines


def _load(
    url: str, secret: str, protocol: str, clients: int, ids: list[str], workers: int
) -> tuple[load.Run, Used]:
    """Send the members, an equal share by each client into a cohort of its own, as partners do."""
    tag, share = f"{datetime.now(UTC):%H%M%S}-{protocol}-{clients}", len(ids) // clients
    exports = [
        partial(PROTOCOLS[protocol], secret, f"{tag}-{n}", ids[n * share : (n + 1) * share])
        for n in range(clients)
    ]
    disk, wal = machine.table_bytes(url), machine.wal_bytes(url)
    with server.running(url, workers=workers) as running:
        cpu = running.cpu_seconds()
        run = load.drive(running.port, exports)
        cpu, memory = running.cpu_seconds() - cpu, running.peak_memory_bytes()
    wal = machine.wal_bytes(url) - wal
    disk = machine.table_bytes(url) - disk
    return run, Used(cpu / len(run.page_milliseconds) * 1000, memory, wal, disk)


@dataclass(frozen=True)
class Used:
    """What a load cost: CPU milliseconds per page, and bytes of memory, log and disk."""

    cpu: float
    memory: int
    wal: int
    disk: int


def _line(name: str, run: load.Run, used: Used, yardstick: Any, naive: Any) -> str:
    per_million = 1 / run.members
    raw = f"{run.seconds / yardstick.seconds:.2f}" if yardstick else ""
    times = f"{run.per_second / naive.per_second:.1f}" if naive else ""
    wal = f"{used.wal * per_million:.1f}" if yardstick else ""
    return (
        f"| {name} | {run.per_second:,.0f} | {raw} | {times} | {_pages(run)} | {used.cpu:.1f}"
        f" | {used.memory / 1e6:.0f} | {wal} | {used.disk * per_million:.1f} |"
    )


def _pages(run: load.Run) -> str:
    return f"{run.percentile(0.5):.1f} / {run.percentile(0.99):.1f}"


def _yardstick(url: str, workspace: int, ids: list[str]) -> Any:
    if url.startswith("sqlite"):
        return None
    from benchmarks import yardsticks

    yardsticks.raw_sql(url, workspace, ids)  # the first warms the caches, for all that follows
    return yardsticks.raw_sql(url, workspace, ids)


def _yardstick_line(cost: Any, members: int) -> str:
    per_million = 1 / members
    return (
        f"| raw SQL: COPY, INSERT … SELECT … JOIN | {members / cost.seconds:,.0f} | 1.00 | | | | "
        f"| {cost.wal_bytes * per_million:.1f} | {cost.table_bytes * per_million:.1f} |"
    )


def _naive(url: str, arguments: argparse.Namespace, ids: list[str]) -> dict[str, load.Run | None]:
    """A tenth of the members is enough to know its pace."""
    if url.startswith("sqlite"):
        return dict.fromkeys(PROTOCOLS)
    from benchmarks import yardsticks

    runs: dict[str, load.Run | None] = {}
    some = ids[: max(arguments.members // 10, load.PAGE)]
    for protocol, make in PROTOCOLS.items():
        with (
            yardsticks.naive_table(url),
            server.running(
                url, workers=arguments.workers, DJANGO_SETTINGS_MODULE="benchmarks.naive.settings"
            ) as one,
        ):
            runs[protocol] = load.drive(one.port, [partial(make, "unused", "naive", some)])
    return runs


# --- counts ------------------------------------------------------------------------------------------------
def _counts(workspace: int, profiles: int) -> list[str]:
    from benchmarks import counts

    sizes = (profiles // 10, profiles // 2, profiles // 5)
    medians = counts.measure(workspace, sizes, profiles)
    named = ", ".join(f"{size:,}" for size in sizes)
    lines = [
        "",
        f"Counts through the builder's code, every bitmap read from the database; cohorts of {named}:",
        "",
    ]
    lines += ["| count | median ms |", "| --- | ---: |"]
    return lines + [f"| {name} | {milliseconds:.1f} |" for name, milliseconds in medians.items()]


def _report(arguments: argparse.Namespace, lines: list[str]) -> str:
    head = f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {arguments.profiles:,} profiles, {arguments.members:,} members a load\n"
    return "\n".join(
        [
            head,
            f"{machine.describe(os.environ['DATABASE_URL'])}; {arguments.workers} server processes.",
            "",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
