"""Sets of profiles leave as CSV: in chunks, so that memory stays the same however large the set is."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from pyroaring import BitMap

from profiles.models import Profile

COLUMNS = ("profile_id", "external_id")
CHUNK = 10_000


class Writable(Protocol):
    """Where the CSV goes: a file, a command's stdout."""

    def write(self, text: str, /) -> object:
        """Take a piece of text."""


def write_csv(stream: Writable, *, workspace_id: int, members: BitMap) -> None:
    """Write the live profiles among `members` as CSV, sorted by profile id."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(workspace_id=workspace_id, members=members))


def rows(*, workspace_id: int, members: BitMap) -> Iterator[tuple[int, str]]:
    """Yield id and external id (blank for an anonymous profile) of the live profiles among `members`, by id."""
    ids = iter(members)
    while chunk := list(islice(ids, CHUNK)):
        found = Profile.objects.live().filter(workspace_id=workspace_id, id__in=chunk)
        for profile_id, external_id in found.order_by("id").values_list("id", "external_id"):
            yield profile_id, external_id or ""
