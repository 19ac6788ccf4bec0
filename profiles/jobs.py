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

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import uuid4

from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from accounts.models import User, Workspace
from profiles import job_files
from profiles.models import ImportJob

Status = ImportJob.Status
Clock = Callable[[], datetime]
TASK = "profiles.tasks.run_import"
# A task ends long before the worker's timeout, and queues the next one: a file may take days.
SLICE = timedelta(minutes=10)
STALE_AFTER = timedelta(minutes=2)
UNFINISHED_DAYS, DETAIL_DAYS = 7, 30

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

ACTIVE = (Status.WAITING, Status.RUNNING)
ENDED = (Status.COMPLETE, Status.CANCELLED, Status.FAILED)


class StoppedError(Exception):
    """The job was paused, cancelled, or taken up by another worker: this one must let it go."""


class JobStateError(Exception):
    """The job is in no state for this: somebody else was faster."""


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
        _change(job, to=Status.WAITING, only_from=[Status.DRAFT], beat_at=now, started_at=now)
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
        _queue(job)


def pause(*, job: ImportJob, now: datetime) -> None:
    """Let the worker stop after the batch it is at. Raises JobStateError."""
    _change(job, to=Status.PAUSED, only_from=ACTIVE, beat_at=now, claim=None)


def resume(*, job: ImportJob, now: datetime) -> None:
    """Go on exactly where the job stopped, or broke off. Raises JobStateError."""
    with transaction.atomic():
        _change(job, to=Status.WAITING, only_from=[Status.PAUSED, Status.FAILED], has_file=True, beat_at=now)
        _set(job, last_error="", finished_at=None)
        _queue(job)


def cancel(*, job: ImportJob, now: datetime) -> None:
    """End a job: what was imported stays, the rest never will be. Raises JobStateError."""
    unfinished = [Status.DRAFT, *ACTIVE, Status.PAUSED]
    _change(job, to=Status.CANCELLED, only_from=unfinished, finished_at=now, claim=None)
    job_files.drop_source(job)


# --- what the worker does ------------------------------------------------------------------------------------
def work(*, job_id: int, runner: Runner, clock: Clock) -> None:
    """Run a waiting job until it is done or its slice of time is over; another task then goes on.

    Does nothing if the job does not wait: it was paused, or another worker has it. When the database is away the
    job stays as it is, and `revive` takes it up again.
    """
    job = _claim(job_id, now=clock())
    if job is None:
        return
    until = clock() + SLICE
    try:
        with Path(job.file.path).open("rb") as source:
            for _batch in runner(job=job, source=source, clock=clock):
                job.refresh_from_db()
                if clock() >= until:
                    _hand_over(job, now=clock())
                    return
        _finish(job, now=clock())
    except StoppedError:
        pass
    except ImportFileError as error:
        _fail(job, str(error), now=clock())
        job_files.drop_source(job)
    except OperationalError:
        raise
    except Exception:
        _fail(job, _("Rollcall failed. Its operator finds the details in the log."), now=clock())
        raise


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
    row = ImportJob.objects.select_for_update().get(pk=job.pk)
    if row.status != Status.RUNNING or row.claim != job.claim:
        raise StoppedError
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
    lost = ImportJob.objects.filter(status__in=ACTIVE, beat_at__lt=now - STALE_AFTER)
    found = [job for job in lost if _take_back(job, now=now)]
    return len(found)


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


# --- steps from one status to the next -----------------------------------------------------------------------
def _change(
    job: ImportJob, *, to: Status, only_from: Collection[str], has_file: bool = False, **more: Any
) -> None:
    """Step to another status. Raises JobStateError if the job, by now, is in none it may come from."""
    rows = ImportJob.objects.filter(pk=job.pk, status__in=only_from)
    if has_file:
        rows = rows.exclude(file="")
    if not rows.update(status=to, **more):
        raise JobStateError(_("This import has moved on meanwhile."))
    job.refresh_from_db()


def _set(job: ImportJob, **values: Any) -> None:
    ImportJob.objects.filter(pk=job.pk).update(**values)
    job.refresh_from_db()


def _queue(job: ImportJob) -> None:
    """Queue a task for the job once that is committed. If that fails, `revive` does it again."""
    transaction.on_commit(lambda: async_task(TASK, job.pk))


def _claim(job_id: int, *, now: datetime) -> ImportJob | None:
    """Take a waiting job for this worker alone: of two that try, the second updates no row."""
    claim = uuid4()
    waiting = ImportJob.objects.filter(pk=job_id, status=Status.WAITING)
    if not waiting.update(status=Status.RUNNING, claim=claim, beat_at=now):
        return None
    return ImportJob.objects.get(pk=job_id, claim=claim)


def _mine(job: ImportJob) -> Q:
    return Q(pk=job.pk, status=Status.RUNNING, claim=job.claim)


def _hand_over(job: ImportJob, *, now: datetime) -> None:
    with transaction.atomic():
        if ImportJob.objects.filter(_mine(job)).update(status=Status.WAITING, claim=None, beat_at=now):
            _queue(job)


def _take_back(job: ImportJob, *, now: datetime) -> bool:
    """Let a job wait again whose worker is gone; if it is not, its next `advance` tells it to stop."""
    lost = ImportJob.objects.filter(pk=job.pk, status=job.status, beat_at=job.beat_at)
    with transaction.atomic():
        if not lost.update(status=Status.WAITING, claim=None, beat_at=now):
            return False
        _queue(job)
    return True


def _finish(job: ImportJob, *, now: datetime) -> None:
    """End a job that came to the end of its file; after a dry run the file waits for the real one."""
    status = Status.DRAFT if job.is_dry_run else Status.COMPLETE
    done = ImportJob.objects.filter(_mine(job)).update(
        status=status, finished_at=now, beat_at=now, claim=None
    )
    if done and not job.is_dry_run:
        job_files.drop_source(job)


def _fail(job: ImportJob, reason: str, *, now: datetime) -> None:
    # The names of columns may be what no database can hold.
    told = _NO_TEXT.sub("\ufffd", reason)[:500]
    ImportJob.objects.filter(_mine(job)).update(
        status=Status.FAILED, last_error=told, finished_at=now, beat_at=now, claim=None
    )
