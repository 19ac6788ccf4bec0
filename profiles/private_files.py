"""Files that hold people's data: below MEDIA_ROOT, nobody else's to read, under names that say nothing.

What a database row says of a file is right: a transaction commits how many bytes of it count. What lies behind was
written by one that was rolled back, and is overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.core.files.storage import default_storage
from django.db import transaction

MODE = 0o600
_PIECE = 1024 * 1024
# Younger than this, a file that no row names may be one whose row is not committed yet.
_YOUNG = timedelta(days=1)


def new(folder: str, *, suffix: str) -> str:
    """Make an empty file; return its name."""
    name = f"{folder}/{uuid4().hex}.{suffix}"
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=MODE)
    return name


def append(path: Path, content: bytes, *, after: int) -> int:
    """Write to a file after the bytes that count, and see it on the disk; return how many count then."""
    with path.open("r+b") as target:
        target.seek(min(after, target.seek(0, 2)))
        target.truncate()
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
        return target.tell()


def pieces(path: Path, *, size: int) -> Iterator[bytes]:
    """Yield the bytes of a file that count."""
    with path.open("rb") as source:
        while size and (piece := source.read(min(size, _PIECE))):
            size -= len(piece)
            yield piece


def drop(name: str | None) -> None:
    """Delete a file, if there is one, once that is committed."""
    if name:
        transaction.on_commit(lambda: default_storage.delete(name))


def sweep(folder: str, *, known: Collection[str], now: datetime) -> int:
    """Delete the files of a folder that no row names: of whoever died before it could. Return how many."""
    swept = 0
    for path in Path(default_storage.path(folder)).glob("*"):
        if f"{folder}/{path.name}" not in known and path.stat().st_mtime < (now - _YOUNG).timestamp():
            path.unlink(missing_ok=True)
            swept += 1
    return swept
