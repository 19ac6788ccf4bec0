"""A CSV file becomes profiles, batch by batch: for a job of the worker, or for the command."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, NamedTuple, TextIO

from django.utils import timezone

from profiles import ahead, attempts, csv_cells, csv_merge, csv_rows, jobs, locks
from profiles.csv_merge import CREATE_AND_UPDATE, Mode, Outcome
from profiles.csv_rows import CsvHeaderError, Header, Row
from profiles.csv_source import Format
from profiles.job_claims import Clock
from profiles.jobs import ImportFileError
from profiles.locks import Lock
from profiles.models import ImportJob

BATCH_ROWS = 20_000
BATCH_BYTES = 32 * 1024 * 1024  # of the file: rows may be large
# Halves of pairs, as a broken file in UTF-16 holds them. Bytes that are no text are others, and written as they were.
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


@dataclass
class Progress:
    """How far an import came. A profile that several batches name is counted in each of them."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    bytes_read: int = 0


def run(
    *,
    workspace_id: int,
    source: BinaryIO,
    rejected: TextIO,
    form: Format | None = None,
    mode: Mode = CREATE_AND_UPDATE,
    clock: Clock = timezone.now,
) -> Iterator[Progress]:
    """Import a CSV file, and yield how far it came after every batch, which then is committed.

    Rows at fault are written to `rejected` with the reason, and the others imported. Raises CsvHeaderError before
    anything is written. Owns its transactions: one per batch.
    """
    reader = csv_rows.Reader(source, form=form)
    header, progress = reader.header, Progress()
    _write_names(rejected, header)
    for batch in ahead.read(_batches(reader)):
        work = partial(csv_merge.merge, workspace_id=workspace_id, header=header, rows=batch.rows, mode=mode)
        outcome = attempts.run(partial(work, now=clock()), alone=_alone(workspace_id))
        _write_faults(rejected, header, outcome)
        for name, count in _counts(batch.rows, outcome).items():
            setattr(progress, name, getattr(progress, name) + count)
        progress.bytes_read = batch.end
        yield progress


def run_job(*, job: ImportJob, source: BinaryIO, clock: Clock) -> Iterator[None]:
    """Import the rest of a job's file (the runner of `profiles/jobs.py`)."""
    try:
        reader = csv_rows.Reader(source, form=format_of(job), targets=job.options.get("targets"))
    except CsvHeaderError as error:
        raise ImportFileError(str(error)) from error
    if job.done_bytes:
        reader.go_on(position=job.done_bytes, line=job.counts["lines"])
    before = reader.line if job.done_bytes else 0
    for batch in ahead.read(_batches(reader)):
        work = partial(_commit, job, reader.header, batch, lines=batch.line - before, clock=clock)
        attempts.run(work, alone=_alone(job.workspace_id))
        before = batch.line
        yield


class _Batch(NamedTuple):
    """Some rows, and where in the file the next ones are."""

    rows: list[Row]
    end: int
    line: int


def _batches(reader: csv_rows.Reader) -> Iterator[_Batch]:
    batch: list[Row] = []
    full = reader.position + BATCH_BYTES
    for row in reader:
        batch.append(row)
        if len(batch) == BATCH_ROWS or reader.position >= full:
            yield _Batch(batch, reader.position, reader.line)
            batch, full = [], reader.position + BATCH_BYTES
    if batch:
        yield _Batch(batch, reader.position, reader.line)


def _alone(workspace_id: int) -> Callable[[], None]:
    """Return how a batch that met other writers twice keeps out those who make users one by one."""
    return partial(locks.alone, Lock.NEWCOMERS, workspace_id=workspace_id)


def format_of(job: ImportJob) -> Format:
    """Return the format that was chosen for a job's file."""
    default = Format()
    encoding, delimiter = (job.options.get(name) for name in ("encoding", "delimiter"))
    return Format(encoding or default.encoding, delimiter or default.delimiter)


def _commit(job: ImportJob, header: Header, batch: _Batch, *, lines: int, clock: Clock) -> None:
    """Write a batch and how far the job came: in one transaction, the caller's."""
    mode = Mode(update_only=bool(job.options.get("update_only")), is_dry_run=job.is_dry_run)
    outcome = csv_merge.merge(
        workspace_id=job.workspace_id, header=header, rows=batch.rows, mode=mode, now=clock()
    )
    text = io.StringIO()
    if not job.error_bytes and outcome.faults:
        _write_names(text, header)
    _write_faults(text, header, outcome)
    jobs.advance(
        job=job,
        done_bytes=batch.end,
        counts={**_counts(batch.rows, outcome), "lines": lines},
        faults=text.getvalue().encode("utf-8", "surrogateescape"),
        now=clock(),
    )


def _counts(rows: list[Row], outcome: Outcome) -> dict[str, int]:
    counted = {name: getattr(outcome, name) for name in ("created", "updated", "unchanged", "skipped")}
    return {"rows": len(rows), **counted, "failed": len(outcome.faults)}


def _write_names(rejected: TextIO, header: Header) -> None:
    rejected.write(csv_cells.line([*_columns(header, header.names), csv_cells.REASON]))


def _write_faults(rejected: TextIO, header: Header, outcome: Outcome) -> None:
    """Write rows as they came, with the reason: a corrected file can be imported as it is."""
    for row, reason in sorted(outcome.faults, key=lambda fault: fault[0].line):
        padding = [""] * (len(header.names) - len(row.cells))
        cells = _columns(header, [*row.cells, *padding])
        rejected.write(csv_cells.line([*cells, f"line {row.line}: {reason}"]))


def _columns(header: Header, cells: Iterable[str]) -> list[str]:
    """Return what is none of the reasons of an earlier import."""
    reasons = [index for index, name in enumerate(header.names) if name == csv_cells.REASON]
    return [_HALVES.sub("\ufffd", cell) for index, cell in enumerate(cells) if index not in reasons]
