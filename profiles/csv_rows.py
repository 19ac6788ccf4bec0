"""The rows of a CSV file of profiles: what each column means, and what is wrong with a row.

Pure: nothing here asks the database. Cells are taken as they are, spaces included, because matching is exact.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

import orjson
from django.utils.translation import gettext as _

from profiles import attributes, csv_cells, matching
from profiles.attributes import STANDARD, Attribute, AttributeValueError
from profiles.csv_source import MARK, Format, Lines

EXTERNAL_ID, DEVICE_ID, IGNORED = "external_id", "device_id", ""
ALIAS_PREFIX, CUSTOM_PREFIX = "alias:", "custom:"
DEVICE_SEPARATOR = "|"
MAX_LENGTH, MAX_COLUMNS = 255, 1_000
# A number that is written back exactly as it came. "007", "1.50" and "1e3" are texts, and stay texts.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{0,9}[1-9])?")
_WORDS = {"true": True, "false": False}

Value = str | int | float | bool


class CsvHeaderError(ValueError):
    """The first line does not say what the columns are: nothing of the file can be imported."""


class Header:
    """The columns of a file, sorted once by what they hold: position and name, or for an alias its key's beginning.

    What a column holds is its target: an identifier (`external_id`, `device_id`, `alias:<label>`), a standard
    attribute by its name, `custom:<name>`, or "" for one that is left out. Without `targets`, the names say it.
    """

    def __init__(self, names: Sequence[str], targets: Sequence[str] | None = None) -> None:
        """Sort the columns. Raises CsvHeaderError."""
        if targets is None:
            _check_names(names)
            targets = [target_of(name) for name in names]
        check_targets(targets, count=len(names))
        self.names, self.targets = names, targets
        position = {target: index for index, target in enumerate(targets) if target}
        self.external_id, self.device_id = position.get(EXTERNAL_ID), position.get(DEVICE_ID)
        self.aliases = [
            (index, matching.alias_key(target.removeprefix(ALIAS_PREFIX), ""))
            for target, index in position.items()
            if target.startswith(ALIAS_PREFIX)
        ]
        self.custom = [
            (index, target.removeprefix(CUSTOM_PREFIX))
            for target, index in position.items()
            if target.startswith(CUSTOM_PREFIX)
        ]
        standard = [(index, STANDARD[target]) for target, index in position.items() if target in STANDARD]
        self.texts = [(index, it.column) for index, it in standard if it.read is attributes.text]
        self.checked = [(index, it) for index, it in standard if it.read is not attributes.text]
        self.columns = [it.column for _index, it in standard]
        ids = [self.external_id, *(index for index, _prefix in self.aliases)]
        self.identifiers = [index for index in ids if index is not None]
        self.long = {position.get(DEVICE_ID), position.get("push_tokens")}


def target_of(name: str) -> str:
    """Return what a column holds, by its name alone."""
    if name == csv_cells.REASON:
        return IGNORED
    if name in {EXTERNAL_ID, DEVICE_ID} or name in STANDARD or name.startswith(ALIAS_PREFIX):
        return name
    return CUSTOM_PREFIX + name


def _check_names(names: Sequence[str]) -> None:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise CsvHeaderError(
            _("These columns come more than once: {names}.").format(names=", ".join(repeated))
        )
    if "" in names or ALIAS_PREFIX in names:
        raise CsvHeaderError(_("Every column needs a name, and every alias column a label: alias:<label>."))
    if not any(_identifies(name) for name in names):
        raise CsvHeaderError(_("The first line must name external_id, device_id or alias:<label>."))


def check_targets(targets: Sequence[str], *, count: int) -> None:
    """Raise CsvHeaderError unless targets are those of a file with `count` columns."""
    used = [target for target in targets if target]
    if len(targets) != count:
        raise CsvHeaderError(_("The file has {count} columns now.").format(count=count))
    if repeated := sorted({target for target in used if used.count(target) > 1}):
        told = ", ".join(target.removeprefix(CUSTOM_PREFIX) for target in repeated)
        raise CsvHeaderError(_("Only one column can be each of these: {names}.").format(names=told))
    for target in used:
        _check_target(target)
    if not any(map(_identifies, used)):
        raise CsvHeaderError(_("One column must be the external ID, the device ID or an alias."))


def _check_target(target: str) -> None:
    if target in STANDARD or target in {EXTERNAL_ID, DEVICE_ID}:
        return
    name = target.removeprefix(ALIAS_PREFIX if target.startswith(ALIAS_PREFIX) else CUSTOM_PREFIX)
    if name == target or not name:
        raise CsvHeaderError(_("Every alias needs a label, and every custom attribute a name."))
    if not _is_text(name) or len(name) > MAX_LENGTH:
        told = _("Names of columns are UTF-8 text of at most {count} characters.")
        raise CsvHeaderError(told.format(count=MAX_LENGTH))
    if target.startswith(CUSTOM_PREFIX) and name in STANDARD:
        raise CsvHeaderError(_("“{name}” is a standard attribute: choose it as such.").format(name=name))


def _identifies(target: str) -> bool:
    return target in {EXTERNAL_ID, DEVICE_ID} or target.startswith(ALIAS_PREFIX)


@dataclass(slots=True)
class Row:
    """One row: the identifiers and the values it gives to a profile. Blank cells are not among them."""

    line: int
    cells: Sequence[str]
    external_id: str | None = None
    aliases: Sequence[str] = ()
    devices: Sequence[str] = ()
    attributes: dict[str, Any] = field(default_factory=dict)  # by column
    custom: dict[str, Value] = field(default_factory=dict)
    fault: str = ""
    keys: Sequence[str] = ()  # as `lookup_keys` returns them

    def own_keys(self, *, identified: bool) -> list[str]:
        """Return the keys its profile is to have, if that is an identified or an anonymous one."""
        keys = [matching.external_id_key(self.external_id)] if self.external_id else []
        devices = [matching.device_key(device, identified=identified) for device in self.devices]
        return [*keys, *self.aliases, *devices]

    def lookup_keys(self) -> list[str]:
        """Return every key that may lead to its profile, or to another one that is in its way."""
        others = [matching.device_key(device, identified=True) for device in self.devices]
        return self.own_keys(identified=False) + others


class Reader:
    """The rows of a CSV file, one after another; blank lines do not come at all."""

    def __init__(
        self, source: BinaryIO, *, form: Format | None = None, targets: Sequence[str] | None = None
    ) -> None:
        """Read the first line. Raises CsvHeaderError."""
        self._source, self._form = source, form or Format()
        self._open(0)
        self.header = Header(names_in(self._cells), targets)

    @property
    def position(self) -> int:
        """The byte after the last row that was taken."""
        return self._lines.position

    @property
    def line(self) -> int:
        """The number of the line before the next row."""
        return self._line + self._cells.line_num

    def go_on(self, *, position: int, line: int) -> None:
        """Continue at a position, which `position` and `line` were at before."""
        self._source.seek(position)
        self._open(line)

    def _open(self, line: int) -> None:
        self._line = line
        self._lines = Lines(self._source, self._form.encoding)
        self._cells = csv.reader(self._lines, delimiter=self._form.delimiter)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows that are left."""
        while True:
            line = self.line + 1
            try:
                cells = next(self._cells)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, [], fault=_("not CSV: {reason}").format(reason=error))
                continue
            if cells:
                yield parse(self.header, csv_cells.as_they_were(self.header.names, cells), line=line)


