"""What the endpoints that read segments take and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from profiles.api.cursors import CursorField
from profiles.api.queries import PageQuery
from segments.models import Segment

KIND = "segments"


class SegmentsQuery(PageQuery):
    """A page of segments."""

    cursor = CursorField(KIND)
    archived = serializers.BooleanField(
        default=False,
        help_text="Whether archived segments are listed, too.",
        error_messages={"invalid": "archived must be true or false."},
    )


class SegmentSerializer(serializers.Serializer[Any]):
    """A segment. Its sentence comes from the context's `sentences`, by id."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    tags = serializers.SerializerMethodField()
    sentence = serializers.SerializerMethodField(
        help_text="Its filters in words, in English. Null: they cannot be read."
    )
    is_archived = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When it was last edited.")

    def get_tags(self, segment: Segment) -> list[str]:
        """Return the names of its tags, sorted."""
        return sorted(tag.name for tag in segment.tags.all())

    def get_sentence(self, segment: Segment) -> str | None:
        """Return its filters in words."""
        sentence: str | None = self.context["sentences"].get(segment.pk)
        return sentence

    def get_is_archived(self, segment: Segment) -> bool:
        """Return whether it was put away."""
        return segment.archived_at is not None


class SegmentsSerializer(serializers.Serializer[Any]):
    """A page of segments."""

    segments = SegmentSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Null: this is the last page.")


class SegmentSizeSerializer(serializers.Serializer[Any]):
    """How many users a segment selects."""

    total = serializers.IntegerField(help_text="Exact.")
    email = serializers.IntegerField(help_text="Those with an email address who did not unsubscribe.")
    push = serializers.IntegerField(help_text="Those with a push token who did not unsubscribe.")
    universe = serializers.IntegerField(help_text="All users of the workspace.")
    counted_at = serializers.DateTimeField()
