"""The bodies of the two wire protocols, read into plain values. What they mean is PROTOCOLS; faults come out whole."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from cohorts.api.fields import CohortChangesField, MembersField, OffsetDateTimeField, TextField
from cohorts.models import CohortSync

MAX_PAGES = 1_000_000
ID_LENGTH = 255
NAME_LENGTH = 1_000
DESCRIPTION_LENGTH = 10_000


class BodySerializer(serializers.Serializer[Any]):
    """A body or a part of one. Its faults name the field: partners' software shows the message alone."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with messages that name them."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.error_messages |= {"required": f"{name} is required.", "null": f"{name} must not be null."}
        return fields


class SecretsSerializer(BodySerializer):
    """Both secrets of the partner protocol travel in the body; `accounts/authentication.py` has checked them."""

    partner_api_key = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    client_secret = serializers.CharField()


class CohortNameSerializer(SecretsSerializer):
    """Names a cohort, or renames it."""

    cohort_id = TextField(max_length=ID_LENGTH)
    name = TextField(max_length=NAME_LENGTH)
    created_at = OffsetDateTimeField(required=False, allow_null=True)


class CohortUsersSerializer(SecretsSerializer):
    """Adds members to a cohort and removes some."""

    cohort_id = TextField(max_length=ID_LENGTH)
    cohort_changes = CohortChangesField()


class PageInfoSerializer(BodySerializer):
    """Which page of how many; `page_count` is the page's number, from 1."""

    total_pages = serializers.IntegerField(min_value=1, max_value=MAX_PAGES)
    page_count = serializers.IntegerField(min_value=1, max_value=MAX_PAGES)

    def validate(self, attrs: dict[str, int]) -> dict[str, int]:
        """Refuse a page past the last."""
        if attrs["page_count"] > attrs["total_pages"]:
            raise serializers.ValidationError(
                {
                    "page_count": f"page_count is {attrs['page_count']}, past the last page {attrs['total_pages']}."
                }
            )
        return attrs


class ParametersSerializer(BodySerializer):
    """What is exported. Unknown fields are ignored, as Mixpanel may add some."""

    mixpanel_cohort_id = TextField(max_length=ID_LENGTH, accept_numbers=True)
    mixpanel_cohort_name = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=NAME_LENGTH
    )
    mixpanel_cohort_description = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=DESCRIPTION_LENGTH
    )
    mixpanel_session_id = TextField(
        required=False, allow_null=True, max_length=ID_LENGTH, accept_numbers=True
    )
    page_info = PageInfoSerializer(required=False, allow_null=True)
    members = MembersField()


class WebhookSerializer(BodySerializer):
    """One page of a Mixpanel export."""

    action = serializers.ChoiceField(
        choices=[CohortSync.Action.MEMBERS, CohortSync.Action.ADD_MEMBERS, CohortSync.Action.REMOVE_MEMBERS],
        error_messages={"invalid_choice": "action must be members, add_members or remove_members."},
    )
    parameters = ParametersSerializer()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a full export of several pages that no session holds together."""
        parameters = attrs["parameters"]
        pages = (parameters.get("page_info") or {}).get("total_pages", 1)
        if (
            attrs["action"] == CohortSync.Action.MEMBERS
            and pages > 1
            and not parameters.get("mixpanel_session_id")
        ):
            fault = "mixpanel_session_id must name the export that the pages belong to."
            raise serializers.ValidationError({"parameters": {"mixpanel_session_id": fault}})
        return attrs


# --- answers -----------------------------------------------------------------------------------------------
class FaultSerializer(serializers.Serializer[Any]):
    """One fault of a request."""

    pointer = serializers.CharField(help_text="Where it stands in the body (RFC 6901).")
    message = serializers.CharField(help_text="What is wrong, and what is allowed.")


class PartnerSuccessSerializer(serializers.Serializer[Any]):
    """The partner protocol's success."""

    message = serializers.CharField(default="success")


class PartnerImportSuccessSerializer(PartnerSuccessSerializer):
    """... with how the identifiers fared."""

    matched = serializers.IntegerField(
        help_text="Profiles reached; one reached by two identifiers counts once."
    )
    unmatched = serializers.IntegerField(help_text="Identifiers that matched no profile.")


class PartnerErrorSerializer(serializers.Serializer[Any]):
    """The partner protocol's error: the first fault in `message`, the first 20 in `errors`."""

    message = serializers.CharField()
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]
    error_count = serializers.IntegerField(required=False)


class WebhookSuccessSerializer(serializers.Serializer[Any]):
    """The webhook's success."""

    action = serializers.CharField()
    status = serializers.CharField(default="success")


class WebhookErrorDetailSerializer(serializers.Serializer[Any]):
    """What Mixpanel shows to its user."""

    message = serializers.CharField()
    code = serializers.IntegerField(help_text="The HTTP status.")
    faults = FaultSerializer(many=True, required=False)
    fault_count = serializers.IntegerField(required=False)


class WebhookErrorSerializer(serializers.Serializer[Any]):
    """The webhook's failure."""

    action = serializers.CharField(allow_null=True)
    status = serializers.CharField(default="failure")
    error = WebhookErrorDetailSerializer()
