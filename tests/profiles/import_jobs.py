"""Import jobs for tests, and runners that read their files without importing anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from django.db import transaction

from accounts.models import User
from profiles import job_files, jobs
from profiles.models import ImportJob

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def uploaded(
    by: User, content: bytes, *, kind: ImportJob.Kind = ImportJob.Kind.CSV, **more: Any
) -> ImportJob:
    """Return a draft whose file is here."""
    workspace = by.memberships.get().workspace
    more = {"file_name": "people.csv", "now": NOW, **more}
    job = jobs.create(workspace=workspace, kind=kind, total_bytes=len(content), by=by, **more)
    job_files.append(job=job, offset=0, piece=content)
    return job


def started(by: User, content: bytes, **options: Any) -> ImportJob:
    """Return a job that waits for a worker."""
    job = uploaded(by, content)
    jobs.start(job=job, options=options, now=NOW)
    return job


class Clock:
    """A clock that goes on by `step` with every look."""

    def __init__(self, step: timedelta = timedelta(seconds=1)) -> None:
        self.moment, self.step = NOW, step

    def __call__(self) -> datetime:
        self.moment += self.step
        return self.moment


def each_line(*, job: ImportJob, source: BinaryIO, clock: Clock) -> Iterator[None]:
    """Count lines, one a batch; those with "bad" are at fault."""
    source.seek(job.done_bytes)
    while line := source.readline():
        with transaction.atomic():
            is_bad = b"bad" in line
            jobs.advance(
                job=job,
                done_bytes=job.done_bytes + len(line),
                counts={"rows": 1, "failed": int(is_bad)},
                faults=line if is_bad else b"",
                now=clock(),
            )
        yield
