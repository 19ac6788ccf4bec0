"""A file of events, Mixpanel's raw export, is imported batch by batch: for a job of the worker, or for the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from django.db import transaction

from profiles import attempts, event_import, event_lines, jobs
from profiles.event_lines import Block
from profiles.job_claims import Clock
from profiles.models import ImportJob


@dataclass
class Progress:
    """How far an import came."""

    rows: int = 0
    imported: int = 0
    duplicates: int = 0
    too_old: int = 0
    unknown_users: int = 0
    failed: int = 0
    bytes_read: int = 0


def run(*, workspace_id: int, source: BinaryIO, rejected: BinaryIO, clock: Clock) -> Iterator[Progress]:
    """Import a file, and yield how far it came after every batch, which then is committed.

    Lines at fault are written to `rejected` with the reason, and the others imported. Raises ImportFileError. Owns
    its transactions: one per batch.
    """
    chosen, progress = event_import.external_id_property(workspace_id=workspace_id), Progress()
    with closing(event_lines.read(source, external_id_property=chosen)) as blocks:
        for block in blocks:
            work = partial(_write, workspace_id, block, clock)
            for name, count in attempts.run(work).items():
                setattr(progress, name, getattr(progress, name) + count)
            rejected.writelines(block.faults)
            progress.bytes_read = block.read_bytes
            yield progress


def run_job(*, job: ImportJob, source: BinaryIO, clock: Clock) -> Iterator[None]:
    """Import the rest of a job's file (the runner of `profiles/jobs.py`)."""
    chosen = event_import.external_id_property(workspace_id=job.workspace_id)
    rest = event_lines.read(
        source, external_id_property=chosen, position=job.done_bytes, line=job.counts.get("lines", 0)
    )
    with closing(rest) as blocks:
        for block in blocks:
            attempts.run(partial(_commit, job, block, clock))
            yield


def _commit(job: ImportJob, block: Block, clock: Clock) -> None:
    """Import a block, and say how far the job came, in the caller's transaction; a dry run keeps only the latter."""
    with transaction.atomic():
        counts = _write(job.workspace_id, block, clock)
        transaction.set_rollback(job.is_dry_run)
    jobs.advance(
        job=job,
        done_bytes=block.end,
        read_bytes=block.read_bytes,
        counts={**counts, "lines": block.lines},
        faults=b"".join(block.faults),
        now=clock(),
    )


def _write(workspace_id: int, block: Block, clock: Clock) -> dict[str, int]:
    counts = event_import.apply(workspace_id=workspace_id, batch=block.events, now=clock())
    failed = len(block.faults)
    return {
        "rows": len(block.events) + failed,
        "imported": counts.imported,
        "duplicates": counts.duplicates,
        "too_old": counts.too_old,
        "unknown_users": counts.unknown_users,
        "failed": failed,
    }
