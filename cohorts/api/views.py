"""The partner endpoints: each translates in, makes one domain call, and translates out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.utils import timezone, translation
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import BodyKeyAuthentication, HeaderKeyAuthentication
from accounts.models import Integration
from accounts.throttling import KeyThrottle
from cohorts import imports, syncs
from cohorts.api import schema
from cohorts.api.serializers import CohortNameSerializer, CohortUsersSerializer, WebhookSerializer
from cohorts.imports import Change, IgnoredCohortError
from cohorts.models import CohortSync
from cohorts.syncs import Export
from profiles import identifiers

Action = CohortSync.Action


class IntegrationOffError(APIException):
    """The operator switched the integration off: passing, so the partner tries again by itself."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This integration is switched off in Rollcall. The sync resumes when it is on again."


class PartnerView(APIView):
    """What the endpoints of both protocols share. Messages are English: partners' software shows them."""

    throttle_classes = [KeyThrottle]
    http_method_names = ["post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and throttle; refuse while the integration is off."""
        translation.activate("en")
        if request.method not in self.allowed_methods:  # no key would make it allowed, so none is asked for
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        if not self.integration.is_enabled:
            raise IntegrationOffError

    @property
    def integration(self) -> Integration:
        """The partner's integration, which its key decided."""
        integration: Integration = self.request.user  # type: ignore[assignment]
        return integration

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error. That a cohort was deleted is a person's business, so the partner is to pause its sync."""
        return super().handle_exception(NotFound(str(exc)) if isinstance(exc, IgnoredCohortError) else exc)

    def error_body(
        self, *, status: int, message: str, faults: list[dict[str, str]], total: int
    ) -> dict[str, Any]:
        """Return an error in the partner protocol's shape."""
        return {"message": message} | ({"errors": faults, "error_count": total} if faults else {})


class CohortView(PartnerView):
    """`POST /partners/{partner}/cohorts`"""

    authentication_classes = [BodyKeyAuthentication]

    @extend_schema(**schema.NAME_COHORT)
    def post(self, request: Request, partner: str) -> Response:
        """Name a cohort: create it if it is new, rename it if it is known."""
        body = CohortNameSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        imports.name_cohort(
            integration=self.integration,
            partner_cohort_id=body.validated_data["cohort_id"],
            name=body.validated_data["name"],
            created_at=body.validated_data.get("created_at"),
            now=timezone.now(),
        )
        return Response({"message": "success"}, status=status.HTTP_201_CREATED)


class CohortUsersView(PartnerView):
    """`POST /partners/{partner}/cohorts/users`"""

    authentication_classes = [BodyKeyAuthentication]

    @extend_schema(**schema.CHANGE_COHORT)
    def post(self, request: Request, partner: str) -> Response:
        """Add members to a cohort and remove members, in the order of the objects, all or nothing."""
        body = CohortUsersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changes: list[Change] = body.validated_data["cohort_changes"]
        matched = unmatched = 0
        if changes:  # an empty array is a connection test: it must leave no cohort behind
            result = imports.apply(
                integration=self.integration,
                export=Export(partner_cohort_id=body.validated_data["cohort_id"], action=Action.CHANGES),
                changes=changes,
                digest=b"",
                now=timezone.now(),
            )
            matched, unmatched = result.matched, result.unmatched
        success = {"message": "success", "matched": matched, "unmatched": unmatched}
        return Response(success, status=status.HTTP_201_CREATED)


class WebhookView(PartnerView):
    """`POST /partners/mixpanel/webhook`"""

    authentication_classes = [HeaderKeyAuthentication]

    @extend_schema(**schema.WEBHOOK)
    def post(self, request: Request, partner: str) -> Response:
        """Take one page of an export: replace the cohort's members, add some or remove some."""
        if not isinstance(request.data, Mapping):
            raise ParseError("The body must be a JSON object.")
        body = WebhookSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        action = Action(body.validated_data["action"])
        parameters = body.validated_data["parameters"]
        members = identifiers.of_members(
            parameters["members"], external_id_property=self.integration.external_id_property
        )
        imports.apply(
            integration=self.integration,
            export=_export(action, parameters),
            changes=[Change(members=members, should_remove=action == Action.REMOVE_MEMBERS)],
            digest=imports.digest_of(orjson.dumps(parameters["members"])),
            now=timezone.now(),
        )
        return Response({"action": action, "status": "success"})

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error; a refusal is kept with the sync that waits for the page."""
        response = super().handle_exception(exc)
        if response.status_code == status.HTTP_400_BAD_REQUEST and response.data:
            self._note_refusal(response.data["error"]["message"])
        return response

    def _note_refusal(self, message: str) -> None:
        body: Any = self.request.data
        parameters = body.get("parameters") if isinstance(body, Mapping) else None
        if isinstance(parameters, Mapping) and parameters.get("mixpanel_session_id"):
            syncs.note_refusal(
                integration=self.integration,
                partner_cohort_id=str(parameters.get("mixpanel_cohort_id")),
                session_id=str(parameters["mixpanel_session_id"]),
                error=message,
            )

    def error_body(
        self, *, status: int, message: str, faults: list[dict[str, str]], total: int
    ) -> dict[str, Any]:
        """Return an error in the webhook's shape, with the action echoed if it could be read."""
        error: dict[str, Any] = {"message": message, "code": status}
        if faults:
            error |= {"faults": faults, "fault_count": total}
        return {"action": _readable_action(self.request), "status": "failure", "error": error}


def _export(action: Action, parameters: Mapping[str, Any]) -> Export:
    page_info = parameters.get("page_info") or {"page_count": 1, "total_pages": 1}
    return Export(
        partner_cohort_id=parameters["mixpanel_cohort_id"],
        action=action,
        name=parameters.get("mixpanel_cohort_name") or None,
        description=parameters.get("mixpanel_cohort_description"),
        session_id=parameters.get("mixpanel_session_id") or "",
        page=page_info["page_count"],
        total_pages=page_info["total_pages"],
    )


def _readable_action(request: Request) -> str | None:
    try:
        action = request.data.get("action") if isinstance(request.data, Mapping) else None
    except APIException:
        return None
    return action if isinstance(action, str) else None
