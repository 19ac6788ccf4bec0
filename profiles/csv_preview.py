"""What a CSV file seems to hold, before anything is imported: its columns, what each could be, and its first rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

import orjson

from profiles import csv_cells, csv_rows
from profiles.attributes import STANDARD
from profiles.csv_rows import CUSTOM_PREFIX, DEVICE_ID, EXTERNAL_ID, IGNORED, Header, Row
from profiles.csv_source import Format, Lines

PREVIEW_ROWS, SAMPLES = 10, 3
# Names of columns, in small letters and with one underscore for whatever stands between words.
_SYNONYMS = {
    EXTERNAL_ID: ("external_user_id", "user_id", "userid", "customer_id", "braze_external_id", "id"),
    DEVICE_ID: ("device", "deviceid", "devices", "device_ids"),
    "email": ("e_mail", "mail", "email_address", "e_mail_address"),
    "first_name": ("firstname", "given_name", "forename"),
    "last_name": ("lastname", "surname", "family_name"),
    "phone": ("phone_number", "telephone", "mobile"),
    "country": ("country_code",),
    "language": ("lang", "locale"),
    "time_zone": ("timezone", "tz"),
    "home_city": ("city", "town"),
    "gender": ("sex",),
    "dob": ("date_of_birth", "birth_date", "birthdate", "birthday"),
    "email_subscribe": ("email_subscription",),
    "push_subscribe": ("push_subscription",),
    "date_of_first_session": ("first_session", "first_seen"),
    "date_of_last_session": ("last_session", "last_seen"),
}
_HALVES = re.compile("[\ud800-\udfff]")
_TARGETS = {name: target for target, names in _SYNONYMS.items() for name in (target, *names)}


@dataclass(frozen=True)
class Column:
    """A column of a file: its name, some of its values, and what it could be."""

    name: str
    samples: Sequence[str]
    suggestion: str


@dataclass(frozen=True)
class Shown:
    """A value as it would be read: as text, and what sort it is."""

    text: str
    sort: str = "text"


@dataclass
class Preview:
    """The first rows as they would be read."""

    rows: list[tuple[Row, list[Shown]]] = field(default_factory=list)


def columns(source: BinaryIO, form: Format) -> list[Column]:
    """Return the columns of a file, read from its beginning."""
    source.seek(0)
    rows = csv.reader(Lines(source, form.encoding), delimiter=form.delimiter)
    names = [_readable(name) for name in csv_rows.names_in(rows)]
    first = [csv_cells.as_they_were(names, row) for row in _first(rows)]
    suggested: set[str] = set()
    found = []
    for index, name in enumerate(names):
        target = _suggestion(name)
        target = f"{CUSTOM_PREFIX}{name}" if target in suggested else target
        suggested.add(target)
        values = [_readable(row[index]) for row in first if index < len(row) and row[index]]
        found.append(Column(name, list(dict.fromkeys(values))[:SAMPLES], target))
    return found


def _readable(text: str) -> str:
    """Return a text as a page can show it: what is none in the chosen encoding, with a mark for it."""
    return _HALVES.sub("\ufffd", text)


def _first(rows: Iterator[list[str]]) -> list[list[str]]:
    try:
        return list(islice(rows, PREVIEW_ROWS))
    except csv.Error:
        return []


def _suggestion(name: str) -> str:
    if not name or name == csv_cells.REASON:
        return IGNORED
    plain = re.sub(r"[\W_]+", "_", name.lower()).strip("_")
    if plain in _TARGETS or plain in STANDARD:
        return _TARGETS.get(plain, plain)
    return csv_rows.target_of(name)


def preview(source: BinaryIO, form: Format, targets: Sequence[str]) -> Preview:
    """Return the first rows of a file as they would be read. Raises CsvHeaderError."""
    source.seek(0)
    reader = csv_rows.Reader(source, form=form, targets=targets)
    used = [index for index, target in enumerate(targets) if target]
    rows = [
        (row, [_shown(reader.header, row, index) for index in used]) for row in islice(reader, PREVIEW_ROWS)
    ]
    return Preview(rows)


def _shown(header: Header, row: Row, index: int) -> Shown:
    if row.fault or not row.cells[index]:
        return Shown(_readable(row.cells[index]) if index < len(row.cells) else "")
    target = header.targets[index]
    if target.startswith(CUSTOM_PREFIX):
        return _in_words(row.custom[target.removeprefix(CUSTOM_PREFIX)])
    if target in STANDARD:
        return _in_words(row.attributes[STANDARD[target].column])
    return Shown(", ".join(row.devices) if target == DEVICE_ID else row.cells[index])


def _in_words(value: Any) -> Shown:
    match value:
        case bool():
            return Shown("true" if value else "false", "boolean")
        case int() | float():
            return Shown(str(value), "number")
        case datetime():
            return Shown(value.isoformat(sep=" ", timespec="seconds"), "time")
        case date():
            return Shown(value.isoformat(), "date")
        case list():
            return Shown(orjson.dumps(value).decode(), "list")
        case _:
            return Shown(str(value))
