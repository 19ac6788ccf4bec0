"""How a job of the worker goes from one status to the next: one worker claims it, another takes it up if that one dies.

The same for imports of files and for exports of segments. Whatever a worker does for a job, it commits together with
a look at the job's row under its lock (`hold`): it learns there that the job is not its own any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from django.db import OperationalError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from profiles.models_jobs import Job

AnyJob = TypeVar("AnyJob", bound=Job)
Clock = Callable[[], datetime]
WAITING, RUNNING, FAILED = "waiting", "running", "failed"
ACTIVE = (WAITING, RUNNING)
# A task ends long before the worker's timeout, and queues the next one: a job may take days.
SLICE = timedelta(minutes=10)
STALE_AFTER = timedelta(minutes=2)

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class StoppedError(Exception):
    """The job was paused, cancelled, or taken up by another worker: this one must let it go."""


class JobStateError(Exception):
    """The job is in no state for this: somebody else was faster."""


# --- steps from one status to the next -----------------------------------------------------------------------
def step(job: Job, *, to: str, only_from: Collection[str], has_file: bool = False, **more: object) -> None:
    """Step to another status. Raises JobStateError if the job, by now, is in none it may come from."""
    rows = _table(type(job)).filter(pk=job.pk, status__in=only_from)
    if has_file:
        rows = rows.exclude(file="")
    if not rows.update(status=to, **more):
        raise JobStateError(job.moved_on)
    job.refresh_from_db()


def queue(job: Job, *, task: str) -> None:
    """Queue a task for the job once that is committed. If that fails, `revive` does it again."""
    transaction.on_commit(lambda: async_task(task, job.pk))


def claim(model: type[AnyJob], *, job_id: int, now: datetime) -> AnyJob | None:
    """Take a waiting job for this worker alone: of two that try, the second updates no row."""
    own = uuid4()
    waiting = _table(model).filter(pk=job_id, status=WAITING)
    if not waiting.update(status=RUNNING, claim=own, beat_at=now):
        return None
    return _table(model).get(pk=job_id, claim=own)


def hold(job: AnyJob) -> AnyJob:
    """Return the job's row, locked until the end of the caller's transaction. Raises StoppedError."""
    row = _table(type(job)).select_for_update().get(pk=job.pk)
    if row.status != RUNNING or row.claim != job.claim:
        raise StoppedError
    return row


def mine(job: Job) -> Q:
    """Return what is true of the job while it is this worker's."""
    return Q(pk=job.pk, status=RUNNING, claim=job.claim)


def fail(job: Job, reason: str, *, now: datetime) -> None:
    """End a job of this worker's with a reason."""
    # The names of columns may be what no database can hold.
    told = _NO_TEXT.sub("\ufffd", reason)[:500]
    _table(type(job)).filter(mine(job)).update(
        status=FAILED, last_error=told, finished_at=now, beat_at=now, claim=None
    )


def revive(model: type[Job], *, task: str, now: datetime) -> int:
    """Queue the jobs that no worker has been heard of for a while; return how many."""
    lost = _table(model).filter(status__in=ACTIVE, beat_at__lt=now - STALE_AFTER)
    found = [job for job in lost if _take_back(job, task=task, now=now)]
    return len(found)


# --- the work ------------------------------------------------------------------------------------------------
def take_steps(job: Job, steps: Iterator[None], *, task: str, clock: Clock) -> bool:
    """Let a claimed job be worked on, step by step; return whether it came to its end.

    If its slice of time is over before, another task goes on. A step is committed when it yields.
    """
    until = clock() + SLICE
    for _step in steps:
        job.refresh_from_db()
        if clock() >= until:
            _hand_over(job, task=task, now=clock())
            return False
    return True


@contextmanager
def end_told(job: Job, *, clock: Clock) -> Iterator[None]:
    """Let the job itself tell what broke it off. When the database is away it stays as it is, and `revive` takes it up."""
    try:
        yield
    except StoppedError:
        pass
    except OperationalError:
        raise
    except Exception:
        fail(job, _("Rollcall failed. Its operator finds the details in the log."), now=clock())
        raise


def _hand_over(job: Job, *, task: str, now: datetime) -> None:
    with transaction.atomic():
        if _table(type(job)).filter(mine(job)).update(status=WAITING, claim=None, beat_at=now):
            queue(job, task=task)


def _take_back(job: Job, *, task: str, now: datetime) -> bool:
    """Let a job wait again whose worker is gone; if it is not, its next `hold` tells it to stop."""
    lost = _table(type(job)).filter(pk=job.pk, status=job.status, beat_at=job.beat_at)
    with transaction.atomic():
        if not lost.update(status=WAITING, claim=None, beat_at=now):
            return False
        queue(job, task=task)
    return True


def _table(model: type[AnyJob]) -> models.QuerySet[AnyJob]:
    return model._default_manager.defer(*model.LARGE)  # noqa: SLF001 - Django's name for it
