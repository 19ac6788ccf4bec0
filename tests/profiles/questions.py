"""Questions that tests ask of profiles: who changed, whom queries select by what is kept, and whom in truth."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from accounts.models import Workspace
from profiles import changes, filter_bitmaps, selection
from profiles.changes import Kind
from profiles.selection import Query, Table

FRENCH = Query("p.country = %s", ("FR",))
LYONNAIS = Query("p.home_city = %s", ("Lyon",))
BUYERS = Query("e.count >= %s", (1,), Table.EVENTS, Kind.EVENTS, "bought")
REGULARS = Query("e.count >= %s", (3,), Table.EVENTS, Kind.EVENTS, "bought")
WITH_DEVICE = Query("i.key >= %s AND i.key < %s", ("i:", "i;"), Table.IDENTIFIERS)
EVERYBODY = Query("TRUE", kind=Kind.EXISTENCE)
ALL = (FRENCH, LYONNAIS, BUYERS, REGULARS, WITH_DEVICE, EVERYBODY)


def changed_since(workspace: Workspace, moment: datetime, kind: Kind = Kind.ATTRIBUTES) -> set[int]:
    """Return who is marked as changed at or after a moment."""
    recorded = changes.recorded(workspace_id=workspace.pk, moment=moment)
    return set(recorded.since(kind=kind, moment=moment))


def kept(workspace: Workspace, query: Query) -> set[int]:
    """Return whom a query selects by its filter bitmap."""
    return set(filter_bitmaps.members(workspace_id=workspace.pk, queries=[query])[query])


def all_kept(workspace: Workspace, *queries: Query) -> dict[Query, set[int]]:
    """Return whom each query selects by its filter bitmap, all asked at once."""
    found = filter_bitmaps.members(workspace_id=workspace.pk, queries=queries)
    return {query: set(members) for query, members in found.items()}


def truth(workspace: Workspace, query: Query) -> set[int]:
    """Return whom a query selects, by plain SQL and nothing else."""
    source = {
        Table.PROFILES: "p.id FROM profiles_profile p WHERE p.deleted_at IS NULL AND p.workspace_id = %s",
        Table.IDENTIFIERS: "i.profile_id FROM profiles_identifier i WHERE i.workspace_id = %s",
        Table.EVENTS: (
            "e.profile_id FROM profiles_customevent e JOIN profiles_eventname n ON n.id = e.name_id"
            " WHERE n.workspace_id = %s AND n.kind = 'custom' AND n.name = %s"
        ),
    }[query.table]
    named = [query.event] if query.event else []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {source} AND ({query.where})", [workspace.pk, *named, *query.params])
        return {profile_id for (profile_id,) in cursor.fetchall()}


def computed(workspace: Workspace, query: Query) -> set[int]:
    """Return whom a query selects when everybody is looked at."""
    return set(selection.finish(selection.everywhere(workspace_id=workspace.pk, query=query)))
