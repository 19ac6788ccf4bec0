"""A person is erased while a worker writes the very chunk that holds them: no line stays, whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection

from profiles import erasure, export, job_claims
from profiles.identity_names import external_id
from segments import exports
from segments.models import SegmentExport
from tests.profiles.factories import make_people
from tests.profiles.identities import BY_KEY
from tests.profiles.import_jobs import NOW
from tests.segments.export_jobs import ordered, rows, run, segment_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(job_claims, "async_task", lambda *task: None)


def apart(work, *args):
    """Do some work on a connection of its own."""
    try:
        return work(*args)
    finally:
        connection.close()


@pytest.fixture
def job(workspace, marketer) -> SegmentExport:
    return ordered(segment_of(make_people(workspace, ["u1", "u2", "u3"]).values()), marketer)


def erase(workspace) -> None:
    erasure.erase(workspace_id=workspace.pk, names=[external_id("u2")], author=BY_KEY, now=NOW)


def test_chunk_that_was_read_before_an_erasure_is_read_again(workspace, job, monkeypatch):
    lines, read = export.lines, []

    def outrun(**chunk):
        read.append(list(lines(**chunk)))
        if len(read) == 1:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(apart, erase, workspace).result(timeout=10)
        return iter(read[-1])

    monkeypatch.setattr(export, "lines", outrun)
    job = run(job)
    assert (len(read[0]), [row[0] for row in rows(job)]) == (3, ["external_id", "u1", "u3"])
    assert (job.status, job.done_count) == (exports.Status.COMPLETE, 2)


def test_erasure_waits_for_the_chunk_that_is_written_and_takes_it_back(workspace, job, monkeypatch):
    is_held, goes_on, hold = Event(), Event(), export.count

    def slow(**chunk):
        is_held.set()
        assert goes_on.wait(10)
        return hold(**chunk)

    monkeypatch.setattr(export, "count", slow)
    with ThreadPoolExecutor(2) as pool:
        worker = pool.submit(apart, run, job)
        assert is_held.wait(10)
        erased = pool.submit(apart, erase, workspace)
        with pytest.raises(TimeoutError):
            erased.result(timeout=0.5)
        goes_on.set()
        erased.result(timeout=20)
        worker.result(timeout=20)
    job.refresh_from_db()
    if job.status == exports.Status.WAITING:  # the erasure came before the export's end, and it begins again
        job = run(job)
        assert [row[0] for row in rows(job)] == ["external_id", "u1", "u3"]
    else:
        assert (job.status, job.removal, job.file.name) == ("expired", "erasure", "")
