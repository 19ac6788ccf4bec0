"""What the OpenAPI schema says of the partner endpoints, with examples from both protocols."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiExample

from cohorts.api import serializers

KEY = "rc_0123456789abcdefghijABCDEFGHIJ0123456789abc"

_PARTNER_ERRORS = {
    400: serializers.PartnerErrorSerializer,
    401: serializers.PartnerErrorSerializer,
    404: serializers.PartnerErrorSerializer,  # an administrator deleted the cohort
    413: serializers.PartnerErrorSerializer,
    415: serializers.PartnerErrorSerializer,
    429: serializers.PartnerErrorSerializer,
    503: serializers.PartnerErrorSerializer,
}

NAME_COHORT: dict[str, Any] = {
    "operation_id": "name_cohort",
    "tags": ["Partner cohort import"],
    "request": serializers.CohortNameSerializer,
    "responses": {201: serializers.PartnerSuccessSerializer, **_PARTNER_ERRORS},
    "examples": [
        OpenApiExample(
            "A cohort and its name",
            request_only=True,
            value={
                "client_secret": KEY,
                "cohort_id": "3184512",
                "name": "Lapsed subscribers",
                "created_at": "2026-01-31T09:30:00Z",
            },
        ),
    ],
}

CHANGE_COHORT: dict[str, Any] = {
    "operation_id": "change_cohort",
    "tags": ["Partner cohort import"],
    "request": serializers.CohortUsersSerializer,
    "responses": {201: serializers.PartnerImportSuccessSerializer, **_PARTNER_ERRORS},
    "examples": [
        OpenApiExample(
            "Two users enter, one device leaves",
            request_only=True,
            value={
                "client_secret": KEY,
                "cohort_id": "3184512",
                "cohort_changes": [
                    {"user_ids": ["user-1", "user-2"]},
                    {"device_ids": ["4f6ad9c0"], "should_remove": True},
                ],
            },
        ),
        OpenApiExample(
            "By alias",
            request_only=True,
            value={
                "client_secret": KEY,
                "cohort_id": "3184512",
                "cohort_changes": [{"aliases": [{"alias_name": "987", "alias_label": "crm_id"}]}],
            },
        ),
    ],
}

WEBHOOK: dict[str, Any] = {
    "operation_id": "mixpanel_webhook",
    "tags": ["Mixpanel custom webhook"],
    "request": serializers.WebhookSerializer,
    "responses": {
        200: serializers.WebhookSuccessSerializer,
        400: serializers.WebhookErrorSerializer,
        401: serializers.WebhookErrorSerializer,
        404: serializers.WebhookErrorSerializer,  # an administrator deleted the cohort
        413: serializers.WebhookErrorSerializer,
        415: serializers.WebhookErrorSerializer,
        429: serializers.WebhookErrorSerializer,
        503: serializers.WebhookErrorSerializer,
    },
    "examples": [
        OpenApiExample(
            "Page 1 of a full sync of two pages",
            request_only=True,
            value={
                "action": "members",
                "parameters": {
                    "mixpanel_project_id": "1978118",
                    "mixpanel_cohort_id": "3184512",
                    "mixpanel_cohort_name": "Lapsed subscribers",
                    "mixpanel_cohort_description": "No session for 30 days",
                    "mixpanel_session_id": "8a7f9c2e",
                    "page_info": {"total_pages": 2, "page_count": 1},
                    "members": [{"mixpanel_distinct_id": "user-1", "email": "user-1@example.com"}],
                },
            },
        ),
    ],
}


class HeaderKeyScheme(OpenApiAuthenticationExtension):
    """The data import key in the Authorization header."""

    target_class = "accounts.authentication.HeaderKeyAuthentication"
    name = ["dataImportKeyBasic", "dataImportKeyBearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Return one requirement for each: either will do."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return both ways: Basic with any user name and the key as password, or Bearer."""
        return [{"type": "http", "scheme": "basic"}, {"type": "http", "scheme": "bearer"}]


class BodyKeyScheme(OpenApiAuthenticationExtension):
    """The data import key in the body: a field of the request, so no security scheme of its own."""

    target_class = "accounts.authentication.BodyKeyAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Return an empty one: no header is asked for."""
        return [{}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return nothing: `client_secret` is described with the body."""
        return []


_STRINGS = {"type": "array", "items": {"type": "string"}}
_CHANGES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "user_ids": _STRINGS,
            "device_ids": _STRINGS,
            "aliases": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"alias_name": {"type": "string"}, "alias_label": {"type": "string"}},
                    "required": ["alias_name", "alias_label"],
                },
            },
            "should_remove": {"type": "boolean", "default": False},
        },
        "anyOf": [{"required": ["user_ids"]}, {"required": ["device_ids"]}, {"required": ["aliases"]}],
    },
}


class _FieldSchema(OpenApiSerializerFieldExtension):
    """Says what a hand-written field takes."""

    shape: dict[str, Any] = {}

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return the field's JSON schema."""
        return dict(self.shape)


class CohortChangesSchema(_FieldSchema):
    """An array, or the same array as text."""

    target_class = "cohorts.api.fields.CohortChangesField"
    shape = {"oneOf": [_CHANGES, {"type": "string", "description": "The same array as JSON text."}]}


class MembersSchema(_FieldSchema):
    """Members with whichever properties the export was set to carry."""

    target_class = "cohorts.api.fields.MembersField"
    shape = {
        "type": "array",
        "maxItems": 1000,
        "items": {
            "type": "object",
            "properties": {
                "mixpanel_distinct_id": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                "email": {"type": "string"},
                "first_name": {"type": "string"},
                "last_name": {"type": "string"},
                "phone_number": {"type": "string"},
            },
            "additionalProperties": True,
        },
    }


class OffsetDateTimeSchema(_FieldSchema):
    """ISO 8601 with offset."""

    target_class = "cohorts.api.fields.OffsetDateTimeField"
    shape = {"type": "string", "format": "date-time"}


class TextSchema(OpenApiSerializerFieldExtension):
    """A string, or a number where the protocol lets ids be numbers."""

    target_class = "cohorts.api.fields.TextField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return the field's JSON schema."""
        text = {"type": "string", "minLength": 1, "maxLength": self.target.max_length, "pattern": r"\S"}
        return {"oneOf": [text, {"type": "integer"}]} if self.target.accept_numbers else text
