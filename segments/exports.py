"""The life of an export: ordered, written by a worker chunk after chunk, cancelled, kept for some days, removed.

Whom it holds is evaluated once, when the work begins. Each chunk goes in this order:

1. The chunk's users are looked up. That takes longest, and is done before a transaction begins, which keeps all other
   writers of SQLite away.
2. The export's row is locked. Who cancelled it, or erased a person it holds, came before and is obeyed, or waits.
3. If somebody was erased since step 1, the chunk is looked up again.
4. The lines are written behind what counts of the file, and how far it came is committed.

So an erasure, which locks the rows of exports too, meets no line that it does not know of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils.translation import gettext as _
from pyroaring import BitMap

from accounts import audit
from accounts.models import User
from profiles import bitmaps, export, export_columns, job_claims, private_files
from profiles.job_claims import Clock, JobStateError, StoppedError
from segments import audience, filters
from segments.filters import FilterError
from segments.models import Segment, SegmentExport

Status, Removal = SegmentExport.Status, SegmentExport.Removal
TASK = "segments.tasks_exports.run_export"
FOLDER = "exports"


class ExportError(ValueError):
    """Nothing can be exported; the message says why."""


# --- what people do ------------------------------------------------------------------------------------------
@transaction.atomic
def create(*, segment: Segment, columns: Sequence[str], by: User, now: datetime) -> SegmentExport:
    """Let a worker write the members of a segment to a file, and note who wanted it.

    `columns` are those of `profiles/export_columns.py`. Raises ExportColumnsError.
    """
    export_columns.check(columns)
    ordered = SegmentExport.objects.create(
        workspace_id=segment.workspace_id,
        segment=segment,
        segment_name=segment.name,
        fields=list(columns),
        created_by=by,
        created_at=now,
        beat_at=now,
    )
    _audit(ordered, audit.Action.EXPORT_ORDERED, by=by, now=now)
    job_claims.queue(ordered, task=TASK)
    return ordered


@transaction.atomic
def cancel(*, job: SegmentExport, now: datetime) -> None:
    """End an export after the chunk it is at; nothing of its file is left. Raises JobStateError."""
    job_claims.step(job, to=Status.CANCELLED, only_from=job_claims.ACTIVE, finished_at=now, claim=None)
    _drop_file(job)


def remove(*, job: SegmentExport) -> None:
    """Delete a file before its time. Raises JobStateError."""
    _remove(job, Removal.HAND)


@transaction.atomic
def download(*, job: SegmentExport, by: User, now: datetime) -> BinaryIO:
    """Open the file for somebody, and note who took it. Raises FileNotFoundError if it is not here (any more)."""
    if not is_here(job, now=now):
        raise FileNotFoundError(job.pk)
    _audit(job, audit.Action.EXPORT_DOWNLOADED, by=by, now=now)
    return Path(job.file.path).open("rb")


def is_here(job: SegmentExport, *, now: datetime) -> bool:
    """Whether the file can be downloaded: the nightly clean-up may come after its time."""
    return job.status == Status.COMPLETE and job.expires_at is not None and now < job.expires_at


# --- what the worker does ------------------------------------------------------------------------------------
def work(*, job_id: int, clock: Clock) -> None:
    """Write a waiting export until it is done or its slice of time is over; another task then goes on.

    Does nothing if it does not wait: it was cancelled, or another worker has it.
    """
    job = job_claims.claim(SegmentExport, job_id=job_id, now=clock())
    if job is None:
        return
    with job_claims.end_told(job, clock=clock):
        try:
            if job_claims.take_steps(job, _chunks(job, clock), task=TASK, clock=clock):
                _finish(job, now=clock())
        except ExportError as error:
            _give_up(job)
            job_claims.fail(job, str(error), now=clock())
        except (StoppedError, OperationalError):
            raise
        except Exception:
            _give_up(job)
            raise


def revive(*, now: datetime) -> int:
    """Queue the exports that no worker has been heard of for a while; return how many."""
    return job_claims.revive(SegmentExport, task=TASK, now=now)


def _chunks(job: SegmentExport, clock: Clock) -> Iterator[None]:
    """Write what is left, and yield after every chunk that is committed."""
    members = _begun(job)
    if members is None:
        members = _begin(job, clock)
        yield
    while ids := export.chunk_after(members, job.last_id):
        _write(job, ids, clock)
        yield


def _begun(job: SegmentExport) -> BitMap | None:
    """Return whom an export holds that goes on; None if it is new, or its file is not here as a whole."""
    try:
        is_whole = bool(job.file) and Path(job.file.path).stat().st_size >= job.size_bytes
    except FileNotFoundError:
        is_whole = False
    if not is_whole:
        return None
    return bitmaps.unpack(SegmentExport.objects.values_list("members", flat=True).get(pk=job.pk))


def _begin(job: SegmentExport, clock: Clock) -> BitMap:
    """Evaluate the segment, and begin a file."""
    as_of = clock()
    members = _members(job, now=as_of)
    with transaction.atomic():
        row = job_claims.hold(job)
        private_files.drop(row.file.name)
        row.file = private_files.new(FOLDER, suffix="csv")
        head = export.head(row.fields).encode()
        row.size_bytes = private_files.append(Path(row.file.path), head, after=0)
        row.members, row.total_count, row.started_at = bitmaps.pack(members), len(members), as_of
        row.done_count, row.last_id, row.worked = 0, 0, timedelta()
        row.beat_at = clock()
        row.save()
    return members


def _members(job: SegmentExport, *, now: datetime) -> BitMap:
    """Return whom the segment selects now, as it is saved by now. Raises ExportError."""
    if job.segment is None:
        raise ExportError(_("The segment was deleted before its export began."))
    try:
        tree = filters.parse(job.segment.definition)
        return audience.members(workspace=job.workspace, tree=tree, now=now)
    except FilterError as error:
        raise ExportError(_("A filter of the segment needs attention: open the segment.")) from error


def _write(job: SegmentExport, ids: Sequence[int], clock: Clock) -> None:
    """Write one chunk, in the steps that the module's docstring has."""
    chunk = partial(export.lines, workspace_id=job.workspace_id, profile_ids=ids, columns=job.fields)
    lines = list(chunk())
    with transaction.atomic():
        row = job_claims.hold(job)
        if export.count(workspace_id=job.workspace_id, profile_ids=ids) != len(lines):  # nobody comes to life
            lines = list(chunk())
        content = "".join(lines).encode()
        row.size_bytes = private_files.append(Path(row.file.path), content, after=row.size_bytes)
        row.done_count, row.last_id = row.done_count + len(lines), ids[-1]
        now = clock()
        row.worked, row.beat_at = row.worked + (now - (row.beat_at or now)), now
        row.save(update_fields=["size_bytes", "done_count", "last_id", "worked", "beat_at"])


