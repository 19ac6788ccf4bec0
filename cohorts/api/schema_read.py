"""What the OpenAPI schema says of the endpoints that read cohorts, with examples."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from cohorts.freshness import State
from profiles.api import schema_read
from profiles.api.cursors import CursorField
from profiles.api.queries import PageQuery

KIND = "cohorts"
_TAG = "Cohorts"
_COHORT = {
    "id": 3,
    "partner": "mixpanel",
    "partner_cohort_id": "1478097",
    "name": "Power users",
    "description": "Ten sessions in a month",
    "created_at": "2026-01-31T09:30:00Z",
    "last_sync_at": "2026-02-01T09:30:00Z",
    "freshness": "fresh",
}


class CohortsQuery(PageQuery):
    """A page of cohorts."""

    cursor = CursorField(KIND)


class CohortSerializer(serializers.Serializer[Any]):
    """A cohort."""

    id = serializers.IntegerField()
    partner = serializers.CharField()
    partner_cohort_id = serializers.CharField(help_text="The partner's own ID.")
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField(help_text="When it was first received.")
    last_sync_at = serializers.DateTimeField(allow_null=True)
    freshness = serializers.ChoiceField(
        State.choices,
        source="freshness.state",
        help_text="Whether the partner still sends it as often as it used to: `late` after twice the usual time, "
        "`stale` after four times. A `one_time` export is never late; `never`: only its name came yet; `off`: its "
        "syncs are not accepted.",
    )


class CohortsSerializer(serializers.Serializer[Any]):
    """A page of cohorts."""

    cohorts = CohortSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Null: this is the last page.")


class CohortSizeSerializer(serializers.Serializer[Any]):
    """How many members a cohort has."""

    total = serializers.IntegerField(help_text="Exact.")
    universe = serializers.IntegerField(help_text="All users of the workspace.")
    counted_at = serializers.DateTimeField()


LIST = schema_read.reading(
    "list_cohorts",
    "List cohorts",
    about="Returns the cohorts of all partners, in the order in which they first came.",
    query=CohortsQuery,
    answer=CohortsSerializer,
    example={"cohorts": [_COHORT], "next_cursor": None},
    tag=_TAG,
    errors=(),
)
ONE = schema_read.reading(
    "read_cohort", "Read a cohort", about="", answer=CohortSerializer, example=_COHORT, tag=_TAG
)
SIZE = schema_read.reading(
    "count_cohort",
    "Count the members of a cohort",
    about="Counts the members there are now, exactly.",
    answer=CohortSizeSerializer,
    example={"total": 1200, "universe": 10000, "counted_at": "2026-02-01T09:30:00Z"},
    tag=_TAG,
)
MEMBERS = schema_read.members("list_cohort_members", about="Returns who is in a cohort.", tag=_TAG)
CONTAINS = schema_read.contains("cohort_contains", about="Says whether a user is in a cohort now.", tag=_TAG)
