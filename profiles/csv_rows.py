"""The rows of a CSV file of profiles: what each column means, and what is wrong with a row.

Pure: nothing here asks the database. Cells are taken as they are, spaces included, because matching is exact.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from profiles import matching
from profiles.matching import alias_key, external_id_key

ATTRIBUTES = ("email", "first_name", "last_name", "phone", "country", "language", "time_zone")
EXTERNAL_ID, DEVICE_ID, ALIAS_PREFIX = "external_id", "device_id", "alias:"
DEVICE_SEPARATOR = "|"
# The column an errors file has more than its source: a corrected one can be imported as it is.
REASON = "import_error"
MAX_LENGTH = 255
# A number that is written back exactly as it came. "007", "1.50" and "1e3" are texts, and stay texts.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{0,9}[1-9])?")
_WORDS = {"true": True, "false": False}

Value = str | int | float | bool


class CsvHeaderError(ValueError):
    """The first line does not say what the columns are: nothing of the file can be imported."""


@dataclass(frozen=True)
class Header:
    """The columns of a file, by what they hold."""

    names: Sequence[str]

    def __post_init__(self) -> None:
        if repeated := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise CsvHeaderError(f"These columns come more than once: {', '.join(repeated)}.")
        if "" in self.names or ALIAS_PREFIX in self.names:
            raise CsvHeaderError("Every column needs a name, and every alias column a label: alias:<label>.")
        if any(not _is_text(name) or len(name) > MAX_LENGTH for name in self.names):
            raise CsvHeaderError(f"Names of columns are UTF-8 text of at most {MAX_LENGTH} characters.")
        if not any(_is_identifier(name) for name in self.names):
            raise CsvHeaderError("The first line must name external_id, device_id or alias:<label>.")


@dataclass(frozen=True)
class Row:
    """One row: the identifiers and the values it gives to a profile. Blank cells are not among them."""

    line: int
    cells: Sequence[str]
    external_id: str | None = None
    aliases: Sequence[str] = ()
    devices: Sequence[str] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    custom: dict[str, Value] = field(default_factory=dict)
    fault: str = ""

    def own_keys(self, *, identified: bool) -> Iterator[str]:
        """Yield the keys its profile is to have, if that is an identified or an anonymous one."""
        if self.external_id:
            yield external_id_key(self.external_id)
        yield from self.aliases
        for device in self.devices:
            yield matching.device_key(device, identified=identified)

    def lookup_keys(self) -> Iterator[str]:
        """Yield every key that may lead to its profile, or to another one that is in its way."""
        yield from self.own_keys(identified=False)
        for device in self.devices:
            yield matching.device_key(device, identified=True)


def read(source: BinaryIO) -> tuple[Header, Iterator[Row]]:
    """Return the header and the rows of a CSV file in UTF-8, one after another.

    Raises CsvHeaderError. A row at fault comes with its `fault`; blank lines do not come at all.
    """
    # Bytes that are no UTF-8 become lone surrogates: a fault of their row, written back as they were.
    lines = (line.decode("utf-8", "surrogateescape") for line in source)
    reader = csv.reader(lines)
    try:
        first = next(reader, [])
    except csv.Error as error:
        raise CsvHeaderError(f"The first line is not CSV: {error}.") from error
    header = Header([name.removeprefix("\ufeff").strip() for name in first])
    return header, _rows(reader, header)


def _rows(reader: Iterator[list[str]], header: Header) -> Iterator[Row]:
    while True:
        line = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, [], fault=f"not CSV: {error}")
            continue
        if cells:
            yield parse(header, cells, line=line)


def parse(header: Header, cells: Sequence[str], *, line: int) -> Row:
    """Return the row that the cells of a line are, or its fault."""
    if len(cells) != len(header.names):
        return Row(line, cells, fault=f"has {len(cells)} cells, the first line has {len(header.names)}")
    filled = {name: cell for name, cell in zip(header.names, cells, strict=True) if cell}
    filled.pop(REASON, None)
    devices = [device for device in filled.pop(DEVICE_ID, "").split(DEVICE_SEPARATOR) if device]
    if fault := _fault(filled, devices):
        return Row(line, cells, fault=fault)
    return Row(
        line,
        cells,
        external_id=filled.pop(EXTERNAL_ID, None),
        aliases=[_alias(name, filled.pop(name)) for name in list(filled) if name.startswith(ALIAS_PREFIX)],
        devices=devices,
        attributes={name: filled.pop(name) for name in ATTRIBUTES if name in filled},
        custom={name: typed(cell) for name, cell in filled.items()},
    )


def typed(cell: str) -> Value:
    """Return the number or boolean a cell is, if it would be written the same way again; else its text."""
    if cell in _WORDS:
        return _WORDS[cell]
    if match := _NUMBER.fullmatch(cell):
        number = float(cell) if match[2] else int(cell)
        return number if str(number) == cell else cell
    return cell


def _alias(column: str, name: str) -> str:
    return alias_key(column.removeprefix(ALIAS_PREFIX), name)


def _fault(filled: dict[str, str], devices: Sequence[str]) -> str:
    cells = [*filled.items(), *((DEVICE_ID, device) for device in devices)]
    for name, cell in cells:
        if len(cell) > MAX_LENGTH:
            return f"{name} has {len(cell)} characters; {MAX_LENGTH} are allowed"
        if not cell.isprintable() and not _is_text(cell):
            return f"{name} holds a NUL character or is not UTF-8"
    identifiers = [(name, cell) for name, cell in cells if _is_identifier(name)]
    for name, cell in identifiers:
        if matching.is_nobody(cell):
            return f"{name} holds “{cell}”, which stands for nobody"
    return "" if identifiers else "has no external_id, alias or device_id"


def _is_identifier(column: str) -> bool:
    return column in {EXTERNAL_ID, DEVICE_ID} or column.startswith(ALIAS_PREFIX)


def _is_text(cell: str) -> bool:
    """Whether databases can hold it: no NUL, and no half of a surrogate pair."""
    return "\x00" not in cell and not any("\ud800" <= character <= "\udfff" for character in cell)
