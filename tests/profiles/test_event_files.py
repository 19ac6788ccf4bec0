"""Files of events: in constant memory, from any position, and after any crash exactly as if nothing had happened."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from profiles import event_files, event_lines, job_claims, jobs
from profiles.models import CustomEvent, EventReceipt, ImportJob
from tests.profiles.event_data import TIME, exported, lines, totals
from tests.profiles.factories import ProfileFactory, make_people
from tests.profiles.import_jobs import NOW, Clock, uploaded

pytestmark = pytest.mark.django_db
Status = ImportJob.Status


@pytest.fixture
def media(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(event_lines, "BLOCK_BYTES", 300)


def started(by: Any, content: bytes, *, is_dry_run: bool = False) -> ImportJob:
    job = uploaded(by, content, kind=ImportJob.Kind.EVENTS, file_name="export.jsonl")
    jobs.start(job=job, options={}, is_dry_run=is_dry_run, now=NOW)
    return job


def worked(job: ImportJob) -> ImportJob:
    jobs.work(job_id=job.pk, runner=event_files.run_job, clock=Clock())
    job.refresh_from_db()
    return job


def faults(job: ImportJob) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in Path(job.error_file.path).read_bytes().splitlines()]


def many(number: int, *, first: int = 0) -> bytes:
    """Events of ten people, each of them another."""
    return lines(*(exported(f"e{it % 3}", f"p{it % 10}", TIME + it) for it in range(first, first + number)))


PEOPLE = [f"p{it}" for it in range(10)]


# --- lines ----------------------------------------------------------------------------------------------------
def read_lines(content: bytes, position: int = 0) -> list[tuple[list[bytes], int]]:
    source = BytesIO(content)
    source.seek(position)
    return list(event_lines._lines(source))


@given(st.lists(st.binary(max_size=30), max_size=12).map(b"\n".join), st.integers(31, 90))
def test_lines_come_whole_and_every_position_leads_on(content, size):
    def lines_from(position: int) -> list[bytes]:
        return [line for found, _ in read_lines(content, position) for line in found]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_lines, "BLOCK_BYTES", size)
        found = read_lines(content)
        expected = content.split(b"\n")
        assert lines_from(0) == (expected if expected[-1] else expected[:-1])
        for index, (_, end) in enumerate(found):
            assert lines_from(end) == [line for later, _ in found[index + 1 :] for line in later]
    assert not found or found[-1][1] == len(content)


def test_an_endless_line_takes_no_memory_and_is_at_fault(monkeypatch):
    monkeypatch.setattr(event_lines, "BLOCK_BYTES", 1_000)
    good = lines(exported())
    content = good + b'{"event": "' + b"x" * 100_000 + b"\n" + good
    source = BytesIO(content)
    read = list(event_lines.read(source, external_id_property=""))
    assert sum(len(block.events) for block in read) == 2
    (fault,) = [fault for block in read for fault in block.faults]
    assert len(fault) < 4_000
    assert read[-1].end == len(content)


def test_blank_lines_and_a_byte_order_mark_are_nothing(workspace):
    content = b"\xef\xbb\xbf" + lines(exported()).replace(b"\n", b"\r\n") + b"\n  \n" + lines(exported())[:-1]
    read = list(event_lines.read(BytesIO(content), external_id_property=""))
    assert sum(len(block.events) for block in read) == 2
    assert sum(block.lines for block in read) == 4
    assert not any(block.faults for block in read)


# --- jobs -----------------------------------------------------------------------------------------------------
def test_a_raw_export_is_imported_and_summed_up(administrator, media):
    ProfileFactory.create(external_id="ann")
    events = [exported(), exported(), exported(time=5), exported(distinct_id="x"), exported(time="soon"), 7]
    job = worked(started(administrator, lines(*events)))
    assert job.status == Status.COMPLETE
    assert {name: job.counts[name] for name in ("rows", "imported", "duplicates")} == {
        "rows": 6,
        "imported": 1,
        "duplicates": 1,
    }
    assert {name: job.counts[name] for name in ("too_old", "unknown_users", "failed")} == {
        "too_old": 1,
        "unknown_users": 1,
        "failed": 2,
    }
    assert totals() == {("ann", "Signed up"): 1}


def test_lines_at_fault_can_be_mended_and_imported(administrator, media):
    ProfileFactory.create(external_id="ann")
    job = worked(started(administrator, lines(exported(), exported(time="soon")) + b"{broken\n"))
    first, second = faults(job)
    assert first["reason"].startswith("line 2: properties.time must be a number")
    assert second["reason"].startswith("line 3: Malformed JSON")
    assert second["line"] == "{broken"
    first["properties"]["time"] = TIME + 9
    again = worked(started(administrator, lines(first)))
    assert again.counts["imported"] == 1


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_job_goes_on_where_it_was_paused(administrator, workspace, media, small_blocks, compress):
    make_people(workspace, PEOPLE)
    job = started(administrator, compress(many(30)))
    job = job_claims.claim(ImportJob, job_id=job.pk, now=NOW)
    assert job is not None
    with Path(job.file.path).open("rb") as source:
        for _batch in islice(event_files.run_job(job=job, source=source, clock=Clock()), 4):
            job.refresh_from_db()
    half = job.counts["imported"]
    assert 0 < half < 30
    assert EventReceipt.objects.count() == half
    jobs.pause(job=job, now=NOW)
    jobs.resume(job=job, now=NOW)
    job = worked(job)
    assert (job.status, job.counts["imported"], job.counts["duplicates"]) == (Status.COMPLETE, 30, 0)
    assert job.counts["lines"] == job.counts["rows"] == 30
    assert sum(totals().values()) == 30


def test_a_paused_job_leaves_its_batch_undone(administrator, workspace, media, small_blocks):
    make_people(workspace, PEOPLE)
    job = job_claims.claim(ImportJob, job_id=started(administrator, many(10)).pk, now=NOW)
    assert job is not None
    jobs.pause(job=ImportJob.objects.get(pk=job.pk), now=NOW)
    with Path(job.file.path).open("rb") as source, pytest.raises(job_claims.StoppedError):
        list(event_files.run_job(job=job, source=source, clock=Clock()))
    assert totals() == {}


def test_a_dry_run_counts_and_writes_nothing(administrator, workspace, media):
    make_people(workspace, PEOPLE)
    job = worked(started(administrator, many(10), is_dry_run=True))
    assert (job.status, job.counts["imported"]) == (Status.DRAFT, 10)
    assert not CustomEvent.objects.exists()
    assert not EventReceipt.objects.exists()
    jobs.start(job=job, options={}, now=NOW)
    assert worked(job).counts["imported"] == 10


def test_broken_gzip_ends_the_job_with_the_reason(administrator, media):
    ProfileFactory.create(external_id="ann")
    job = worked(started(administrator, gzip.compress(lines(exported()))[:-6]))
    assert job.status == Status.FAILED
    assert job.last_error.startswith("This is no complete gzip file")


def test_a_zip_archive_is_refused(administrator, media):
    job = worked(started(administrator, b"PK\x03\x04 and so on"))
    assert job.last_error == "This is a ZIP archive: unpack it, and import the file in it."


# --- the command ----------------------------------------------------------------------------------------------
@pytest.fixture
def export(workspace, tmp_path) -> Path:
    make_people(workspace, PEOPLE)
    file = tmp_path / "export.jsonl.gz"
    file.write_bytes(gzip.compress(many(25) + lines(exported(name=""))))
    return file


def test_the_command_says_how_the_events_fared(export, capsys):
    call_command("import_events", str(export), workspace="default")
    said = capsys.readouterr().out
    assert "26 events: 25 imported, 0 duplicates" in said
    assert "1 at fault" in said
    (fault,) = export.with_name("export.jsonl.errors.jsonl").read_bytes().splitlines()
    assert orjson.loads(fault)["reason"] == "line 26: event must be a string that is not blank."
    call_command("import_events", str(export), workspace="default")
    assert "0 imported, 25 duplicates" in capsys.readouterr().out
    assert sum(totals().values()) == 25


def test_the_command_refuses_what_it_cannot_read(workspace, tmp_path):
    with pytest.raises(CommandError, match="There is no workspace “x”"):
        call_command("import_events", str(tmp_path / "f"), workspace="x")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_events", str(tmp_path / "f"), workspace="default")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"{}")[:-3])
    with pytest.raises(CommandError, match="This is no complete gzip file"):
        call_command("import_events", str(broken), workspace="default")


# --- killed ---------------------------------------------------------------------------------------------------
WORKER = """
import sys, django; django.setup()
from django.conf import settings
from django.utils import timezone
from profiles import event_files, event_lines, jobs
settings.MEDIA_ROOT = sys.argv[2]
event_lines.BLOCK_BYTES = 20_000
def slowly(**more):
    for _ in event_files.run_job(**more):
        print("batch", flush=True)
        yield
