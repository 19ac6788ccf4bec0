"""The endpoints by which other systems read segments: each translates in, makes one domain call, translates out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from pyroaring import BitMap
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from profiles import selection
from profiles.api.queries import MembersQuery, NameQuery
from profiles.api.views_read import ReadView, rows_of
from segments import audience
from segments.api import schema, selected, serializers
from segments.filters import FilterError
from segments.models import Segment, SegmentQuerySet


class SegmentAtFaultError(APIException):
    """Nobody can say whom the segment selects until a marketer mends its filters."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, error: FilterError) -> None:
        faults = " ".join(dict.fromkeys(fault.message for fault in error.faults))
        super().__init__(
            f"The filters of this segment are at fault, and must be mended in Rollcall: {faults}"
        )


class SegmentsView(ReadView):
    """What these endpoints share: whose segments they are, and what is said of one whose filters are at fault."""

    required_scope = Scope.SEGMENTS_READ

    @property
    def segments(self) -> SegmentQuerySet:
        """The segments of the workspace."""
        return Segment.objects.for_workspace(self.workspace)

    def segment(self, segment_id: int) -> Segment:
        """Return one of them. Raises NotFound."""
        found = self.segments.filter(pk=segment_id).first()
        if found is None:
            raise NotFound(f"This workspace has no segment {segment_id}.")
        return found

    def members(self, segment_id: int) -> BitMap:
        """Return whom one of them selects now. Raises NotFound."""
        return selected.members(workspace=self.workspace, segment=self.segment(segment_id))

    def described(self, segments: Sequence[Segment]) -> list[dict[str, Any]]:
        """Return segments as they are shown."""
        sentences = selected.sentences(workspace=self.workspace, segments=segments)
        shown = serializers.SegmentSerializer(segments, many=True, context={"sentences": sentences})
        return list(shown.data)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error; filters at fault are no fault of the request, and not of ours."""
        return super().handle_exception(SegmentAtFaultError(exc) if isinstance(exc, FilterError) else exc)


class SegmentListView(SegmentsView):
    """`GET /segments`"""

    @extend_schema(**schema.LIST)
    def get(self, request: Request) -> Response:
        """Return a page of segments."""
        query = self.asked(serializers.SegmentsQuery)
        listed = self.segments if query.validated_data["archived"] else self.segments.active()
        rows, next_cursor = rows_of(listed.prefetch_related("tags"), query, serializers.KIND)
        return Response({"segments": self.described(rows), "next_cursor": next_cursor})


class SegmentDetailView(SegmentsView):
    """`GET /segments/{segment_id}`"""

    @extend_schema(**schema.ONE)
    def get(self, request: Request, segment_id: int) -> Response:
        """Return a segment."""
        return Response(self.described([self.segment(segment_id)])[0])


class SegmentSizeView(SegmentsView):
    """`GET /segments/{segment_id}/size`"""

    @extend_schema(**schema.SIZE)
    def get(self, request: Request, segment_id: int) -> Response:
        """Count the members."""
        question = selected.question(workspace=self.workspace, segment=self.segment(segment_id))
        counts = selection.finish(audience.counting(question=question))
        size = {"total": counts.size.total, "email": counts.size.email, "push": counts.size.push}
        return Response({**size, "universe": counts.universe, "counted_at": question.now})


class SegmentMembersView(SegmentsView):
    """`GET /segments/{segment_id}/members`"""

    @extend_schema(**schema.MEMBERS)
    def get(self, request: Request, segment_id: int) -> Response:
        """Return a page of members."""
        query = self.asked(MembersQuery)
        return Response(self.page_of(self.members(segment_id), query))


class SegmentContainsView(SegmentsView):
    """`GET /segments/{segment_id}/members/contains`"""

    @extend_schema(**schema.CONTAINS)
    def get(self, request: Request, segment_id: int) -> Response:
        """Say whether a user is a member."""
        query = self.asked(NameQuery)
        return Response(self.look_up(self.members(segment_id), query))
