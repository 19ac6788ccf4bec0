"""A set of profiles page by page, in the order of their ids."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from pyroaring import BitMap

from profiles import bitmaps

_SELECT = """
    SELECT id, external_id FROM profiles_profile
    WHERE workspace_id = %s AND deleted_at IS NULL AND id {} ORDER BY id
"""
# All ids in one parameter: four times as fast as one for each, at 10,000 of them.
_AMONG = {"postgresql": "= ANY(%s::integer[])", "sqlite": "IN (SELECT value FROM json_each(%s))"}


@dataclass(frozen=True)
class Page:
    """Ids and external ids (none of an anonymous profile); and the last id, if there are more after it."""

    people: list[tuple[int, str | None]]
    more_after: int | None


def page(*, workspace_id: int, members: BitMap, after: int, limit: int) -> Page:
    """Return at most `limit` live profiles of a set, those whose ids are greater than `after`.

    Only these are fetched, however large the set is. Who joins it meanwhile with a smaller id is not seen; nobody is
    seen twice.
    """
    begin = members.rank(min(after, 2**32 - 1))
    chosen = members[begin : begin + limit]
    more_after = chosen.max() if begin + len(chosen) < len(members) else None
    return Page(_people(workspace_id, chosen), more_after)


def _people(workspace_id: int, chosen: BitMap) -> list[tuple[int, str | None]]:
    ids = chosen.to_array().tolist()
    is_postgresql = connection.vendor == "postgresql"
    parameters = [workspace_id, ids if is_postgresql else str(ids)]
    rows = bitmaps.fetch(_SELECT.format(_AMONG[connection.vendor]), parameters)
    return [(profile_id, external_id) for profile_id, external_id in rows]
