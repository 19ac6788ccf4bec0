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


def test_erasure_waits_for_the_chunk_that_holds_the_person_and_takes_it_back(
    workspace, marketer, monkeypatch
):
    people = make_people(workspace, ["u1", "u2", "u3"])
    job = ordered(segment_of(people.values()), marketer)
    is_read, goes_on, lines = Event(), Event(), export.lines

    def slow(**chunk):
        read = list(lines(**chunk))
        is_read.set()
        assert goes_on.wait(10)
        return iter(read)

    def erase():
        names = [external_id("u2")]
        return erasure.erase(workspace_id=workspace.pk, names=names, author=BY_KEY, now=NOW)

    monkeypatch.setattr(export, "lines", slow)
    with ThreadPoolExecutor(2) as pool:
        worker = pool.submit(apart, run, job)
        assert is_read.wait(10)
        erased = pool.submit(apart, erase)
        with pytest.raises(TimeoutError):
            erased.result(timeout=0.5)  # the worker holds the row
        goes_on.set()
        assert len(erased.result(timeout=20)) == 1
        worker.result(timeout=20)
    job.refresh_from_db()
    if job.status == exports.Status.WAITING:  # the erasure came before the end
        job = run(job)
        assert [row[0] for row in rows(job)] == ["external_id", "u1", "u3"]
    else:
        assert (job.status, job.removal, job.file.name) == ("expired", "erasure", "")
    assert SegmentExport.objects.count() == 1
