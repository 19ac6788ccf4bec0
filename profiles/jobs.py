"""The life of an import: uploaded, started, read by a worker batch after batch, paused, resumed, done.

A runner does the work: `run(*, job, source, clock)`, a generator. `source` is the uploaded file, open in binary at
its beginning; `job.done_bytes` says where to go on, in whatever measure the runner counts. For each batch it

1. opens a transaction and writes the batch,
2. calls `advance` as the last thing in that transaction: position, counts and faults are committed with the batch,
3. commits, and yields. Only then is `job` read again; a batch that is rolled back leaves no trace anywhere.

`advance` raises StoppedError when the job is not this worker's any more: the runner lets it pass, so that the batch
is rolled back. A file that cannot be imported at all is told by ImportFileError.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from django.db import transaction

from accounts.models import User, Workspace
from profiles import job_claims, job_files
from profiles.job_claims import ACTIVE, Clock
from profiles.models import ImportJob

Status = ImportJob.Status
TASK = "profiles.tasks.run_import"
UNFINISHED_DAYS, DETAIL_DAYS = 7, 30
ENDED = (Status.COMPLETE, Status.CANCELLED, Status.FAILED)


class ImportFileError(ValueError):
    """Nothing of the file can be imported; the message says why."""


class Runner(Protocol):
    """What reads a file, as the module's docstring says."""

    def __call__(self, *, job: ImportJob, source: BinaryIO, clock: Clock) -> Iterator[None]:
        """Import the rest of the file, and yield after every batch that is committed."""


# --- what people do ------------------------------------------------------------------------------------------
def create(
    *, workspace: Workspace, kind: ImportJob.Kind, file_name: str, total_bytes: int, by: User, now: datetime
) -> ImportJob:
    """Return a draft whose file is still to be uploaded. Raises UploadError for a file that is too large."""
    name = job_files.new(kind=kind, total_bytes=total_bytes)
    return ImportJob.objects.create(
        workspace=workspace,
        kind=kind,
        file=name,
        file_name=file_name[-255:],
        total_bytes=total_bytes,
        created_by=by,
        created_at=now,
        beat_at=now,
    )


def start(*, job: ImportJob, options: Mapping[str, Any], is_dry_run: bool = False, now: datetime) -> None:
    """Let a worker import the draft's file from its beginning. A dry run ends as a draft again, with its counts.

    Raises JobStateError, and UploadError if the file is not here as a whole.
    """
    job_files.check_whole(job)
    with transaction.atomic():
        job_claims.step(job, to=Status.WAITING, only_from=[Status.DRAFT], beat_at=now, started_at=now)
        job_files.drop_faults(job)
        _set(
            job,
            options=dict(options),
            is_dry_run=is_dry_run,
            counts={},
            done_bytes=0,
            worked=timedelta(),
            error_bytes=0,
            error_file="",
            last_error="",
            finished_at=None,
        )
        job_claims.queue(job, task=TASK)


def pause(*, job: ImportJob, now: datetime) -> None:
    """Let the worker stop after the batch it is at. Raises JobStateError."""
    job_claims.step(job, to=Status.PAUSED, only_from=ACTIVE, beat_at=now, claim=None)


def resume(*, job: ImportJob, now: datetime) -> None:
    """Go on exactly where the job stopped, or broke off. Raises JobStateError."""
    with transaction.atomic():
        job_claims.step(
            job, to=Status.WAITING, only_from=[Status.PAUSED, Status.FAILED], has_file=True, beat_at=now
        )
        _set(job, last_error="", finished_at=None)
        job_claims.queue(job, task=TASK)


def cancel(*, job: ImportJob, now: datetime) -> None:
    """End a job: what was imported stays, the rest never will be. Raises JobStateError."""
    unfinished = [Status.DRAFT, *ACTIVE, Status.PAUSED]
    job_claims.step(job, to=Status.CANCELLED, only_from=unfinished, finished_at=now, claim=None)
    job_files.drop_source(job)


