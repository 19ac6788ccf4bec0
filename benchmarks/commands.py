"""A command of `manage.py` at work, as the worker or an operator runs it, with what it used."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from benchmarks import machine, server

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Ran:
    """A command that ended well; `seconds` begin with the start of Python."""

    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    wal_bytes: int
    said: str


def run(url: str, *arguments: str) -> Ran:
    """Run a command on a database, and wait for it."""
    environment = os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "manage.py", *arguments]
    wal, began = machine.wal_bytes(url), time.perf_counter()
    with tempfile.TemporaryFile("w+") as progress:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=progress, text=True
        )
        # Not `wait`: this one tells what it used. Its memory is looked at while it runs, for what is told in the end
        # is at least what this process, which forked it, had at that time.
        peak, (ended, status, used) = 0, os.wait4(process.pid, os.WNOHANG)
        while not ended:
            with contextlib.suppress(FileNotFoundError, StopIteration):
                peak = max(peak, server.peak_bytes(process.pid))
            time.sleep(POLL_SECONDS)
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
        said = process.stdout.read() if process.stdout else ""
        process.returncode = os.waitstatus_to_exitcode(status)
        progress.seek(0)
        complaint = progress.read()[-2_000:]
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed: {said}{complaint}")
    cpu = used.ru_utime + used.ru_stime
    return Ran(seconds, cpu, peak, machine.wal_bytes(url) - wal, said.strip())
