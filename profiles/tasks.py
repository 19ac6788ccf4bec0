"""Scheduled work on profiles. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.utils import timezone
from django.utils.module_loading import import_string

from profiles import changes, filter_bitmaps, jobs, people_counts
from profiles.models import ImportJob

RUNNERS = {
    ImportJob.Kind.CSV: "profiles.csv_import.run_job",
    ImportJob.Kind.EVENTS: "profiles.event_files.run_job",
}


class BrokenOffError(Exception):
    """A job broke off. The queue keeps and logs what a task raises, and a database's message may name people."""


@contextmanager
def naming_nobody(kind: str, job_id: int) -> Iterator[None]:
    """Log what breaks a job off, and let the queue know no more than its class."""
    try:
        yield
    except Exception as error:
        log, event = structlog.get_logger(f"rollcall.{kind}s"), f"{kind}_broke_off"
        log.exception(event, job=job_id, exc_info=(type(error), error, error.__traceback__))
        raise BrokenOffError(type(error).__qualname__) from None


def tidy_changes() -> int:
    """Fold and forget old records of the change marker; return how many rows went. Every ten minutes."""
    return changes.tidy(now=timezone.now())


def evict_filter_bitmaps() -> int:
    """Delete filter bitmaps that are not used, or too many; return how many. Every hour."""
    return filter_bitmaps.evict(now=timezone.now())


def count_people() -> int:
    """Note how many users each workspace has; return how many workspaces. Every hour."""
    return people_counts.note(now=timezone.now())


def run_import(job_id: int) -> None:
    """Run an import for a slice of time. Queued by `profiles/jobs.py`; a second one for the same job does nothing.

    Raises BrokenOffError, which says no more than the class of what was raised; the log has the places.
    """
    for kind in ImportJob.objects.filter(pk=job_id).values_list("kind", flat=True):
        runner = import_string(RUNNERS[ImportJob.Kind(kind)])
        with naming_nobody("import", job_id):
            jobs.work(job_id=job_id, runner=runner, clock=timezone.now)


def revive_imports() -> int:
    """Queue the imports whose worker is gone; return how many. Every minute."""
    return jobs.revive(now=timezone.now())


def expire_imports() -> int:
    """Cancel imports nobody went on with, and drop what is not needed any more; return how many. Every night."""
    return jobs.expire(now=timezone.now())
