"""How many users a workspace has, identified and anonymous, day by day (UTC): noted every hour, the day's last stays.

Counted on bitmaps that are kept and repaired (`profiles/filter_bitmaps.py`): no hour costs a look at all profiles.
"""

from __future__ import annotations

from datetime import date, datetime

from accounts.days import day_of
from accounts.models import Workspace
from profiles import filter_bitmaps, predicates
from profiles.models import PeopleCount
from profiles.selection import Query

# The same question as the filter "is identified" of segments, so that both keep one bitmap.
_IDENTIFIED = Query(where=predicates.present(predicates.column("external_id")).text)


def note(*, now: datetime) -> int:
    """Note how many users every workspace has; return how many workspaces. Owns its transactions."""
    workspaces = list(Workspace.objects.order_by("id"))
    for workspace in workspaces:
        note_one(workspace=workspace, now=now)
    return len(workspaces)


def note_one(*, workspace: Workspace, now: datetime) -> None:
    """Note how many users a workspace has today, in place of what was counted earlier today."""
    everybody = filter_bitmaps.EVERYBODY
    found = filter_bitmaps.members(workspace_id=workspace.pk, queries=[everybody, _IDENTIFIED])
    identified = found[_IDENTIFIED].intersection_cardinality(found[everybody])
    counts = {"identified_count": identified, "anonymous_count": len(found[everybody]) - identified}
    PeopleCount.objects.bulk_create(
        [PeopleCount(workspace=workspace, day=day_of(now), **counts)],
        update_conflicts=True,
        unique_fields=["workspace", "day"],
        update_fields=list(counts),
    )


def by_day(*, workspace: Workspace, since: date) -> dict[date, PeopleCount]:
    """Return what was noted from a day on, the oldest first."""
    counts = PeopleCount.objects.filter(workspace=workspace, day__gte=since).order_by("day")
    return {count.day: count for count in counts}
