"""The life of an import, with runners that do nothing but count."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from profiles import job_claims, job_files, jobs, tasks
from profiles.job_claims import JobStateError
from profiles.jobs import ImportFileError, Status
from profiles.models import ImportJob
from tests.profiles.import_jobs import NOW, Clock, each_line, started, uploaded

pytestmark = pytest.mark.django_db
FILE = b"a\nbad 1\nc\nbad 2\n"


@pytest.fixture(autouse=True)
def queued(settings, tmp_path, monkeypatch) -> list[tuple]:
    """Files go to a folder of the test's own; tasks are noted instead of queued."""
    settings.MEDIA_ROOT = str(tmp_path)
    tasks_queued: list[tuple] = []
    monkeypatch.setattr(job_claims, "async_task", lambda *task: tasks_queued.append(task))
    return tasks_queued


def work(job: ImportJob, runner=each_line, clock=None) -> ImportJob:
    jobs.work(job_id=job.pk, runner=runner, clock=clock or Clock())
    job.refresh_from_db()
    return job


def faults(job: ImportJob) -> bytes:
    return b"".join(job_files.faults(job))


def test_job_runs_to_its_end_and_its_file_goes(administrator, django_capture_on_commit_callbacks):
    job = started(administrator, FILE)
    path = Path(job.file.path)
    with django_capture_on_commit_callbacks(execute=True):
        work(job)
    assert (job.status, job.counts, job.done_bytes) == (Status.COMPLETE, {"rows": 4, "failed": 2}, len(FILE))
    assert faults(job) == b"bad 1\nbad 2\n"
    assert job.finished_at > job.started_at
    assert not path.exists()


