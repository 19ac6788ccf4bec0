"""The production server, as `make serve` starts it, with what it used: CPU time and peak memory."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine


@dataclass
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes] = field(repr=False)

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def cpu_seconds(self) -> float:
        """Return the CPU time all workers used so far."""
        return sum(machine.cpu_seconds(pid) for pid in self.workers())

    def peak_memory_bytes(self) -> int:
        """Return the largest resident size any worker ever had."""
        return max(peak_bytes(pid) for pid in self.workers())


@contextlib.contextmanager
def running(
    database_url: str, *, workers: int, application: str = "config.wsgi:application", **env: str
) -> Iterator[Server]:
    """Start gunicorn on a free port, yield it when it answers, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        application,
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        str(workers),
    ]
    command += ["--no-control-socket", "--log-level", "warning"]
    environment = os.environ | {"DATABASE_URL": database_url, "LOG_LEVEL": "WARNING", **env}
    process = subprocess.Popen(command, env=environment)
    try:
        _wait(port, process)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1).read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server did not start")


def peak_bytes(pid: int) -> int:
    """Return the largest resident size a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
