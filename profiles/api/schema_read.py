"""What the OpenAPI schema says of endpoints that read sets of profiles, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

import accounts.schema  # noqa: F401 - registers how the keys are described
from profiles.api.queries import MembersQuery, NameQuery
from profiles.matching import Reason

PAGES = """\
Members come in the order of their profile ids. Pages are not of one moment: each is of the moment it was asked for. Who is a member all the
while is on exactly one page; who enters or leaves between two pages may be on one or on none.
"""


class ProblemFaultSerializer(serializers.Serializer[Any]):
    """One fault of a request."""

    pointer = serializers.CharField(allow_blank=True, help_text="The parameter, for example `/limit`.")
    message = serializers.CharField(help_text="What is wrong, and what is allowed.")


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    title = serializers.CharField(help_text="What is wrong; of several faults, the first.")
    status = serializers.IntegerField()
    errors = ProblemFaultSerializer(many=True, required=False)  # type: ignore[assignment]
    error_count = serializers.IntegerField(required=False)


class MemberSerializer(serializers.Serializer[Any]):
    """One user."""

    profile_id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True, help_text="Null: the user is anonymous.")


class MembersSerializer(serializers.Serializer[Any]):
    """A page of members."""

    members = MemberSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Null: this is the last page.")


class IsMemberSerializer(serializers.Serializer[Any]):
    """Whether the user of an identifier is a member."""

    is_member = serializers.BooleanField()
    profile_id = serializers.IntegerField(allow_null=True, help_text="Null: the identifier names nobody.")
    reason = serializers.ChoiceField(
        choices=[reason.value for reason in Reason], allow_null=True, help_text="Why it names nobody."
    )


def problems(*statuses: int) -> dict[tuple[int, str], type[ProblemSerializer]]:
    """Return the errors of an endpoint: those that all have, and its own."""
    return {
        (status, "application/problem+json"): ProblemSerializer
        for status in sorted({*statuses, 400, 401, 403, 429, 503})
    }


def reading(
    name: str,
    summary: str,
    *,
    about: str,
    answer: type[serializers.Serializer[Any]],
    example: Mapping[str, Any],
    tag: str,
    errors: tuple[int, ...] = (404,),
    query: type[serializers.Serializer[Any]] | None = None,
) -> dict[str, Any]:
    """Return the description of one endpoint."""
    return {
        "operation_id": name,
        "summary": summary,
        "description": about,
        "tags": [tag],
        "parameters": [query] if query else [],
        "responses": {200: answer, **problems(*errors)},
        "examples": [OpenApiExample(summary, response_only=True, status_codes=["200"], value=example)],
    }


def members(name: str, *, about: str, **more: Any) -> dict[str, Any]:
    """Return the description of an endpoint that lists members."""
    return reading(
        name,
        "List the members",
        about=f"{about}\n\n{PAGES}",
        query=MembersQuery,
        answer=MembersSerializer,
        example={
            "members": [{"profile_id": 7, "external_id": "user-1"}, {"profile_id": 8, "external_id": None}],
            "next_cursor": "bWVtYmVyczo4",
        },
        **more,
    )


def contains(name: str, *, about: str, **more: Any) -> dict[str, Any]:
    """Return the description of an endpoint that says whether one user is a member."""
    return reading(
        name,
        "Ask whether a user is a member",
        about=f"{about} Name the user by exactly one identifier: `external_id`, `device_id`, or `alias_label` with `alias_name`. "
        "Identifiers are matched as those of a partner's cohort are: exactly, and a device only while its user is "
        "anonymous (otherwise `reason` is `identified_use_external_id`).",
        query=NameQuery,
        answer=IsMemberSerializer,
        example={"is_member": True, "profile_id": 7, "reason": None},
        **more,
    )