def names_in(cells: Iterator[list[str]]) -> list[str]:
    """Take the names of the columns, whatever they are, from the first line. Raises CsvHeaderError."""
    try:
        first = next(cells, [])
    except csv.Error as error:
        raise CsvHeaderError(_("The first line is not CSV: {reason}.").format(reason=error)) from error
    if len(first) > MAX_COLUMNS:
        told = _("The file has {count} columns; {allowed} are allowed.")
        raise CsvHeaderError(told.format(count=f"{len(first):,}", allowed=f"{MAX_COLUMNS:,}"))
    names = [name.removeprefix(MARK).strip() for name in first]
    return csv_cells.as_they_were(names, names)


def parse(header: Header, cells: Sequence[str], *, line: int) -> Row:
    """Return the row that the cells of a line are, or its fault."""
    if len(cells) != len(header.names):
        told = _("has {count} cells, the first line has {wanted}")
        return Row(line, cells, fault=told.format(count=len(cells), wanted=len(header.names)))
    devices = _devices(header, cells)
    if fault := _fault(header, cells, devices):
        return Row(line, cells, fault=fault)
    row = Row(
        line,
        cells,
        external_id=(cells[header.external_id] or None) if header.external_id is not None else None,
        aliases=[prefix + cells[index] for index, prefix in header.aliases if cells[index]],
        devices=devices,
        attributes={column: cells[index] for index, column in header.texts if cells[index]},
        custom={name: typed(cells[index]) for index, name in header.custom if cells[index]},
    )
    try:
        for index, attribute in header.checked:
            if cells[index]:
                row.attributes[attribute.column] = attribute.read(
                    attribute.name, _json(attribute, cells[index])
                )
    except AttributeValueError as error:
        row.fault = str(error).rstrip(".")
    row.keys = row.lookup_keys()
    if not row.keys:
        row.fault = _("has no external_id, alias or device_id")
    return row


