"""Cohorts: the import through both protocols beside raw SQL and the naive way, and the builder's counts."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from benchmarks import load, machine, server

CLIENTS = (1, 2, 4)
HEAD = (
    "| load | members/s | of raw SQL's time | times naive | page p50 / p99 ms | CPU ms per page | peak MB "
    "| WAL MB per M | disk MB per M |"
)
PROTOCOLS = {"partner": load.partner_pages, "webhook": load.webhook_pages}


def measure(url: str, workspace: int, arguments: argparse.Namespace) -> list[str]:
    """Return the tables of what was measured."""
    lines = [f"Cohorts, {arguments.members:,} members a load:", ""]
    lines += _imports(url, workspace, _key(workspace), arguments)
    return lines + _counts(workspace, arguments.profiles)


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
