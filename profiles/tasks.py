"""Scheduled work on profiles. Nothing here is needed for correctness; all of it may run twice, or late."""

from __future__ import annotations

from django.utils import timezone
from django.utils.module_loading import import_string

from profiles import changes, jobs
from profiles.models import ImportJob

RUNNERS = {
    ImportJob.Kind.CSV: "profiles.csv_import.run_job",
    ImportJob.Kind.EVENTS: "profiles.event_files.run_job",
}


def tidy_changes() -> int:
    """Fold and forget old records of the change marker; return how many rows went. Every ten minutes."""
    return changes.tidy(now=timezone.now())


def run_import(job_id: int) -> None:
    """Run an import for a slice of time. Queued by `profiles/jobs.py`; a second one for the same job does nothing."""
    for kind in ImportJob.objects.filter(pk=job_id).values_list("kind", flat=True):
        jobs.work(job_id=job_id, runner=import_string(RUNNERS[ImportJob.Kind(kind)]), clock=timezone.now)


def revive_imports() -> int:
    """Queue the imports whose worker is gone; return how many. Every minute."""
    return jobs.revive(now=timezone.now())


def expire_imports() -> int:
    """Cancel imports nobody went on with, and drop what is not needed any more; return how many. Every night."""
    return jobs.expire(now=timezone.now())
