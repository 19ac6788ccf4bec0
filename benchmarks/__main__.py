"""`make bench ARGS="--profiles 1m"`: measure what comes in and what is counted, print tables, append them to results.md.

`--only people`, `cohorts`, `held`, `segments`, or any part of them: `--only tracking csv`. Every number is `100k`, `1m`, ...
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, population

UNITS = {"k": 1_000, "m": 1_000_000}
RESULTS = Path(__file__).with_name("results.md")
PEOPLE = ("tracking", "csv", "events", "search")
PARTS = ("cohorts", "held", "people", "segments", *PEOPLE)


def main() -> None:
    """Measure what was asked for, each population in a process of its own."""
    arguments = _arguments()
    base = os.environ.get("DATABASE_URL", "sqlite:////tmp/rollcall-bench.sqlite3")
    lines = []
    for measure in (_imports, _segments):
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as process:
            lines += process.submit(measure, base, arguments).result()
    report = _report(arguments, lines, base)
    print(report)
    if not arguments.trial:
        with RESULTS.open("a") as results:
            results.write(report)


def _imports(base: str, arguments: argparse.Namespace) -> list[str]:
    """Measure what comes in, and the counts of cohorts."""
    parts = [part for part in PEOPLE if {part, "people"} & set(arguments.only)]
    if not parts and not {"cohorts", "held"} & set(arguments.only):
        return []
    url = _set_up(base, arguments.profiles, "")
    workspace, lines = population.populate(arguments.profiles), []
    if "cohorts" in arguments.only:
        from benchmarks import cohorts

        lines += cohorts.measure(url, workspace, arguments)
    if "held" in arguments.only:
        from benchmarks import held

        lines += held.measure(url, workspace, arguments)
    if parts:
        from benchmarks import people

        lines += people.measure(url, workspace, parts, arguments)
    return lines


def _segments(base: str, arguments: argparse.Namespace) -> list[str]:
    if "segments" not in arguments.only:
        return []
    if base.startswith("sqlite"):
        return ["", "Segments are measured on PostgreSQL."]
    from benchmarks import segments, segments_data

    _set_up(base, arguments.profiles, "segments_")
    return segments.measure(segments_data.populate(arguments.profiles), arguments)


def _set_up(base: str, profiles: int, people: str) -> str:
    """Let this process work on the database of some people; return its address."""
    url = population.database_url(base, profiles, people)
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
    import django

    django.setup()
    return url


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    numbers = {
        "profiles": ("1m", "profiles in the database: 100k, 1m, 10m"),
        "members": ("1m", "members sent per load of cohorts; at most the profiles"),
        "sent": ("300k", "objects, or events, sent over HTTP per load; at most the profiles"),
        "rows": ("1m", "rows of the CSV file, and events of the raw export; at most the profiles"),
    }
    for name, (default, meaning) in numbers.items():
        parser.add_argument(f"--{name}", type=_number, default=default, help=meaning)
    parser.add_argument("--workers", type=int, default=2, help="processes of the server")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=["cohorts", "held", "people", "segments"],
        help="what to measure",
    )
    parser.add_argument("--trial", action="store_true", help="print the tables, keep none of them")
    arguments = parser.parse_args()
    for name in ("members", "sent", "rows"):
        setattr(arguments, name, min(getattr(arguments, name), arguments.profiles))
    return arguments


def _number(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1].lower()] if text[-1].lower() in UNITS else int(text)


def _report(arguments: argparse.Namespace, lines: list[str], base: str) -> str:
    head = f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {arguments.profiles:,} profiles\n"
    return "\n".join(
        [
            head,
            f"{machine.describe(base)}; {arguments.workers} server processes.",
            "",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
