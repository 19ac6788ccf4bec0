"""The members of a simulated cohort: a CSV file read page by page, whatever its size, in any order of pages."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

from profiles.mapping import (
    DEVICE_ID_PROPERTY,
    DEVICE_PREFIX,
    DISTINCT_ID_PROPERTY,
    EXTERNAL_ID_PROPERTIES,
)

ALIAS_PREFIX = "alias:"

Member = Mapping[str, str]


class MemberFile:
    """A CSV file, the first line of which names properties of members. Only where its pages begin is remembered."""

    def __init__(self, source: BinaryIO, *, page_size: int) -> None:
        """Read the file once. Raises ValueError (UnicodeDecodeError is one) or csv.Error if it is no CSV in UTF-8."""
        self._source = source
        self._page_size = page_size
        rows = csv.reader(_lines(source))
        self.names = [name.removeprefix("\ufeff").strip() for name in next(rows, [])]
        if not any(self.names):
            raise ValueError("The first line must name the columns.")
        self._starts = [source.tell()]
        self.count = 0
        for row in rows:
            self.count += bool(row)
            if row and self.count % page_size == 0:
                self._starts.append(source.tell())

    @property
    def total_pages(self) -> int:
        """How many pages; a cohort without members is one empty page."""
        return max(1, -(-self.count // self._page_size))

    def page(self, number: int) -> list[dict[str, str]]:
        """Return the members of a page, from 1. Blank cells are no properties."""
        self._source.seek(self._starts[number - 1])
        rows = (row for row in csv.reader(_lines(self._source)) if row)
        return [
            {name: cell for name, cell in zip(self.names, row, strict=False) if cell}
            for row in islice(rows, self._page_size)
        ]


def _lines(source: BinaryIO) -> Iterator[str]:
    return (line.decode() for line in iter(source.readline, b""))


def webhook_member(member: Member) -> dict[str, str]:
    """Return a member as the webhook carries it: always with a distinct id."""
    if DISTINCT_ID_PROPERTY in member:
        return dict(member)
    device = member.get(DEVICE_ID_PROPERTY)
    distinct_id = external_id_of(member) or (f"{DEVICE_PREFIX}{device}" if device else "")
    return {DISTINCT_ID_PROPERTY: distinct_id, **member}


def partner_change(members: Sequence[Member], *, should_remove: bool) -> dict[str, Any]:
    """Return members as one object of `cohort_changes`: each by its most trusted identifier."""
    change: dict[str, Any] = {"user_ids": [], "device_ids": [], "aliases": []}
    for member in members:
        kind, identifier = _identifier(member)
        change[kind].append(identifier)
    return {kind: identifiers for kind, identifiers in change.items() if identifiers} | (
        {"should_remove": True} if should_remove else {}
    )


def external_id_of(member: Member) -> str:
    """Return the external id, by whichever of its usual names; "" for none."""
    return next((member[name] for name in EXTERNAL_ID_PROPERTIES if name in member), "")


def _identifier(member: Member) -> tuple[str, Any]:
    if external_id := external_id_of(member):
        return "user_ids", external_id
    if device := member.get(DEVICE_ID_PROPERTY):
        return "device_ids", device
    for name, cell in member.items():
        if name.startswith(ALIAS_PREFIX):
            return "aliases", {"alias_label": name.removeprefix(ALIAS_PREFIX), "alias_name": cell}
    distinct_id = member.get(DISTINCT_ID_PROPERTY, "")
    if distinct_id.startswith(DEVICE_PREFIX):
        return "device_ids", distinct_id.removeprefix(DEVICE_PREFIX)
    return "user_ids", distinct_id
