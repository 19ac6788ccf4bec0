"""The production server as a real process, which can be killed and started again at the same address."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any

START_SECONDS = 20
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


class Server:
    """gunicorn with its workers, on a port of its own."""

    def __init__(self, database_url: str, *, workers: int = 3, **more: str) -> None:
        self.port = free_port()
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": str(workers),
            "LOG_LEVEL": "ERROR",
            **more,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.is_over = False
        self.lock = threading.RLock()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *args: Any) -> None:
        with self.lock:
            self.is_over = True
            self.kill()

    def kill_and_start(self) -> None:
        """Kill it and start it again, unless the test ended meanwhile."""
        with self.lock:
            if not self.is_over:
                self.kill()
                self.start()

    def start(self) -> None:
        """Start, and return once it answers."""
        command = [sys.executable, "-m", "gunicorn", "config.wsgi:application"]
        # A session of its own, so that killing it kills the workers with it.
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self.process.poll() is None, "the server ended while it started"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL the server with all its workers, whatever they are doing."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(START_SECONDS)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def free_port() -> int:
    """Return a free port that no outgoing connection is ever given, so that it is free after a restart too."""
    for port in random.sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def run(command: list[str], database_url: str) -> str:
    """Run a management command in a process of its own; return what it prints."""
    environment = os.environ | {"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"}
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
