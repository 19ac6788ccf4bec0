"""Files of exports go when their time is over, and when a person goes who is in them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import erasure, export, identity, job_claims
from profiles.identity_names import external_id
from profiles.models import Profile
from segments import exports
from tests.profiles.factories import make_people
from tests.profiles.identities import BY_KEY, call
from tests.profiles.import_jobs import NOW
from tests.segments.export_jobs import ordered, rows, run, segment_of, stopping

pytestmark = pytest.mark.django_db
Status = exports.Status


@pytest.fixture(autouse=True)
def queued(settings, tmp_path, monkeypatch) -> list[tuple]:
    """Files go to a folder of the test's own; tasks are noted instead of queued."""
    settings.MEDIA_ROOT = str(tmp_path)
    tasks_queued: list[tuple] = []
    monkeypatch.setattr(job_claims, "async_task", lambda *task: tasks_queued.append(task))
    return tasks_queued


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    """What waits for a commit is done at once: no test here is about a transaction that fails."""
    with django_capture_on_commit_callbacks(execute=True):
        yield


@pytest.fixture
def people(workspace) -> list[int]:
    return list(make_people(workspace, [f"u{number}" for number in range(5)]).values())


@pytest.fixture
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)


def files(tmp_path) -> list[Path]:
    return list((tmp_path / exports.FOLDER).glob("*"))


# --- how it ends ---------------------------------------------------------------------------------------------
def test_file_is_removed_when_its_time_is_over(marketer, people, settings, on_commit, tmp_path):
    settings.SEGMENT_EXPORT_DAYS = 3
    job = run(ordered(segment_of(people), marketer))
    assert job.expires_at == job.finished_at + timedelta(days=3)
    early, late = job.expires_at - timedelta(seconds=1), job.expires_at
    assert exports.is_here(job, now=early)
    assert not exports.is_here(job, now=late)
    assert exports.expire(now=early) == 0
    assert exports.expire(now=late) == 1
    job.refresh_from_db()
    assert (job.status, job.removal, job.file.name, job.members) == (Status.EXPIRED, "age", "", None)


def test_removed_files_are_gone_and_files_nobody_knows_are_swept(
    marketer, people, django_capture_on_commit_callbacks, tmp_path
):
    job = run(ordered(segment_of(people), marketer))
    left = tmp_path / exports.FOLDER / "left.csv"
    left.touch()
    assert exports.expire(now=datetime.now(UTC) - timedelta(days=900)) == 0
    assert len(files(tmp_path)) == 2
    os.utime(left, (0, 0))
    os.utime(job.file.path, (0, 0))
    assert exports.expire(now=NOW) == 1
    assert files(tmp_path) == [Path(job.file.path)]
    with django_capture_on_commit_callbacks(execute=True):
        exports.remove(job=job)
    assert files(tmp_path) == []
    assert job.removal == "hand"


def test_files_are_nobody_elses_to_read_and_their_names_say_nothing(marketer, people):
    job = run(ordered(segment_of(people, name="Ada"), marketer))
    assert Path(job.file.path).stat().st_mode & 0o077 == 0
    assert "ada" not in job.file.name.lower()


# --- people who are erased or merged -------------------------------------------------------------------------
def erase(workspace, *names: str) -> None:
    erasure.erase(workspace_id=workspace.pk, names=[external_id(it) for it in names], author=BY_KEY, now=NOW)


def test_erasure_deletes_the_files_that_hold_the_person_and_no_others(marketer, workspace, people):
    holds, other = (run(ordered(segment_of(them), marketer)) for them in (people[:3], people[3:]))
    erase(workspace, "u1")
    holds.refresh_from_db()
    other.refresh_from_db()
    assert (holds.status, holds.removal, holds.file.name) == (Status.EXPIRED, "erasure", "")
    assert (other.status, other.removal) == (Status.COMPLETE, "")


@pytest.mark.parametrize(("name", "before"), [("u0", False), ("u4", True)])
def test_erasure_during_an_export_leaves_no_line_of_the_person(
    marketer, workspace, people, small_chunks, monkeypatch, name, before
):
    job = ordered(segment_of(people), marketer)
    stopping(monkeypatch, after=1, how=lambda _job: erase(workspace, name))
    job = run(job)
    assert (job.status == Status.COMPLETE) is before
    if not before:
        assert (job.status, job.file.name, job.claim) == (Status.WAITING, "", None)
        monkeypatch.undo()
        job = run(job)
    assert {row[0] for row in rows(job)} == {"external_id", *(f"u{number}" for number in range(5))} - {name}
    assert (len(rows(job)), job.done_count) == (5, 4)


def test_person_who_is_in_a_file_and_was_merged_before_is_erased_from_it_too(marketer, workspace, people):
    job = run(ordered(segment_of([people[0]]), marketer))
    pair = [(external_id("u0"), external_id("u1"))]
    assert call(identity.merge, workspace, pairs=pair) == [None]
    erase(workspace, "u1")
    job.refresh_from_db()
    assert (job.status, job.removal) == (Status.EXPIRED, "erasure")


def test_people_without_exports_cost_an_erasure_one_query_more(marketer, workspace, people):
    with CaptureQueriesContext(connection) as queries:
        exports.forget(workspace_id=workspace.pk, profile_ids=people)
    assert len(queries) == 1


def test_exports_of_another_workspace_are_left_alone(marketer, other_workspace, people):
    job = run(ordered(segment_of(people), marketer))
    exports.forget(workspace_id=other_workspace.pk, profile_ids=people)
    job.refresh_from_db()
    assert job.status == Status.COMPLETE
    assert Profile.objects.live().filter(pk__in=people).count() == 5
