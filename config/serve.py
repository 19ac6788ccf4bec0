"""What `make run` and `make serve` start: migrations, then web server and worker, which end together.

Only the standard library, as the port is looked at before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.5
START_SECONDS = 60
# A little more than gunicorn and the worker give their own children to finish.
STOP_SECONDS = 35
# The demo is for this machine only, whatever .env says of the production.
DEMO = {
    "DATABASE_URL": f"sqlite:///{ROOT / 'var' / 'rollcall.sqlite3'}",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "BEHIND_TLS_PROXY": "false",
    "ENDPOINT_PREFIX": "",
    "HOST": "127.0.0.1",
    "LOG_LEVEL": "WARNING",
    "PUBLIC_URL": "",
    "READYZ_REQUIRES_WORKER": "false",
    "REDIS_URL": "",
    "WEB_CONCURRENCY": "3",
}


class _StopRequested(Exception):  # noqa: N818 - no error: Ctrl-C, or SIGTERM
    """Somebody wants everything to end."""


def main() -> int:
    """Run until told to stop; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check-port", action="store_true", help="only look whether PORT is free")
    parser.add_argument("--demo", action="store_true", help="with demo data, on SQLite")
    options = parser.parse_args()
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if fault := _port_fault(host, port):
        sys.stderr.write(f"{fault}\n")
        return 1
    if options.check_port:
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        return _serve({**os.environ, **(DEMO if options.demo else {})}, port=port, is_demo=options.demo)
    except _StopRequested:
        return 0
    except subprocess.CalledProcessError as error:
        return error.returncode


def _port_fault(host: str, port: str) -> str:
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        return f"PORT is “{port}”: it must be a number from 1 to 65535."
    try:
        # As gunicorn will do it: a port that was in use until a moment ago is free.
        socket.create_server(
            (host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError as error:
        advice = "Stop what listens there, or choose another port, for example: make run PORT=8001"
        return f"Port {port} of {host} is not to be had ({os.strerror(error.errno or 0)}). {advice}"
    return ""


def _serve(environment: Mapping[str, str], *, port: str, is_demo: bool) -> int:
    if not is_demo:
        _manage(environment, "check", "--deploy", "--tag", "rollcall")
    _manage(environment, "migrate", "--no-input", "--verbosity", "0" if is_demo else "1")
    with _running(environment) as processes:
        if is_demo:
            endpoint = f"http://127.0.0.1:{port}"
            _wait_until_ready(endpoint, processes)
            _manage(environment, "load_demo", "--endpoint", endpoint)
        while all(process.poll() is None for process in processes.values()):
            time.sleep(POLL_SECONDS)
        ended = [name for name, process in processes.items() if process.poll() is not None]
        sys.stderr.write(f"The {' and the '.join(ended)} ended by itself, so everything ends.\n")
    return 1


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)  # noqa: S603


@contextlib.contextmanager
def _running(environment: Mapping[str, str]) -> Iterator[Mapping[str, subprocess.Popen[bytes]]]:
    """Start web server and worker, each leader of a group of its own, and leave none of either behind."""
    commands = {
        "web server": [sys.executable, "-m", "gunicorn", "config.wsgi:application"],
        "worker": [sys.executable, "manage.py", "qcluster"],
    }
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            # A group of its own: Ctrl-C reaches this process alone, which ends them in order.
            processes[name] = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603
        yield processes
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for process in processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes.values():
            _end(process, deadline)


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for a process to end by itself, and kill what is left of its group."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0, deadline - time.monotonic()))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_until_ready(endpoint: str, processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and all(process.poll() is None for process in processes.values()):
        try:
            urllib.request.urlopen(f"{endpoint}/readyz", timeout=1).close()  # noqa: S310 - an address of ours
        except OSError:
            time.sleep(POLL_SECONDS / 5)
        else:
            return
    raise subprocess.CalledProcessError(1, "gunicorn")


def _stop(_number: int, _frame: object) -> None:
    raise _StopRequested


if __name__ == "__main__":
    sys.exit(main())
