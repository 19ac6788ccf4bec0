"""`make run` and `make serve`, as processes: what they refuse, and that nothing of them stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

SECRET = "a-key-of-this-test-0123456789-abcdefghijklmnopqrstuvwxyz"
START_SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(tmp_path: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "SECRET_KEY": SECRET,
        "DEBUG": "false",
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "1",
        "Q_WORKERS": "1",
        **more,
    }
    command = [sys.executable, "-m", "config.serve", *arguments]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def outcome(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=START_SECONDS)
    return process.returncode, errors.decode()


def wait_until_it_answers(port: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("it never answered")


def processes_with(mark: str) -> list[int]:
    """Return the processes whose environment has a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


@pytest.mark.parametrize("arguments", [(), ("--check-port",), ("--demo",)])
def test_port_that_is_taken_is_told_before_anything_else(tmp_path, arguments):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with serving(tmp_path, *arguments, PORT=port) as process:
            status, errors = outcome(process)
    assert status == 1
    assert errors.startswith(f"Port {port} of 127.0.0.1 is not to be had (Address already in use).")
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "-1"])
def test_port_that_is_no_port_is_told(tmp_path, port):
    with serving(tmp_path, "--check-port", PORT=port) as process:
        status, errors = outcome(process)
    assert (status, errors.startswith(f"PORT is “{port}”")) == (1, True)


def test_secret_key_that_everybody_knows_is_refused_before_anything_is_migrated(tmp_path):
    with serving(tmp_path, SECRET_KEY=settings.INSECURE_SECRET_KEY) as process:
        status, errors = outcome(process)
    assert status == 1
    assert "rollcall.E001" in errors


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc to see who is left")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_ends_with_everything_it_started(tmp_path, number):
    port, mark = str(free_port()), f"ROLLCALL_TEST={tmp_path}"
    with serving(tmp_path, PORT=port, ROLLCALL_TEST=str(tmp_path)) as process:
        wait_until_it_answers(port)
        assert len(processes_with(mark)) > 3
        process.send_signal(number)
        status, errors = outcome(process)
    assert status == 0, errors
    assert processes_with(mark) == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the web server")
def test_web_server_that_dies_ends_everything_so_that_somebody_notices(tmp_path):
    port, mark = str(free_port()), f"ROLLCALL_TEST={tmp_path}"
    with serving(tmp_path, PORT=port, ROLLCALL_TEST=str(tmp_path)) as process:
        wait_until_it_answers(port)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        server = next(pid for pid in children if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(int(server), signal.SIGKILL)
        status, errors = outcome(process)
    assert status == 1
    assert "The web server ended by itself" in errors
    assert processes_with(mark) == []
