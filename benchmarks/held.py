"""Held members: what holding costs a page, and what the sweep costs that lets them join."""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import commands, load, machine, population, server

ROUNDS, JOINING = 3, 10_000
KEYS = ["cohorts_heldkey"]


def measure(url: str, workspace: int, arguments: argparse.Namespace) -> list[str]:
    """Return the tables of what was measured, on a copy: members and users are added."""
    with population.copied(url) as copy, _connected_to(copy):
        ids = _half_known(arguments.members, arguments.profiles)
        lines = [
            f"Held members: full syncs of {len(ids):,} by the webhook, half of them unknown, holding off and on in turn:",
            "",
            *_pages(copy, workspace, ids, arguments.workers),
        ]
        return [*lines, "", *_sweeps(copy, ids), ""]


@contextlib.contextmanager
def _connected_to(url: str) -> Iterator[None]:
    """Let Django work on another database of the same kind."""
    from django.db import connection

    before, name = connection.settings_dict["NAME"], urlsplit(url).path
    connection.close()
    connection.settings_dict["NAME"] = name if url.startswith("sqlite") else name.lstrip("/")
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _half_known(members: int, profiles: int) -> list[str]:
    """Return ids of users and of nobody, in turn."""
    known = load.external_ids(members // 2, profiles, seed=1)
    return [one for number, user in enumerate(known, start=1) for one in (user, f"nobody-{number}")]


# --- pages -------------------------------------------------------------------------------------------------
def _pages(url: str, workspace: int, ids: Sequence[str], workers: int) -> list[str]:
    from django.utils import timezone

    from accounts import keys
    from accounts.models import Workspace

    owner = Workspace.objects.get(pk=workspace)
    made = {"workspace": owner, "partner": "mixpanel", "label": "held", "created_by": None}
    key, secret = keys.create(**made, now=timezone.now())  # type: ignore[arg-type]
    taken: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for number in range(ROUNDS):
        for is_on, rounds in taken.items():
            key.integration.holds_unmatched = is_on
            key.integration.save()
            make = partial(load.webhook_pages, secret, f"held-{number}-{is_on}", ids)
            with server.running(url, workers=workers) as running:
                cpu = running.cpu_seconds()
                run = load.drive(running.port, [make])
                cpu = (running.cpu_seconds() - cpu) / len(run.page_milliseconds) * 1000
            rounds.append((run.percentile(0.5), cpu))
    return _compared(*(list(map(statistics.median, zip(*taken[is_on], strict=True))) for is_on in taken))


def _compared(off: Sequence[float], on: Sequence[float]) -> list[str]:
    names = ("page p50 ms", "CPU ms per page")
    rows = [
        f"| {name} | {a:.1f} | {b:.1f} | {b / a:.2f} |" for name, a, b in zip(names, off, on, strict=True)
    ]
    return ["| of a page of 1,000 | off | on | on of off |", "| --- | ---: | ---: | ---: |", *rows]


# --- sweeps ------------------------------------------------------------------------------------------------
def _sweeps(url: str, ids: Sequence[str]) -> list[str]:
    held = len(ids) // 2 * ROUNDS
    rows = [
        f"| {held:,} held, two keys and more each: MB per million | {_megabytes(url) / held * 1e6:,.0f} |"
    ]
    rows.append(_swept("the first sweep: all are compared with all users"))
    rows.append(_swept("a sweep without news"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "users.csv"
        people = [f"nobody-{number}" for number in range(1, min(JOINING, len(ids) // 2) + 1)]
        file.write_text("\n".join(["external_id", *people, ""]))
        commands.run(url, "import_profiles", str(file), "--workspace", "default")
    rows.append(_swept(f"a sweep after {len(people):,} of them became users"))
    return ["| held members | ms |", "| --- | ---: |", *rows]


def _megabytes(url: str) -> float:
    return machine.table_bytes(url, KEYS) / 1e6


def _swept(name: str) -> str:
    from django.utils import timezone

    from cohorts import held_joins

    began = time.perf_counter()
    joined = held_joins.sweep(now=timezone.now())
    milliseconds = (time.perf_counter() - began) * 1000
    return f"| {name}{f': {joined:,} joins' if joined else ''} | {milliseconds:,.0f} |"
