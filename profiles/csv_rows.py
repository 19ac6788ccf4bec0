"""The rows of a CSV file of profiles: what each column means, and what is wrong with a row.

Pure: nothing here asks the database. Cells are taken as they are, spaces included, because matching is exact.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from profiles import matching

ATTRIBUTES = ("email", "first_name", "last_name", "phone", "country", "language", "time_zone")
EXTERNAL_ID, DEVICE_ID, ALIAS_PREFIX = "external_id", "device_id", "alias:"
DEVICE_SEPARATOR = "|"
# The column an errors file has more than its source: a corrected one can be imported as it is.
REASON = "import_error"
MAX_LENGTH = 255
# A number that is written back exactly as it came. "007", "1.50" and "1e3" are texts, and stay texts.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{0,9}[1-9])?")
_WORDS = {"true": True, "false": False}

NO_IDENTIFIER = "has no external_id, alias or device_id"

Value = str | int | float | bool


class CsvHeaderError(ValueError):
    """The first line does not say what the columns are: nothing of the file can be imported."""


class Header:
    """The columns of a file, sorted once by what they hold: position and name, or for an alias its key's beginning."""

    def __init__(self, names: Sequence[str]) -> None:
        """Read the names. Raises CsvHeaderError."""
        _check_names(names)
        self.names = names
        position = {name: index for index, name in enumerate(names)}
        self.external_id = position.pop(EXTERNAL_ID, None)
        self.device_id = position.pop(DEVICE_ID, None)
        position.pop(REASON, None)
        self.attributes = [(position.pop(name), name) for name in ATTRIBUTES if name in position]
        self.aliases = [
            (position.pop(name), matching.alias_key(name.removeprefix(ALIAS_PREFIX), ""))
            for name in names
            if name.startswith(ALIAS_PREFIX)
        ]
        columns = [self.external_id, *(index for index, _prefix in self.aliases)]
        self.identifiers = [index for index in columns if index is not None]
        self.custom = [(index, name) for name, index in position.items()]


def _check_names(names: Sequence[str]) -> None:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise CsvHeaderError(f"These columns come more than once: {', '.join(repeated)}.")
    if "" in names or ALIAS_PREFIX in names:
        raise CsvHeaderError("Every column needs a name, and every alias column a label: alias:<label>.")
    if not all(_is_text(name) and len(name) <= MAX_LENGTH for name in names):
        raise CsvHeaderError(f"Names of columns are UTF-8 text of at most {MAX_LENGTH} characters.")
    if not any(name in {EXTERNAL_ID, DEVICE_ID} or name.startswith(ALIAS_PREFIX) for name in names):
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
            yield matching.external_id_key(self.external_id)
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
    if fault := _fault(header, cells):
        return Row(line, cells, fault=fault)
    row = Row(
        line,
        cells,
        external_id=(cells[header.external_id] or None) if header.external_id is not None else None,
        aliases=[prefix + cells[index] for index, prefix in header.aliases if cells[index]],
        devices=_devices(header, cells),
        attributes={name: cells[index] for index, name in header.attributes if cells[index]},
        custom={name: typed(cells[index]) for index, name in header.custom if cells[index]},
    )
    return row if row.external_id or row.aliases or row.devices else replace(row, fault=NO_IDENTIFIER)


def _devices(header: Header, cells: Sequence[str]) -> list[str]:
    joined = cells[header.device_id] if header.device_id is not None else ""
    return [device for device in joined.split(DEVICE_SEPARATOR) if device] if joined else []


def typed(cell: str) -> Value:
    """Return the number or boolean a cell is, if it would be written the same way again; else its text."""
    if cell in _WORDS:
        return _WORDS[cell]
    if match := _NUMBER.fullmatch(cell):
        number = float(cell) if match[2] else int(cell)
        return number if str(number) == cell else cell
    return cell


def _fault(header: Header, cells: Sequence[str]) -> str:
    """Return what is wrong with the values, "" for nothing. What every row passes comes first, and is cheap."""
    if not "".join(cells).isprintable() or max(map(len, cells)) > MAX_LENGTH:
        for index, (name, cell) in enumerate(zip(header.names, cells, strict=True)):
            if not _is_text(cell):
                return f"{name} holds a NUL character or is not UTF-8"
            if len(cell) > MAX_LENGTH and index != header.device_id:
                return f"{name} has {len(cell)} characters; {MAX_LENGTH} are allowed"
    for index in header.identifiers:
        if cells[index] and matching.is_nobody(cells[index]):
            return f"{header.names[index]} holds “{cells[index]}”, which stands for nobody"
    for device in _devices(header, cells):
        if len(device) > MAX_LENGTH:
            return f"{DEVICE_ID} has {len(device)} characters; {MAX_LENGTH} are allowed"
        if matching.is_nobody(device):
            return f"{DEVICE_ID} holds “{device}”, which stands for nobody"
    return ""


def _is_text(cell: str) -> bool:
    """Whether databases can hold it: no NUL, and no half of a surrogate pair."""
    return "\x00" not in cell and not any("\ud800" <= character <= "\udfff" for character in cell)
