"""Exports of a segment's members: what is in the file, and what becomes of it whatever happens."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from profiles import export, export_columns, job_claims
from profiles.export_columns import ExportColumnsError
from profiles.job_claims import JobStateError
from segments import exports, tasks_exports
from segments.models import SegmentExport
from tests.profiles.factories import ProfileFactory, make_people
from tests.profiles.import_jobs import NOW, Clock
from tests.segments.definitions import cohorts, definition
from tests.segments.export_jobs import ordered, rows, run, segment_of, stopping
from tests.segments.factories import SegmentFactory

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


# --- what is in the file -------------------------------------------------------------------------------------
def test_file_holds_every_field_of_the_members_and_nobody_else(marketer, workspace):
    ada = ProfileFactory.create(
        external_id="ada",
        email="ada@example.com",
        first_name="Ada",
        date_of_birth=date(1990, 12, 31),
        last_session_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        email_subscribe="opted_in",
        custom_attributes={
            "plan": "plus",
            "ltv": -1.5,
            "vip": True,
            "tags": ["a", "é"],
            "at": {"$time": "2026"},
        },
        devices=["d1", "d2"],
        aliases=[("crm", "7")],
    )
    nobody = ProfileFactory.create(anonymous=True, email="")
    ProfileFactory.create()
    wanted = [
        *export_columns.NAMES,
        "custom:plan",
        "custom:ltv",
        "custom:vip",
        "custom:tags",
        "custom:at",
        "custom:no",
    ]
    job = run(ordered(segment_of([ada, nobody]), marketer, wanted))
    head, first, second = rows(job)
    found = dict(zip(head, first, strict=True))
    assert {name: value for name, value in found.items() if value} == {
        "profile_id": str(ada.pk),
        "external_id": "ada",
        "device_id": "d1|d2",
        "user_aliases": '[{"alias_name":"7","alias_label":"crm"}]',
        "first_name": "Ada",
        "email": "ada@example.com",
        "dob": "1990-12-31",
        "email_subscribe": "opted_in",
        "date_of_last_session": "2026-01-31T09:30:00Z",
        "created_at": found["created_at"],
        "custom_attributes": found["custom_attributes"],
        "plan": "plus",
        "ltv": "'-1.5",
        "vip": "true",
        "tags": '["a","é"]',
        "at": "2026",
    }
    assert json.loads(found["custom_attributes"]) == ada.custom_attributes
    assert {name: value for name, value in zip(head, second, strict=True) if value} == {
        "profile_id": str(nobody.pk),
        "created_at": second[head.index("created_at")],
    }
    assert (job.status, job.total_count, job.done_count) == (Status.COMPLETE, 2, 2)
    assert job.size_bytes == Path(job.file.path).stat().st_size


def test_no_cell_is_a_formula_wherever_it_comes_from(marketer):
    hostile = '=HYPERLINK("http://evil.example")'
    person = ProfileFactory.create(
        external_id="@x", first_name=hostile, phone="+49", custom_attributes={"-1": "\t=1"}, devices=["=d"]
    )
    columns = ["external_id", "first_name", "phone", "device_id", "custom:-1"]
    job = run(ordered(segment_of([person]), marketer, columns))
    head, row = rows(job)
    assert head == ["external_id", "first_name", "phone", "device_id", "'-1"]
    assert row == ["'@x", f"'{hostile}", "'+49", "'=d", "'\t=1"]
    assert "\"'=HYPERLINK" in Path(job.file.path).read_text()


def test_members_are_those_of_the_moment_the_work_began(marketer, people, small_chunks, monkeypatch):
    segment = segment_of(people[:3])
    job = ordered(segment, marketer)

    def change(_job):
        segment.definition = definition()
        segment.save()

    stopping(monkeypatch, after=1, how=change)
    job = run(job)
    assert [row[0] for row in rows(job)] == ["external_id", "u0", "u1", "u2"]
    assert (job.total_count, job.started_at > NOW) == (3, True)


def test_segment_of_nobody_makes_a_file_with_its_first_line_only(marketer):
    job = run(ordered(segment_of([]), marketer))
    assert (rows(job), job.status, job.total_count) == ([["external_id", "email"]], Status.COMPLETE, 0)


@pytest.mark.parametrize("columns", [[], ["nonsense"], ["custom:"], ["email", "email"], ["push_tokens"]])
def test_columns_that_are_none_are_refused(marketer, columns):
    with pytest.raises(ExportColumnsError):
        ordered(SegmentFactory.create(), marketer, columns)
    assert not SegmentExport.objects.exists()


def test_each_chunk_costs_the_same_however_many_there_are(marketer, workspace, monkeypatch):
    many = list(make_people(workspace, [f"m{number}" for number in range(40)]).values())
    columns = ["external_id", "device_id", "custom:plan"]

    def cost(chunk: int) -> int:
        monkeypatch.setattr(export, "CHUNK", chunk)
        job = ordered(segment, marketer, columns)
        with CaptureQueriesContext(connection) as queries:
            run(job)
        return len(queries)

    segment = segment_of(many)
    cost(40)  # the universe and the cohort are looked up once
    one, two, ten = cost(40), cost(20), cost(4)
    assert ten - one == 9 * (two - one)
    assert two - one <= 8


# --- how it goes ---------------------------------------------------------------------------------------------
def test_order_is_noted_and_queued_once_it_is_committed(marketer, queued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = ordered(SegmentFactory.create(), marketer)
        assert queued == []
    assert queued == [(exports.TASK, job.pk)]
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.actor, entry.subject) == ("export_ordered", marketer, f"export {job.pk}")
    assert str(entry) == f"Members of segment exported · Export {job.pk}"


def test_cancel_ends_it_within_a_chunk_and_leaves_no_file(
    marketer, people, small_chunks, monkeypatch, on_commit, tmp_path
):
    job = ordered(segment_of(people), marketer)
    stopping(monkeypatch, after=1, how=lambda _job: exports.cancel(job=SegmentExport.objects.get(), now=NOW))
    job = run(job)
    assert (job.status, job.done_count, job.file.name, job.members) == (Status.CANCELLED, 2, "", None)
    with pytest.raises(JobStateError):
        exports.cancel(job=job, now=NOW)


def test_cancelled_file_is_gone(marketer, people, django_capture_on_commit_callbacks, tmp_path):
    job = ordered(segment_of(people), marketer)
    claimed = job_claims.claim(SegmentExport, job_id=job.pk, now=NOW)
    next(exports._chunks(claimed, Clock()))
    assert len(files(tmp_path)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        exports.cancel(job=job, now=NOW)
    assert files(tmp_path) == []


def test_slice_of_time_ends_and_another_task_goes_on_where_it_stopped(
    marketer, people, small_chunks, queued, django_capture_on_commit_callbacks
):
    job = ordered(segment_of(people), marketer)
    with django_capture_on_commit_callbacks(execute=True):
        job = run(job, Clock(step=timedelta(minutes=3)))
    assert (job.status, job.claim, 0 < job.done_count < 5) == (Status.WAITING, None, True)
    assert queued == [(exports.TASK, job.pk)]
    job = run(job)
    assert [row[0] for row in rows(job)] == ["external_id", "u0", "u1", "u2", "u3", "u4"]
    assert (job.status, job.done_count) == (Status.COMPLETE, 5)


@pytest.mark.parametrize("is_committed", [True, False])
def test_export_whose_worker_died_is_taken_up_and_every_line_comes_once(
    marketer, people, small_chunks, monkeypatch, is_committed
):
    job = ordered(segment_of(people), marketer)
    save = SegmentExport.save

    def dies(*_args, **_more):
        raise OperationalError

    def away(_job):
        raise OperationalError

    if is_committed:
        stopping(monkeypatch, after=2, how=away)
    else:  # the lines are in the file, and the transaction is rolled back
        stopping(monkeypatch, after=1, how=lambda _job: monkeypatch.setattr(SegmentExport, "save", dies))
    with pytest.raises(OperationalError):
        run(job)
    monkeypatch.setattr(SegmentExport, "save", save)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert exports.revive(now=job.beat_at + job_claims.STALE_AFTER) == 0
    assert exports.revive(now=job.beat_at + 2 * job_claims.STALE_AFTER) == 1
    job = run(job)
    assert [row[0] for row in rows(job)] == ["external_id", "u0", "u1", "u2", "u3", "u4"]
    assert (job.status, job.done_count) == (Status.COMPLETE, 5)


def test_export_whose_file_was_lost_begins_again(marketer, people, small_chunks):
    job = run(ordered(segment_of(people), marketer), Clock(step=timedelta(minutes=3)))
    os.truncate(job.file.path, 3)
    job = run(job)
    assert [row[0] for row in rows(job)] == ["external_id", "u0", "u1", "u2", "u3", "u4"]
    Path(job.file.path).unlink()
    SegmentExport.objects.update(status=Status.WAITING)
    job = run(job)
    assert (len(rows(job)), job.done_count) == (6, 5)


def test_worker_that_lost_its_export_writes_nothing_more(marketer, people, small_chunks):
    job = ordered(segment_of(people), marketer)
    slow = job_claims.claim(SegmentExport, job_id=job.pk, now=NOW)
    chunks = exports._chunks(slow, Clock())
    next(chunks)
    assert exports.revive(now=NOW + timedelta(days=1)) == 1
    with pytest.raises(job_claims.StoppedError):
        next(chunks)
    assert run(job).done_count == 5


def test_second_worker_finds_nothing_to_do(marketer, people):
    job = run(ordered(segment_of(people), marketer))
    before = Path(job.file.path).stat().st_ino
    assert run(job).status == Status.COMPLETE
    assert Path(job.file.path).stat().st_ino == before


def test_export_of_a_segment_that_was_deleted_or_is_at_fault_says_so(marketer, people):
    lost = SegmentFactory.create(definition=definition(cohorts(404)))
    assert "needs attention" in run(ordered(lost, marketer)).last_error
    job = ordered(segment_of(people, name="Gone"), marketer)
    job.segment.delete()
    job = run(job)
    assert (job.status, job.segment_name) == (Status.FAILED, "Gone")
    assert "was deleted" in job.last_error


def test_export_that_breaks_off_names_nobody(marketer, people, monkeypatch, caplog):
    def breaks_off(**_chunk):
        raise ValueError("kim-4711")

    monkeypatch.setattr(export, "lines", breaks_off)
    job = ordered(segment_of(people), marketer)
    with pytest.raises(Exception, match=r"^ValueError$"):
        tasks_exports.run_export(job.pk)
    job.refresh_from_db()
    assert (job.status, "kim" in job.last_error) == (Status.FAILED, False)
    assert (job.file.name, job.members) == ("", None)
