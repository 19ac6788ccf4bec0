"""The files of imports: uploaded in pieces, read by the worker, faults written beside them. None is ever served.

What counts of a file of faults are `ImportJob.error_bytes` (`profiles/private_files.py`).
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from profiles import csv_cells, private_files
from profiles.csv_rows import DEVICE_SEPARATOR
from profiles.models import ImportJob

MAX_FAULT_BYTES = 100 * 1024 * 1024
_SUFFIXES = {ImportJob.Kind.CSV: "csv", ImportJob.Kind.EVENTS: "jsonl"}


class UploadError(ValueError):
    """A file, or a piece of it, cannot be taken; the message says why."""


# --- the uploaded file ---------------------------------------------------------------------------------------
def new(*, kind: ImportJob.Kind, total_bytes: int) -> str:
    """Make an empty file for an upload; return its name. Raises UploadError for one that is empty or too large."""
    if not total_bytes:
        raise UploadError(_("This file is empty."))
    if total_bytes > settings.MAX_UPLOAD_BYTES:
        allowed = settings.MAX_UPLOAD_BYTES // 1024**2
        raise UploadError(
            _("This file has more than {count} MB, which is the limit.").format(count=f"{allowed:,}")
        )
    return private_files.new("sources", suffix=_SUFFIXES[kind])


def append(*, job: ImportJob, offset: int, piece: bytes) -> int:
    """Write a piece of the file; return how much is here now. A piece that comes again changes nothing.

    Raises UploadError.
    """
    with transaction.atomic():  # whoever starts or cancels the import waits until the piece is written
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        if locked.status != ImportJob.Status.DRAFT or not locked.file:
            raise UploadError(_("This import has moved on meanwhile."))
        here = uploaded_bytes(locked)
        if not 0 <= offset <= here or offset + len(piece) > locked.total_bytes:
            raise UploadError(
                _("This piece does not belong here: the upload goes on at byte {n}.").format(n=here)
            )
        _write(Path(locked.file.path), offset, piece)
        return uploaded_bytes(locked)


def _write(path: Path, offset: int, piece: bytes) -> None:
    try:
        with path.open("r+b") as target:
            target.seek(offset)
            target.write(piece)
    except OSError as error:
        raise UploadError(_("The file could not be kept: {reason}.").format(reason=error.strerror)) from error


def uploaded_bytes(job: ImportJob) -> int:
    """Return how much of the file is here: nothing once the import was cancelled."""
    try:
        return Path(job.file.path).stat().st_size
    except FileNotFoundError:
        return 0


def check_whole(job: ImportJob) -> None:
    """Raise UploadError if the file is not here, or not as a whole."""
    if not job.file or uploaded_bytes(job) != job.total_bytes:
        raise UploadError(_("The file is not here as a whole: upload it again."))


def drop_source(job: ImportJob) -> None:
    """Delete the uploaded file, once that is committed."""
    ImportJob.objects.filter(pk=job.pk).update(file="")
    private_files.drop(job.file.name)


# --- the file of faults --------------------------------------------------------------------------------------
def append_faults(job: ImportJob, faults: bytes) -> None:
    """Append to the file of faults, after what is committed; the caller saves `error_file` and `error_bytes`.

    A file that reached its limit takes no more: the counts go on to say how many there are.
    """
    if not faults or job.error_bytes + len(faults) > MAX_FAULT_BYTES:
        return
    if not job.error_file:
        job.error_file = private_files.new("faults", suffix=_SUFFIXES[ImportJob.Kind(job.kind)])
    job.error_bytes = private_files.append(Path(job.error_file.path), faults, after=job.error_bytes)


def faults(job: ImportJob) -> Iterator[bytes]:
    """Yield the content of the file of faults in pieces, as far as it is committed."""
    return private_files.pieces(Path(job.error_file.path), size=job.error_bytes)


def drop_faults(job: ImportJob) -> None:
    """Delete the file of faults, once that is committed. The caller changes the row."""
    private_files.drop(job.error_file.name)


def without(job: ImportJob, *, texts: Collection[str]) -> int:
    """Write the file of faults anew without the rows that hold one of the texts; return its new size.

    The caller has locked the job's row. Most files hold none of the texts, which is found out much faster.
    """
    path = Path(job.error_file.path)
    if not path.exists():
        return 0
    # What lies behind was rolled back: it must not come back, and may name somebody too.
    os.truncate(path, min(job.error_bytes, path.stat().st_size))
    is_csv = job.kind == ImportJob.Kind.CSV
    if not _holds_any(job, _in_csv(texts) if is_csv else _in_json(texts)):
        return job.error_bytes
    kept = path.with_suffix(".new")
    kept.touch(mode=private_files.MODE)
    with path.open("rb") as source, kept.open("wb") as target:
        (_csv_without if is_csv else _lines_without)(source, target.write, texts)
        size = target.tell()
    kept.replace(path)
    return size


def _holds_any(job: ImportJob, spellings: Collection[bytes]) -> bool:
    longest, before = max(map(len, spellings), default=0), b""
    for piece in faults(job):
        window = before + piece
        if any(spelling in window for spelling in spellings):
            return True
        before = window[-longest:]
    return False


def _in_csv(texts: Collection[str]) -> set[bytes]:
    return {text.replace('"', '""').encode("utf-8", "surrogateescape") for text in texts}


def _in_json(texts: Collection[str]) -> set[bytes]:
    """Return how JSON writes texts; those of a line that is no JSON stand within a text, escaped once more."""
    once = {json.dumps(text, ensure_ascii=is_ascii)[1:-1] for text in texts for is_ascii in (True, False)}
    twice = {json.dumps(text, ensure_ascii=False)[1:-1] for text in once}
    return {text.encode("utf-8", "surrogateescape") for text in once | twice}


def _csv_without(source: BinaryIO, write: Callable[[bytes], object], texts: Collection[str]) -> None:
    """Copy rows in which no cell, and no device of a cell, is one of the texts."""
    unwanted = set(texts)
    lines: list[bytes] = []

    def kept() -> Iterator[str]:
        for line in source:
            lines.append(line)
            yield line.decode("utf-8", "surrogateescape")

    reader = csv.reader(kept())
    while True:
        try:
            if (cells := next(reader, None)) is None:
                return
            if unwanted.isdisjoint(_names(cells)):
                write(b"".join(lines))
        except csv.Error:  # nobody can tell whom such a row names
            pass
        lines.clear()


def _names(cells: Iterable[str]) -> Iterator[str]:
    for cell in map(csv_cells.plain, cells):
        yield cell
        yield from cell.split(DEVICE_SEPARATOR)


def _lines_without(source: BinaryIO, write: Callable[[bytes], object], texts: Collection[str]) -> None:
    """Copy lines of JSON in which none of the texts is a value, a value's end after a colon, or one within."""
    escaped = b"|".join(map(re.escape, _in_json(texts)))
    unwanted = re.compile(rb'["\s:](?:' + escaped + rb')["\s,}\\]')
    for line in source:
        if not texts or not unwanted.search(line):
            write(line)
