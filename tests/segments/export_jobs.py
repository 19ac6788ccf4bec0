"""Exports for tests: a segment of people, and exports of it that wait, ran or are about to."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from accounts.models import User
from profiles.models import Profile
from segments import exports
from segments.models import Segment, SegmentExport
from tests.cohorts.factories import CohortFactory
from tests.profiles.import_jobs import NOW, Clock
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

COLUMNS = ("external_id", "email")


def segment_of(members: Iterable[Profile | int], **more: Any) -> Segment:
    """Return a segment that selects these profiles."""
    cohort = CohortFactory.create(members=members)
    return SegmentFactory.create(definition=definition(cohorts(cohort.pk)), **more)


def ordered(segment: Segment, by: User, columns: Iterable[str] = COLUMNS) -> SegmentExport:
    """Return an export that waits for a worker."""
    return exports.create(segment=segment, columns=list(columns), by=by, now=NOW)


def run(job: SegmentExport, clock: Clock | None = None) -> SegmentExport:
    """Let a worker have it; return it as it is then."""
    exports.work(job_id=job.pk, clock=clock or Clock())
    return SegmentExport.objects.get(pk=job.pk)


def rows(job: SegmentExport) -> list[list[str]]:
    """Return the lines of an export's file, read as CSV."""
    with Path(job.file.path).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def stopping(monkeypatch, *, after: int, how) -> None:
    """Let something happen between two chunks of an export."""
    original, calls = exports._write, []

    def write(job, ids, clock):
        original(job, ids, clock)
        calls.append(ids)
        if len(calls) == after:
            how(job)

    monkeypatch.setattr(exports, "_write", write)