jobs.work(job_id=int(sys.argv[1]), runner=slowly, clock=timezone.now)
"""


def process(job: ImportJob, media: Path) -> subprocess.Popen[bytes]:
    database = django_settings.DATABASES["default"]
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        host = f"{database['USER']}@{database['HOST']}"
        url = f"postgres://{host}/{name}"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", WORKER, str(job.pk), str(media)]
    return subprocess.Popen(command, env=environment, cwd=django_settings.BASE_DIR, stdout=subprocess.PIPE)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batches", [1, 3])
def test_a_killed_worker_loses_nothing_and_counts_nothing_twice(administrator, workspace, media, batches):
    make_people(workspace, PEOPLE)
    job = started(administrator, many(3_000) + lines(exported(name="")) + many(3_000, first=2_000))
    worker = process(job, media)
    assert worker.stdout is not None
    for _ in range(batches):
        assert worker.stdout.readline() == b"batch\n"
    worker.send_signal(signal.SIGKILL)
    worker.wait(20)
    worker.stdout.close()
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert job.counts["rows"] < 6_001
    assert EventReceipt.objects.count() == sum(totals().values()) == job.counts["imported"]
    ImportJob.objects.update(beat_at=NOW - job_claims.STALE_AFTER * 2)
    assert jobs.revive(now=NOW) == 1
    job = worked(job)
    assert (job.status, job.counts["rows"], job.counts["failed"]) == (Status.COMPLETE, 6_001, 1)
    assert (job.counts["imported"], job.counts["duplicates"]) == (5_000, 1_000)
    assert sum(totals().values()) == 5_000
    assert len(faults(job)) == 1