def _json(attribute: Attribute, cell: str) -> Any:
    """Return what a cell holds that is no single value."""
    if attribute.name != "push_tokens":
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None


def _devices(header: Header, cells: Sequence[str]) -> list[str]:
    joined = cells[header.device_id] if header.device_id is not None else ""
    return [device for device in joined.split(DEVICE_SEPARATOR) if device] if joined else []


@lru_cache(maxsize=16_384)  # most columns repeat a few values
def typed(cell: str) -> Value:
    """Return the number or boolean a cell is, if it would be written the same way again; else its text."""
    if cell in _WORDS:
        return _WORDS[cell]
    if match := _NUMBER.fullmatch(cell):
        number = float(cell) if match[2] else int(cell)
        return number if str(number) == cell else cell
    return cell


def _fault(header: Header, cells: Sequence[str], devices: Sequence[str]) -> str:
    """Return what is wrong with the values, "" for nothing. What every row passes comes first, and is cheap."""
    if not "".join(cells).isprintable() or max(map(len, cells)) > MAX_LENGTH:
        for index, (name, cell) in enumerate(zip(header.names, cells, strict=True)):
            if not _is_text(cell):
                return _("{name} holds a NUL character or is not UTF-8").format(name=name)
            if len(cell) > MAX_LENGTH and index not in header.long and header.targets[index]:
                return _too_long(name, cell)
    for index in header.identifiers:
        if cells[index] and matching.is_nobody(cells[index]):
            return _nobody(header.names[index], cells[index])
    for device in devices:
        if len(device) > MAX_LENGTH:
            return _too_long(DEVICE_ID, device)
        if matching.is_nobody(device):
            return _nobody(DEVICE_ID, device)
    return ""


def _too_long(name: str, value: str) -> str:
    told = _("{name} has {count} characters; {allowed} are allowed")
    return told.format(name=name, count=len(value), allowed=MAX_LENGTH)


def _nobody(name: str, value: str) -> str:
    return _("{name} holds “{value}”, which stands for nobody").format(name=name, value=value)


def _is_text(cell: str) -> bool:
    """Whether databases can hold it: no NUL, and no half of a surrogate pair."""
    return "\x00" not in cell and not any("\ud800" <= character <= "\udfff" for character in cell)
