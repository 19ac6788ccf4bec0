"""Jobs that import CSV files: broken off, killed, resumed, and every row imported once."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from django.db import connection

from profiles import csv_import, job_claims, jobs, tasks
from profiles.jobs import Status
from profiles.models import ImportJob, Profile
from tests.profiles.factories import ProfileFactory
from tests.profiles.import_jobs import NOW, Clock, started

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(job_claims, "async_task", lambda *task: None)


def people(count: int) -> bytes:
    rows = [f"u{n},d{n},{n}\n" if n % 5 else f"null,,{n}\n" for n in range(count)]
    return ("external_id,device_id,visits\n" + "".join(rows)).encode()


def test_job_that_breaks_off_anywhere_imports_every_row_once(administrator, monkeypatch):
    monkeypatch.setattr(csv_import, "BATCH_ROWS", 7)
    job = started(administrator, people(50))

    def breaks(*, job, source, clock):
        yield from islice(csv_import.run_job(job=job, source=source, clock=clock), 2)
        raise ZeroDivisionError

    for _time in range(3):
        with pytest.raises(ZeroDivisionError):
            jobs.work(job_id=job.pk, runner=breaks, clock=Clock())
        jobs.resume(job=job, now=NOW)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.status, job.done_bytes, job.counts["lines"]) == (Status.COMPLETE, job.total_bytes, 51)
    wanted = {"rows": 50, "created": 40, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 10}
    assert {name: job.counts[name] for name in wanted} == wanted
    with Path(job.error_file.path).open(newline="") as kept:
        faults = list(csv.reader(kept))
    assert faults[0] == ["external_id", "device_id", "visits", "import_error"]
    assert [row[3].split(":")[0] for row in faults[1:]] == [f"line {n + 2}" for n in range(0, 50, 5)]


def test_large_rows_are_fewer_to_a_batch(administrator, monkeypatch):
    monkeypatch.setattr(csv_import, "BATCH_BYTES", 100)
    rows = people(5).partition(b"\n")[2]
    job = started(administrator, people(5) + f"u9,,{'x' * 200}\n".encode() + rows)
    claimed = job_claims.claim(ImportJob, job_id=job.pk, now=NOW)
    with Path(job.file.path).open("rb") as source:
        batches = list(csv_import.run_job(job=claimed, source=source, clock=Clock()))
    job.refresh_from_db()
    assert (len(batches), job.done_bytes, job.counts["rows"]) == (2, job.total_bytes, 11)


def test_row_that_is_no_utf_16_is_a_fault_of_its_own(administrator):
    content = "external_id,x\nu1,\ud800\nu2,b\n".encode("utf-16-le", "surrogatepass")
    job = started(administrator, content, encoding="utf-16-le")
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.status, job.counts["created"], job.counts["failed"]) == (Status.COMPLETE, 1, 1)
    assert "u1,\ufffd,line 2" in Path(job.error_file.path).read_text()


def test_file_whose_columns_are_not_the_mapped_ones_fails_and_says_why(administrator):
    job = started(administrator, b"external_id\nu1\n", targets=["external_id", "email"])
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.status, job.last_error) == (Status.FAILED, "The file has 1 columns now.")


def test_job_keeps_to_its_options(administrator):
    content = "Nummer;Straße\nu1;Ähre\nu2;x\n".encode("utf-16")
    ProfileFactory(external_id="u1")
    options = {"encoding": "utf-16-le", "delimiter": ";", "targets": ["external_id", "custom:street"]}
    job = started(administrator, content, update_only=True, **options)
    tasks.run_import(job.pk)
    assert Profile.objects.get().custom_attributes == {"street": "Ähre"}
    job.refresh_from_db()
    assert (job.counts["updated"], job.counts["skipped"]) == (1, 1)


KILLED = """
import os, signal, sys, django
django.setup()
from django.conf import settings
from profiles import csv_import, jobs, tasks
from tests.profiles.import_jobs import Clock
settings.MEDIA_ROOT = sys.argv[2]
csv_import.BATCH_ROWS = 50
advance, calls = jobs.advance, []
def dies(**more):
    advance(**more)
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
jobs.advance = dies
jobs.work(job_id=int(sys.argv[1]), runner=csv_import.run_job, clock=Clock())
"""


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_worker_that_is_killed_within_a_batch_leaves_no_trace_of_it(administrator, settings):
    job = started(administrator, people(500))
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(job.pk), settings.MEDIA_ROOT],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    job.refresh_from_db()
    assert (job.status, job.counts["rows"], Profile.objects.count()) == (Status.RUNNING, 100, 80)
    assert jobs.revive(now=job.beat_at + 2 * job_claims.STALE_AFTER) == 1
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.status, job.counts["rows"], job.counts["created"]) == (Status.COMPLETE, 500, 400)
    assert Profile.objects.count() == 400
    with Path(job.error_file.path).open(newline="") as kept:
        assert len(list(csv.reader(kept))) == 101
