"""The endpoints by which other systems read cohorts: each translates in, makes one domain call, and translates out."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pyroaring import BitMap
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from cohorts import latest_syncs, membership
from cohorts.api import schema_read
from cohorts.api.schema_read import CohortSerializer
from cohorts.models import Cohort, CohortQuerySet
from profiles import universe
from profiles.api.queries import MembersQuery, NameQuery
from profiles.api.views_read import ReadView, rows_of


class CohortsView(ReadView):
    """What these endpoints share: whose cohorts they are."""

    required_scope = Scope.COHORTS_READ

    @property
    def cohorts(self) -> CohortQuerySet:
        """The cohorts of the workspace, without those that were deleted here."""
        return Cohort.objects.for_workspace(self.workspace).current().without_members()

    def cohort(self, cohort_id: int) -> Cohort:
        """Return one of them. Raises NotFound."""
        found = self.cohorts.filter(pk=cohort_id).first()
        if found is None:
            raise NotFound(f"This workspace has no cohort {cohort_id}.")
        return found

    def members(self, cohort_id: int, *, within: BitMap | None = None) -> BitMap:
        """Return who is in one of them now, of all live profiles unless they are given. Raises NotFound."""
        cohort = self.cohort(cohort_id)
        live = universe.live(workspace_id=self.workspace.pk) if within is None else within
        return membership.members(cohort_ids=[cohort.pk], within=live)[cohort.pk]


class CohortListView(CohortsView):
    """`GET /cohorts`"""

    @extend_schema(**schema_read.LIST)
    def get(self, request: Request) -> Response:
        """Return a page of cohorts."""
        rows, next_cursor = rows_of(self.cohorts, self.asked(schema_read.CohortsQuery), schema_read.KIND)
        latest_syncs.attach(cohorts=rows, now=timezone.now())
        return Response({"cohorts": CohortSerializer(rows, many=True).data, "next_cursor": next_cursor})


class CohortDetailView(CohortsView):
    """`GET /cohorts/{cohort_id}`"""

    @extend_schema(**schema_read.ONE)
    def get(self, request: Request, cohort_id: int) -> Response:
        """Return a cohort."""
        cohort = self.cohort(cohort_id)
        latest_syncs.attach(cohorts=[cohort], now=timezone.now())
        return Response(CohortSerializer(cohort).data)


class CohortSizeView(CohortsView):
    """`GET /cohorts/{cohort_id}/size`"""

    @extend_schema(**schema_read.SIZE)
    def get(self, request: Request, cohort_id: int) -> Response:
        """Count the members."""
        now = timezone.now()
        live = universe.live(workspace_id=self.workspace.pk)
        members = self.members(cohort_id, within=live)
        return Response({"total": len(members), "universe": len(live), "counted_at": now})


class CohortMembersView(CohortsView):
    """`GET /cohorts/{cohort_id}/members`"""

    @extend_schema(**schema_read.MEMBERS)
    def get(self, request: Request, cohort_id: int) -> Response:
        """Return a page of members."""
        query = self.asked(MembersQuery)
        return Response(self.page_of(self.members(cohort_id), query))


class CohortContainsView(CohortsView):
    """`GET /cohorts/{cohort_id}/members/contains`"""

    @extend_schema(**schema_read.CONTAINS)
    def get(self, request: Request, cohort_id: int) -> Response:
        """Say whether a user is a member."""
        query = self.asked(NameQuery)
        return Response(self.look_up(self.members(cohort_id), query))
