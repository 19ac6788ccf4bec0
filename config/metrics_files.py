"""Where the processes of one web server keep what they count, so that whichever is scraped can add it all up.

Only the standard library: it must run before anything imports prometheus_client, which looks at the environment then.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def prepare(*, port: str) -> None:
    """Make the directory of the web server at a port, and name it to prometheus_client."""
    folder = Path(os.environ.get("METRICS_DIR") or ROOT / "var" / "metrics") / port
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def empty() -> None:
    """Drop what a web server left that ran here before: counters begin anew, and Prometheus understands that."""
    for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db"):
        file.unlink(missing_ok=True)


def forget(*, pid: int) -> None:
    """Drop the gauges of a process that ended; what it counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - not before `prepare`

    mark_process_dead(pid)
