"""A set of profiles page by page, in the order of their ids."""

from __future__ import annotations

from dataclasses import dataclass

from pyroaring import BitMap

from profiles.models import Profile


@dataclass(frozen=True)
class Page:
    """Ids and external ids (none of an anonymous profile); and the last id, if there are more after it."""

    people: list[tuple[int, str | None]]
    more_after: int | None


def page(*, workspace_id: int, members: BitMap, after: int, limit: int) -> Page:
    """Return at most `limit` live profiles of a set, those whose ids are greater than `after`.

    Only these are fetched, however large the set is. Who joins it meanwhile with a smaller id is not seen; who stays
    is never seen twice.
    """
    begin = members.rank(min(after, 2**32 - 1))
    chosen = members[begin : begin + limit]
    live = Profile.objects.live().filter(workspace_id=workspace_id).in_bitmap(chosen)
    people = list(live.order_by("id").values_list("id", "external_id"))
    return Page(people, chosen.max() if begin + len(chosen) < len(members) else None)
