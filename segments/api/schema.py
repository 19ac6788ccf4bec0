"""What the OpenAPI schema says of the endpoints that read segments, with examples."""

from __future__ import annotations

from profiles.api import schema_read
from segments.api.serializers import (
    SegmentSerializer,
    SegmentSizeSerializer,
    SegmentsQuery,
    SegmentsSerializer,
)

_TAG = "Segments"
_AT_FAULT = (
    " A segment whose filters are at fault, for example because a cohort is gone, has no answer but 409."
)
_EVALUATED = (404, 409)
_SEGMENT = {
    "id": 5,
    "name": "Win back",
    "description": "Bought once, long ago",
    "tags": ["spring"],
    "sentence": "Mixpanel_Cohorts includes “Lapsed”",
    "is_archived": False,
    "created_at": "2026-01-31T09:30:00Z",
    "updated_at": "2026-02-01T09:30:00Z",
}

LIST = schema_read.reading(
    "list_segments",
    "List segments",
    about="Returns segments in the order in which they were made. Archived ones are left out unless `archived=true` asks for them, too.",
    query=SegmentsQuery,
    answer=SegmentsSerializer,
    example={"segments": [_SEGMENT], "next_cursor": None},
    tag=_TAG,
    errors=(),
)
ONE = schema_read.reading(
    "read_segment",
    "Read a segment",
    about="Returns a segment, archived or not.",
    answer=SegmentSerializer,
    example=_SEGMENT,
    tag=_TAG,
)
SIZE = schema_read.reading(
    "count_segment",
    "Count the members of a segment",
    about="Counts the users that the segment selects now, exactly." + _AT_FAULT,
    answer=SegmentSizeSerializer,
    example={
        "total": 1200,
        "email": 1100,
        "push": 640,
        "universe": 10000,
        "counted_at": "2026-02-01T09:30:00Z",
    },
    tag=_TAG,
    errors=_EVALUATED,
)
MEMBERS = schema_read.members(
    "list_segment_members",
    about="Returns the users that a segment selects." + _AT_FAULT,
    tag=_TAG,
    errors=_EVALUATED,
)
CONTAINS = schema_read.contains(
    "segment_contains",
    about="Says whether a segment selects a user now." + _AT_FAULT,
    tag=_TAG,
    errors=_EVALUATED,
)
