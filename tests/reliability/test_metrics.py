"""Several processes count, and whichever is scraped adds up what all of them counted."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from tests.api.clients import page_body
from tests.reliability.clients import Sender
from tests.reliability.server import Server, run
from tests.scraping import TOKEN, Scrape

REQUESTS, WORKERS = 60, 3
LIVEZ = {"endpoint": "config.health.livez", "method": "GET", "status": "200"}
PAGES = {"endpoint": "cohorts.api.views.WebhookView", "method": "POST", "status": "200"}


def scrape(server: Server) -> Scrape:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return Scrape(answer.read().decode())


def workers_of(server: Server) -> list[int]:
    assert server.process is not None
    pid = server.process.pid
    return [int(it) for it in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def files_of(folder: Path, kind: str) -> set[int]:
    """Return the processes that keep a file of a kind."""
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob(f"*/{kind}_*.db")}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the processes")
def test_processes_count_together_and_a_new_server_begins_anew(tmp_path):
    url, folder = f"sqlite:///{tmp_path / 'db.sqlite3'}", tmp_path / "metrics"
    run(["migrate", "--verbosity", "0"], url)
    secret = run(["create_data_import_key", "--workspace", "default", "--partner", "mixpanel"], url).strip()
    with Server(url, workers=WORKERS, METRICS_TOKEN=TOKEN, METRICS_DIR=str(folder)) as server:
        # Until each process answered at least once, which is up to the kernel.
        sent, deadline = 0, time.monotonic() + 30
        while sent < REQUESTS or len(files_of(folder, "histogram") & set(workers_of(server))) < WORKERS:
            assert time.monotonic() < deadline, "a process was never asked"
            sent += server.answers()
        sender = Sender(server.port, secret)
        assert sender.once(page_body(["nobody-1", "nobody-2"], action="add_members")) == 200

        seen = scrape(server)
        assert seen("rollcall_requests_total", **LIVEZ) >= sent
        assert seen("rollcall_requests_total", **PAGES) == 1
        assert seen("rollcall_members_received_total", partner="mixpanel") == 2
        assert seen("rollcall_members_unmatched_total", partner="mixpanel", reason="unknown") == 2
        assert seen("rollcall_sync_duration_seconds_count", action="add_members") == 1
        assert scrape(server)("rollcall_requests_total", **LIVEZ) == seen("rollcall_requests_total", **LIVEZ)

        # What a process counted outlives it; the connections it held do not.
        victim = workers_of(server)[0]
        os.kill(victim, signal.SIGKILL)
        while victim in files_of(folder, "gauge_livesum"):
            assert time.monotonic() < deadline, "the gauges of a process outlived it"
            server.answers()
        assert scrape(server)("rollcall_requests_total", **LIVEZ) >= sent
        assert scrape(server)("rollcall_web_database_connections") <= WORKERS

        server.kill_and_start()
        assert scrape(server)("rollcall_requests_total", **LIVEZ) < sent
        assert scrape(server)("rollcall_members_received_total", partner="mixpanel") is None
