"""What endpoints share that read sets of profiles: cohorts and segments, in the apps above."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from pyroaring import BitMap
from rest_framework import serializers

from accounts.rest_view import RestView
from profiles import matching, pages
from profiles.api import cursors, queries
from profiles.matching import Reason

Query = TypeVar("Query", bound=serializers.Serializer[Any])
Row = TypeVar("Row", bound=Model)


class ReadView(RestView):
    """An endpoint that changes nothing."""

    http_method_names = ["get"]

    def asked(self, kind: type[Query]) -> Query:
        """Return the query string, read. Raises ValidationError, which names the parameter at fault."""
        # As plain values: of a form's, DRF would take a blank one for one that is missing.
        query = kind(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        return query

    def page_of(self, members: BitMap, query: queries.MembersQuery) -> dict[str, Any]:
        """Return a page of members."""
        page = pages.page(workspace_id=self.workspace.pk, members=members, **query.page)
        people = [{"profile_id": pk, "external_id": external_id} for pk, external_id in page.people]
        return {"members": people, "next_cursor": next_cursor(queries.MEMBERS, page.more_after)}

    def look_up(self, members: BitMap, query: queries.NameQuery) -> dict[str, Any]:
        """Return whether a user is a member, and why an identifier names nobody."""
        [found] = matching.match(workspace_id=self.workspace.pk, candidates=[query.keys])
        if isinstance(found, Reason):
            return {"is_member": False, "profile_id": None, "reason": found}
        return {"is_member": found in members, "profile_id": found, "reason": None}


def rows_of(rows: QuerySet[Row], query: queries.PageQuery, kind: str) -> tuple[list[Row], str | None]:
    """Return a page of a list in the order of its ids, and the cursor of the next page."""
    limit = query.page["limit"]
    found = list(rows.filter(pk__gt=query.page["after"]).order_by("pk")[: limit + 1])
    return found[:limit], next_cursor(kind, found[limit - 1].pk if len(found) > limit else None)


def next_cursor(kind: str, more_after: int | None) -> str | None:
    """Return the cursor of the next page; none if there is none."""
    return None if more_after is None else cursors.written(kind, more_after)