def _finish(job: SegmentExport, *, now: datetime) -> None:
    expires_at = now + timedelta(days=settings.SEGMENT_EXPORT_DAYS)
    SegmentExport.objects.filter(job_claims.mine(job)).update(
        status=Status.COMPLETE, finished_at=now, beat_at=now, expires_at=expires_at, claim=None
    )


# --- what the clock does -------------------------------------------------------------------------------------
def expire(*, now: datetime) -> int:
    """Remove the files whose time is over, and those that nobody knows of; return how many."""
    old = list(SegmentExport.objects.filter(status=Status.COMPLETE, expires_at__lte=now).defer("members"))
    for job in old:
        with suppress(JobStateError):  # somebody deleted it meanwhile
            _remove(job, Removal.AGE)
    known = set(SegmentExport.objects.exclude(file="").values_list("file", flat=True))
    return len(old) + private_files.sweep(FOLDER, known=known, now=now)


# --- when people are erased or merged ------------------------------------------------------------------------
def forget(*, workspace_id: int, profile_ids: Collection[int]) -> None:
    """Delete the files that hold one of these profiles; those that are being written begin again.

    The caller owns the transaction, in which nobody finds the profiles any more.
    """
    asked = BitMap(profile_ids)
    for job, members in _holding(workspace_id, asked):
        if job.status == Status.COMPLETE:
            _remove(job, Removal.ERASURE)
        elif (members & asked).min() <= job.last_id:
            _begin_again(job)


def follow(*, workspace_id: int, kept_by_merged: Mapping[int, int]) -> None:
    """Know a person who is in a file under the number they have now. The caller owns the transaction."""
    for job, members in _holding(workspace_id, BitMap(kept_by_merged)):
        new = BitMap(kept for merged, kept in kept_by_merged.items() if merged in members) - members
        if not new:
            continue
        if job.status == Status.COMPLETE:
            SegmentExport.objects.filter(pk=job.pk).update(members=bitmaps.pack(members | new))
        elif (members & BitMap(kept_by_merged)).min() <= job.last_id:
            _begin_again(job)


def _holding(workspace_id: int, asked: BitMap) -> Iterator[tuple[SegmentExport, BitMap]]:
    """Yield the exports whose file holds, or will hold, some of these profiles, locked, with all whom it does."""
    known = SegmentExport.objects.filter(workspace_id=workspace_id).exclude(members=None)
    for job in list(known.select_for_update().order_by("id")):
        members = bitmaps.unpack(job.members)
        if members.intersect(asked):
            yield job, members


# --- files come and go ---------------------------------------------------------------------------------------
@transaction.atomic
def _remove(job: SegmentExport, removal: SegmentExport.Removal) -> None:
    job_claims.step(job, to=Status.EXPIRED, only_from=[Status.COMPLETE], removal=removal)
    _drop_file(job)


@transaction.atomic
def _give_up(job: SegmentExport) -> None:
    """Leave no file of an export that fails."""
    _drop_file(job_claims.hold(job))


def _begin_again(job: SegmentExport) -> None:
    """Let a worker evaluate and write an export anew. The caller holds its row."""
    job_claims.step(
        job, to=Status.WAITING, only_from=job_claims.ACTIVE, claim=None, done_count=0, total_count=None
    )
    _drop_file(job)
    job_claims.queue(job, task=TASK)


def _drop_file(job: SegmentExport) -> None:
    """Delete the file, and forget whom it holds. The caller holds the export's row, as it is read last."""
    private_files.drop(job.file.name)
    SegmentExport.objects.filter(pk=job.pk).update(file="", members=None, size_bytes=0, last_id=0)
    job.refresh_from_db()


def _audit(job: SegmentExport, action: audit.Action, *, by: User, now: datetime) -> None:
    audit.record(
        workspace_id=job.workspace_id,
        action=action,
        subject=f"export {job.pk}",
        actor=by,
        detail={"segment": job.segment_id, "fields": job.fields},
        now=now,
    )