# --- what the worker does ------------------------------------------------------------------------------------
def work(*, job_id: int, runner: Runner, clock: Clock) -> None:
    """Run a waiting job until it is done or its slice of time is over; another task then goes on.

    Does nothing if the job does not wait: it was paused, or another worker has it. When the database is away the
    job stays as it is, and `revive` takes it up again.
    """
    job = job_claims.claim(ImportJob, job_id=job_id, now=clock())
    if job is None:
        return
    with job_claims.end_told(job, clock=clock):
        try:
            with Path(job.file.path).open("rb") as source:
                batches = runner(job=job, source=source, clock=clock)
                is_done = job_claims.take_steps(job, batches, task=TASK, clock=clock)
        except ImportFileError as error:
            job_claims.fail(job, str(error), now=clock())
            job_files.drop_source(job)
        else:
            if is_done:
                _finish(job, now=clock())


def advance(
    *,
    job: ImportJob,
    done_bytes: int,
    counts: Mapping[str, int],
    now: datetime,
    faults: bytes = b"",
    read_bytes: int | None = None,
) -> None:
    """Commit, with the caller's transaction, how far the job came: `counts` are added, `faults` appended.

    Last in the transaction: from here on it holds the job's row. `read_bytes` is the position in a compressed file,
    for the progress bar. Raises StoppedError.
    """
    row = job_claims.hold(job)
    row.done_bytes = done_bytes
    row.counts = {name: row.counts.get(name, 0) + counts.get(name, 0) for name in {**row.counts, **counts}}
    if read_bytes is not None:
        row.counts["read_bytes"] = read_bytes
    row.worked += now - (row.beat_at or now)
    row.beat_at = now
    job_files.append_faults(row, faults)
    row.save(update_fields=["done_bytes", "counts", "worked", "beat_at", "error_file", "error_bytes"])


def revive(*, now: datetime) -> int:
    """Queue the jobs that no worker has been heard of for a while; return how many."""
    return job_claims.revive(ImportJob, task=TASK, now=now)


# --- what the clock does -------------------------------------------------------------------------------------
def expire(*, now: datetime) -> int:
    """Cancel what nobody went on with, drop files that are not needed any more; return how many jobs that were."""
    too_late, too_old = now - timedelta(days=UNFINISHED_DAYS), now - timedelta(days=DETAIL_DAYS)
    left = ImportJob.objects.filter(status__in=[Status.DRAFT, Status.PAUSED], beat_at__lt=too_late)
    broken = ImportJob.objects.filter(status=Status.FAILED, finished_at__lt=too_late).exclude(file="")
    old = ImportJob.objects.filter(status__in=ENDED, finished_at__lt=too_old).exclude(
        error_file="", options={}
    )
    abandoned, failed, ended = list(left), list(broken), list(old)
    for job in abandoned:
        cancel(job=job, now=now)
    for job in failed:
        job_files.drop_source(job)
    for job in ended:
        job_files.drop_faults(job)
        _set(job, options={}, error_file="", error_bytes=0)
    return len({job.pk for job in (*abandoned, *failed, *ended)})


def forget(*, workspace_id: int, texts: Collection[str]) -> None:
    """Take out of the files of faults the rows that hold one of the texts, as a person was erased.

    The caller owns the transaction; a job that runs meanwhile waits for its end.
    """
    faulty = ImportJob.objects.filter(workspace_id=workspace_id).exclude(error_file="")
    for job in faulty.select_for_update().order_by("id"):
        job.error_bytes = job_files.without(job, texts=texts)
        job.save(update_fields=["error_bytes"])


def _set(job: ImportJob, **values: Any) -> None:
    ImportJob.objects.filter(pk=job.pk).update(**values)
    job.refresh_from_db()


def _finish(job: ImportJob, *, now: datetime) -> None:
    """End a job that came to the end of its file; after a dry run the file waits for the real one."""
    status = Status.DRAFT if job.is_dry_run else Status.COMPLETE
    done = ImportJob.objects.filter(job_claims.mine(job)).update(
        status=status, finished_at=now, beat_at=now, claim=None
    )
    if done and not job.is_dry_run:
        job_files.drop_source(job)
