"""A CSV file as lines of text: which encoding and delimiter it has, and how many bytes were read so far.

Told from the file's beginning, as people do who send a file and know nothing of either: a mark at the beginning, text
that is UTF-8, text that is UTF-16 without a mark, and else what Windows writes in western Europe.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

# A line of a CSV file that is longer is none: read in pieces, so that memory stays the same.
MAX_LINE = 16 * 1024 * 1024
SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 50
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "cp1250", "cp1251")
MARK = "\ufeff"
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WIDE = ("utf-16-le", "utf-16-be")
_NOT_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


@dataclass(frozen=True)
class Format:
    """How the bytes of a file become cells."""

    encoding: str = "utf-8"
    delimiter: str = ","


def detect(source: BinaryIO) -> Format:
    """Return the format a file seems to have; it is read from where it stands, and stands there again."""
    start = source.tell()
    sample = source.read(SAMPLE_BYTES)
    source.seek(start)
    encoding = _encoding(sample)
    return Format(encoding, _delimiter(sample.decode(encoding, "replace")))


def _encoding(sample: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    # Western text in UTF-16 is every other byte zero.
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros.count(0) > len(sample) // 4:
            return encoding
    if _is_utf8(sample):
        return "utf-8"
    return "latin-1" if _NOT_IN_CP1252.intersection(sample) else "cp1252"


def _is_utf8(sample: bytes) -> bool:
    """Whether a text is UTF-8, or UTF-8 with a few bytes that are at fault. It may end within a character."""
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    broken = sum("\udc80" <= character <= "\udcff" for character in text)
    return 2 * broken <= sum(character > "\x7f" for character in text) - broken


def _delimiter(text: str) -> str:
    """Return the delimiter by which most rows have as many cells as the first, and that is the most cells."""
    lines = text.removeprefix(MARK).splitlines(keepends=True)
    whole = lines[:-1] if len(lines) > 1 else lines
    return max(DELIMITERS, key=lambda delimiter: _fit(whole, delimiter))


def _fit(lines: list[str], delimiter: str) -> tuple[bool, bool, int, int]:
    try:
        rows = [row for row in islice(csv.reader(lines, delimiter=delimiter), SAMPLE_ROWS) if row]
    except csv.Error:
        return False, False, 0, 0
    first = len(rows[0]) if rows else 0
    if first <= 1:
        return False, False, 0, 0
    # By a delimiter that stands within quotes, quotes are torn apart.
    is_torn = any(cell.count('"') % 2 for row in rows for cell in row)
    return True, not is_torn, sum(len(row) == first for row in rows), first


class Lines:
    """The lines of a file from where it stands; `position` is the byte after the last line that was taken."""

    def __init__(self, source: BinaryIO, encoding: str) -> None:
        """Begin where the file stands."""
        self.position = source.tell()
        self._lines = self._wide(source, encoding) if encoding in _WIDE else self._narrow(source, encoding)

    def __iter__(self) -> Iterator[str]:
        """Return the lines that are left."""
        return self._lines

    def _narrow(self, source: BinaryIO, encoding: str) -> Iterator[str]:
        # Bytes that are no text become lone surrogates: a fault of their row, written back as they were.
        while line := source.readline(MAX_LINE):
            self.position += len(line)
            yield line.decode(encoding, "surrogateescape")

    def _wide(self, source: BinaryIO, encoding: str) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        rest = ""
        while piece := source.read(SAMPLE_BYTES):
            *lines, rest = (rest + decoder.decode(piece)).split("\n")
            for line in lines:
                yield self._counted(line + "\n", encoding)
            if len(rest) >= MAX_LINE:
                yield self._counted(rest, encoding)
                rest = ""
        if rest:
            yield self._counted(rest, encoding)

    def _counted(self, line: str, encoding: str) -> str:
        self.position += len(line.encode(encoding, "surrogatepass"))
        return line
