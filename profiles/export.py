"""Sets of profiles leave as CSV: in chunks, so that memory stays the same however large the set is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from django.db import models
from pyroaring import BitMap

from profiles import csv_cells, export_columns
from profiles.models import Identifier, Profile

COLUMNS = ("profile_id", "external_id")
CHUNK = 10_000


class Writable(Protocol):
    """Where the CSV goes: a file, a command's stdout."""

    def write(self, text: str, /) -> object:
        """Take a piece of text."""


def write_csv(stream: Writable, *, workspace_id: int, members: BitMap) -> None:
    """Write the live profiles among `members` as CSV with ids and external ids, sorted by profile id."""
    stream.write(head(COLUMNS))
    last_id = 0
    while ids := chunk_after(members, last_id):
        for line in lines(workspace_id=workspace_id, profile_ids=ids, columns=COLUMNS):
            stream.write(line)
        last_id = ids[-1]


def chunk_after(members: BitMap, last_id: int) -> list[int]:
    """Return the next ids after one, in their order; none after the last."""
    done = members.rank(last_id)
    return list(members[done : done + CHUNK])


def head(columns: Sequence[str]) -> str:
    """Return the first line of a file with these columns of `profiles/export_columns.py`."""
    return csv_cells.line(map(export_columns.header_of, columns))


def lines(*, workspace_id: int, profile_ids: Sequence[int], columns: Sequence[str]) -> Iterator[str]:
    """Yield a line for each live profile of a chunk, sorted by id. At most two queries."""
    readers = [export_columns.reader(column) for column in columns]
    keys = _keys(workspace_id, profile_ids) if export_columns.needs_identifiers(columns) else {}
    for row in _rows(workspace_id, profile_ids, columns):
        own = keys.get(row["id"], ())
        yield csv_cells.line(read(row, own) for read in readers)


def count(*, workspace_id: int, profile_ids: Sequence[int]) -> int:
    """Return how many of a chunk live: for so many there is a line."""
    return _live(workspace_id, profile_ids).count()


def _rows(workspace_id: int, profile_ids: Sequence[int], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    found = _live(workspace_id, profile_ids)
    return iter(found.order_by("id").values("id", *export_columns.kept_in(columns)))


def _live(workspace_id: int, profile_ids: Sequence[int]) -> models.QuerySet[Profile]:
    return Profile.objects.live().filter(workspace_id=workspace_id, id__in=profile_ids)


def _keys(workspace_id: int, profile_ids: Sequence[int]) -> dict[int, list[str]]:
    keys: dict[int, list[str]] = {}
    found = Identifier.objects.filter(workspace_id=workspace_id, profile_id__in=profile_ids)
    for profile_id, key in found.order_by("key").values_list("profile_id", "key"):
        keys.setdefault(profile_id, []).append(key)
    return keys
