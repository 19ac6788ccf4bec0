"""What the page of columns offers and understands: the format of a CSV file, and what each column of it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from profiles import admin_attributes, csv_preview, csv_source
from profiles.attributes import STANDARD
from profiles.csv_preview import Column, Preview
from profiles.csv_rows import ALIAS_PREFIX, CUSTOM_PREFIX, DEVICE_ID, EXTERNAL_ID, IGNORED, CsvHeaderError
from profiles.csv_source import Format
from profiles.models import ImportJob

Choices = Sequence[tuple[str, str | Promise]]
ENCODINGS: Choices = [
    ("utf-8", "UTF-8"),
    ("utf-16-le", "UTF-16 (LE)"),
    ("utf-16-be", "UTF-16 (BE)"),
    ("cp1252", "Windows-1252"),
    ("latin-1", "ISO 8859-1"),
    ("cp1250", "Windows-1250"),
    ("cp1251", "Windows-1251"),
]
DELIMITERS: Choices = [
    (",", _("Comma (,)")),
    (";", _("Semicolon (;)")),
    ("\t", _("Tab")),
    ("|", _("Vertical bar (|)")),
]
IDENTIFIERS: Choices = [
    (EXTERNAL_ID, _("External ID")),
    (DEVICE_ID, _("Device ID")),
    (ALIAS_PREFIX, _("Alias, labelled …")),
]


@dataclass(frozen=True)
class Line:
    """A column of the file as a line of the form: what it holds is chosen, an alias or custom attribute named."""

    column: Column
    chosen: str
    name: str


@dataclass
class Chosen:
    """All that the page shows. `is_seen`: the sender saw these columns; another format makes others of the file."""

    form: Format
    lines: list[Line]
    targets: list[str]
    update_only: bool
    is_seen: bool = False
    preview: Preview | None = None
    fault: str = ""

    @property
    def titles(self) -> list[str]:
        """What the columns are called that are not left out, in the words in which they were chosen."""
        return [_title(target) for target in self.targets if target]


def read(job: ImportJob, data: Mapping[str, str] | None) -> Chosen:
    """Return the mapping of a draft: what was sent, else what was chosen before, else what the file suggests."""
    with Path(job.file.path).open("rb") as source:
        form = _format(job, data) or csv_source.detect(source)
        try:
            columns = csv_preview.columns(source, form)
        except CsvHeaderError as error:
            return Chosen(form, [], [], update_only=False, fault=str(error))
        targets = _targets(job, data, columns)
        lines = [_line(column, target) for column, target in zip(columns, targets, strict=True)]
        sent = data if data is not None else job.options
        chosen = Chosen(form, lines, targets, update_only=bool(sent.get("update_only")))
        chosen.is_seen = data is not None and data.get("count") == str(len(columns))
        try:
            chosen.preview = csv_preview.preview(source, form, targets)
        except CsvHeaderError as error:
            chosen.fault = str(error)
    return chosen


def options(chosen: Chosen) -> dict[str, Any]:
    """Return what a job keeps of a chosen."""
    return {
        "encoding": chosen.form.encoding,
        "delimiter": chosen.form.delimiter,
        "targets": chosen.targets,
        "update_only": chosen.update_only,
    }


def attribute_choices() -> Choices:
    """Return the standard attributes by their names outside."""
    return [(name, admin_attributes.name_of(name)) for name in STANDARD]


def _format(job: ImportJob, data: Mapping[str, str] | None) -> Format | None:
    sent: Mapping[str, Any] = data if data is not None else job.options
    encoding, delimiter = sent.get("encoding"), sent.get("delimiter")
    if encoding in dict(ENCODINGS) and delimiter in dict(DELIMITERS):
        return Format(str(encoding), str(delimiter))
    return None


def _targets(job: ImportJob, data: Mapping[str, str] | None, columns: Sequence[Column]) -> list[str]:
    """Return what was chosen for the columns, if it was for as many: a new delimiter makes others of them."""
    suggested = [column.suggestion for column in columns]
    if data is None:
        kept = job.options.get("targets") or []
        return kept if len(kept) == len(columns) else suggested
    if data.get("count") != str(len(columns)):
        return suggested
    return [_target(data, index) for index in range(len(columns))]


def _target(data: Mapping[str, str], index: int) -> str:
    chosen = data.get(f"target-{index}", IGNORED)
    is_named = chosen in {ALIAS_PREFIX, CUSTOM_PREFIX}
    return chosen + data.get(f"name-{index}", "").strip() if is_named else chosen


def _title(target: str) -> str:
    if target.startswith(CUSTOM_PREFIX):
        return target.removeprefix(CUSTOM_PREFIX)
    if target.startswith(ALIAS_PREFIX):
        return gettext("Alias “{label}”").format(label=target.removeprefix(ALIAS_PREFIX))
    return str(dict(IDENTIFIERS).get(target) or admin_attributes.name_of(target))


def _line(column: Column, target: str) -> Line:
    for prefix in (ALIAS_PREFIX, CUSTOM_PREFIX):
        if target.startswith(prefix):
            return Line(column, prefix, target.removeprefix(prefix))
    return Line(column, target, column.name)