def test_start_queues_one_task_once_it_is_committed(
    administrator, queued, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = started(administrator, FILE)
        assert queued == []
    assert queued == [(jobs.TASK, job.pk)]
    assert (job.status, job.started_at) == (Status.WAITING, NOW)


def test_file_that_is_not_here_as_a_whole_is_not_started(administrator):
    job = jobs.create(
        workspace=administrator.memberships.get().workspace,
        kind=ImportJob.Kind.CSV,
        file_name="people.csv",
        total_bytes=10,
        by=administrator,
        now=NOW,
    )
    job_files.append(job=job, offset=0, piece=b"half")
    with pytest.raises(job_files.UploadError, match="not here as a whole"):
        jobs.start(job=job, options={}, now=NOW)


def test_dry_run_ends_as_a_draft_whose_file_can_be_imported(
    administrator, django_capture_on_commit_callbacks
):
    job = uploaded(administrator, FILE)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.start(job=job, options={}, is_dry_run=True, now=NOW)
        work(job)
        assert (job.status, job.is_dry_run, job.counts["rows"]) == (Status.DRAFT, True, 4)
        jobs.start(job=job, options={}, now=NOW)
        assert (job.counts, job.done_bytes, job.error_bytes, job.error_file.name) == ({}, 0, 0, "")
        work(job)
    assert (job.status, job.counts["rows"], faults(job)) == (Status.COMPLETE, 4, b"bad 1\nbad 2\n")


@pytest.mark.parametrize(("stop", "status"), [(jobs.pause, Status.PAUSED), (jobs.cancel, Status.CANCELLED)])
def test_batch_at_work_when_somebody_stops_the_job_is_rolled_back(administrator, stop, status):
    job = started(administrator, FILE)

    def interrupted(*, job, source, clock):
        for number, _batch in enumerate(each_line(job=job, source=source, clock=clock)):
            if number == 1:
                stop(job=ImportJob.objects.get(), now=NOW)
            yield

    work(job, interrupted)
    assert (job.status, job.counts, job.done_bytes) == (status, {"rows": 2, "failed": 1}, len(b"a\nbad 1\n"))
    assert faults(job) == b"bad 1\n"


def test_resumed_job_goes_on_exactly_where_it_stopped(administrator):
    job = started(administrator, FILE)
    jobs.pause(job=job, now=NOW)
    assert work(job).counts == {}
    jobs.resume(job=job, now=NOW)
    assert work(job).counts == {"rows": 4, "failed": 2}
    assert faults(job) == b"bad 1\nbad 2\n"


def test_slice_of_time_ends_and_another_task_goes_on(
    administrator, queued, django_capture_on_commit_callbacks
):
    job = started(administrator, FILE)
    with django_capture_on_commit_callbacks(execute=True):
        work(job, clock=Clock(step=timedelta(minutes=6)))
    assert (job.status, job.claim, job.counts["rows"]) == (Status.WAITING, None, 1)
    assert queued == [(jobs.TASK, job.pk)]
    assert work(job).counts == {"rows": 4, "failed": 2}


def test_job_of_a_worker_that_died_is_taken_up_and_counts_everything_once(administrator, queued):
    job = started(administrator, FILE)

    def dies(*, job, source, clock):
        for number, _batch in enumerate(each_line(job=job, source=source, clock=clock)):
            if number == 1:
                raise OperationalError
            yield

    with pytest.raises(OperationalError):
        work(job, dies)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    with Path(job.error_file.path).open("ab") as rolled_back:
        rolled_back.write(b"of a batch that was never committed")
    assert jobs.revive(now=job.beat_at + job_claims.STALE_AFTER) == 0
    assert jobs.revive(now=job.beat_at + job_claims.STALE_AFTER + timedelta(seconds=1)) == 1
    assert work(job).counts == {"rows": 4, "failed": 2}
    assert faults(job) == b"bad 1\nbad 2\n" == Path(job.error_file.path).read_bytes()


def test_worker_whose_job_was_taken_up_by_another_lets_it_go(administrator):
    job = started(administrator, FILE)

    def overtaken(*, job, source, clock):
        for _batch in each_line(job=job, source=source, clock=clock):
            jobs.revive(now=NOW + timedelta(days=1))
            work(ImportJob.objects.get())
            yield
            break
        yield from each_line(job=job, source=source, clock=clock)

    work(job, overtaken)
    assert (job.status, job.counts) == (Status.COMPLETE, {"rows": 4, "failed": 2})


def test_second_worker_finds_nothing_to_do(administrator):
    job = started(administrator, FILE)

    def meanwhile(*, job, source, clock):
        jobs.work(job_id=job.pk, runner=each_line, clock=clock)
        assert ImportJob.objects.get().counts == {}
        yield from each_line(job=job, source=source, clock=clock)

    assert work(job, meanwhile).counts == {"rows": 4, "failed": 2}


def test_file_that_cannot_be_imported_says_why_and_goes(administrator):
    def refuses(*, job, source, clock):
        raise ImportFileError("There is no column.")
        yield

    job = work(started(administrator, FILE), refuses)
    assert (job.status, job.last_error, job.file.name) == (Status.FAILED, "There is no column.", "")
    with pytest.raises(JobStateError):
        jobs.resume(job=job, now=NOW)


def test_reason_that_no_database_can_hold_is_told_as_far_as_it_is_text(administrator):
    def refuses(*, job, source, clock):
        raise ImportFileError("Two columns are “a\x00\udce9b”.")
        yield

    job = work(started(administrator, FILE), refuses)
    assert (job.status, job.last_error) == (Status.FAILED, "Two columns are “a\ufffd\ufffdb”.")


def test_job_that_broke_keeps_its_file_and_can_be_resumed(administrator):
    def breaks(*, job, source, clock):
        yield from each_line(job=job, source=source, clock=clock)
        raise ZeroDivisionError

    job = started(administrator, FILE)
    with pytest.raises(ZeroDivisionError):
        work(job, breaks)
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert "Rollcall failed" in job.last_error
    jobs.resume(job=job, now=NOW)
    assert (work(job).status, job.counts["rows"], job.last_error) == (Status.COMPLETE, 4, "")


@pytest.mark.parametrize("step", [jobs.pause, jobs.resume, jobs.cancel])
def test_job_that_ended_takes_no_more_orders(administrator, step):
    job = work(started(administrator, FILE))
    with pytest.raises(JobStateError):
        step(job=job, now=NOW)


def test_position_in_a_compressed_file_replaces_the_one_before(administrator):
    def compressed(*, job, source, clock):
        for position in (3, 7):
            with transaction.atomic():
                jobs.advance(job=job, done_bytes=50, counts={}, read_bytes=position, now=clock())
            yield

    assert work(started(administrator, FILE), compressed).counts == {"read_bytes": 7}


# --- the clock -----------------------------------------------------------------------------------------------
def test_what_nobody_went_on_with_is_cancelled_and_its_file_goes(
    administrator, django_capture_on_commit_callbacks
):
    draft, paused, waiting = (
        uploaded(administrator, FILE),
        started(administrator, FILE),
        started(administrator, FILE),
    )
    jobs.pause(job=paused, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.expire(now=NOW + timedelta(days=jobs.UNFINISHED_DAYS)) == 0
        assert jobs.expire(now=NOW + timedelta(days=jobs.UNFINISHED_DAYS, seconds=1)) == 2
    assert not Path(draft.file.path).exists()
    states = dict(ImportJob.objects.values_list("pk", "status"))
    assert states == {draft.pk: "cancelled", paused.pk: "cancelled", waiting.pk: "waiting"}


def test_details_of_an_old_import_go_and_its_counts_stay(administrator, django_capture_on_commit_callbacks):
    job = work(started(administrator, FILE, mapping=["x"]))
    path = Path(job.error_file.path)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.expire(now=job.finished_at + timedelta(days=jobs.DETAIL_DAYS)) == 0
        assert jobs.expire(now=job.finished_at + timedelta(days=jobs.DETAIL_DAYS, seconds=1)) == 1
        assert jobs.expire(now=job.finished_at + timedelta(days=jobs.DETAIL_DAYS + 1)) == 0
    job.refresh_from_db()
    assert (job.options, job.error_file.name, job.counts["rows"]) == ({}, "", 4)
    assert not path.exists()


def test_erased_person_leaves_the_faults_of_her_workspace(administrator, stranger):
    mine, theirs = (
        started(administrator, b"bad,ada\nbad,x|ada|y\nbad,adam\n"),
        started(stranger, b"bad,ada\n"),
    )
    for job in (mine, theirs):
        work(job)
    jobs.forget(workspace_id=mine.workspace_id, texts={"ada"})
    for job in (mine, theirs):
        job.refresh_from_db()
    assert (faults(mine), faults(theirs)) == (b"bad,adam\n", b"bad,ada\n")
    assert Path(mine.error_file.path).stat().st_size == mine.error_bytes


def test_tasks_find_the_work(administrator, monkeypatch):
    monkeypatch.setitem(tasks.RUNNERS, ImportJob.Kind.CSV, "tests.profiles.import_jobs.each_line")
    job = started(administrator, FILE)
    tasks.run_import(job.pk)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert job.counts["rows"] == 4
    assert tasks.revive_imports() == tasks.expire_imports() == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_one_runs_the_job(administrator):
    job = started(administrator, FILE)

    def try_it(_number: int) -> None:
        try:
            jobs.work(job_id=job.pk, runner=each_line, clock=Clock())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(try_it, range(4)))
    job.refresh_from_db()
    assert (job.status, job.counts) == (Status.COMPLETE, {"rows": 4, "failed": 2})
