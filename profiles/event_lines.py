"""A file of events, one a line, plain or gzip: read in blocks, in constant memory whatever its size, from any position.

Positions count the bytes of the text, not of the compressed file: where a batch ended, the next one begins.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import orjson
from django.utils.translation import gettext as _

from profiles import ahead, event_rows
from profiles.event_rows import Event, EventFaultError
from profiles.jobs import ImportFileError

# A few thousand events. A line may be as long, before it is cut.
BLOCK_BYTES = 4 * 1024 * 1024
# What is sought at once of a file that is taken up again.
STEP_BYTES = 1024**3
REASON = "reason"
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Some lines of a file: the events, the faulty lines as JSON with the reason, and where they end."""

    events: list[Event]
    faults: list[bytes]
    lines: int
    end: int
    read_bytes: int


def read(
    source: BinaryIO, *, external_id_property: str, position: int = 0, line: int = 0
) -> Generator[Block]:
    """Yield the rest of a file from a position on, `line` lines of which were read before.

    The next block is read while the caller is busy with one, who closes what is returned before the file. Raises
    ImportFileError for gzip that is broken.
    """
    return ahead.read(_blocks(source, _text(source), external_id_property, position, line))


def _text(source: BinaryIO) -> BinaryIO:
    begins = source.read(len(_GZIP))
    source.seek(0)
    if begins == _ZIP:
        raise ImportFileError(_("This is a ZIP archive: unpack it, and import the file in it."))
    return cast("BinaryIO", gzip.GzipFile(fileobj=source)) if begins == _GZIP else source


def _blocks(
    source: BinaryIO, text: BinaryIO, external_id_property: str, position: int, line: int
) -> Iterator[Block]:
    try:
        # What is compressed is read again from its beginning: that may take longer than a worker may be silent.
        for step in range(STEP_BYTES, position, STEP_BYTES):
            text.seek(step)
            yield Block([], [], 0, position, source.tell())
        text.seek(position)
        for lines, end in _lines(text):
            events, faults = _parsed(lines, external_id_property, line)
            line += len(lines)
            yield Block(events, faults, len(lines), end, source.tell())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFileError(_("This is no complete gzip file: {reason}").format(reason=error)) from error


def _lines(text: BinaryIO) -> Iterator[tuple[list[bytes], int]]:
    """Yield some whole lines, and the position behind them.

    Of a line without end comes the beginning, then nothing again and again: who imports must be heard of meanwhile.
    """
    end, rest, is_cut = text.tell(), b"", False
    while piece := text.read(BLOCK_BYTES):
        head, newline, tail = piece.rpartition(b"\n")
        if newline:
            whole = rest + head
            end += len(whole) + len(newline)
            yield whole.split(b"\n")[is_cut:], end
            rest, is_cut = tail, False
        elif not is_cut and len(rest) < BLOCK_BYTES:
            rest += piece
        else:
            end += len(rest) + len(piece)
            yield [] if is_cut else [rest], end
            rest, is_cut = b"", True
    if rest:
        yield [rest], end + len(rest)


def _parsed(lines: list[bytes], external_id_property: str, first: int) -> tuple[list[Event], list[bytes]]:
    events: list[Event] = []
    faults: list[bytes] = []
    for number, line in enumerate(lines, first + 1):
        text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if not text or text.isspace():
            continue
        try:
            events.append(event_rows.read(text, external_id_property=external_id_property))
        except EventFaultError as fault:
            faults.append(_faulty(text, f"line {number}: {fault}"))
    return events, faults


def _faulty(line: bytes, reason: str) -> bytes:
    """Return a line with what is wrong with it: once it is mended, it can be imported as it is."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = line.decode("utf-8", "replace")
    value = value if isinstance(value, dict) else {"line": value}
    return orjson.dumps({**value, REASON: reason}) + b"\n"
