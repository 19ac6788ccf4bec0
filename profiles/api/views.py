"""The endpoints of the users' REST API: each translates in, makes one domain call, and translates out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.models import Scope
from accounts.rest_view import RestView
from profiles import tracking
from profiles.api import schema_track
from profiles.tracking import Result
from profiles.tracking_objects import Refusal, RequestError


class UsersView(RestView):
    """What all endpoints of the users' REST API share."""

    http_method_names = ["post"]

    @property
    def body(self) -> Mapping[str, Any]:
        """The body, which must be a JSON object."""
        body: Any = self.request.data
        if not isinstance(body, Mapping):
            raise ParseError("The body must be a JSON object.")
        return body

    def error_body(
        self, *, status: int, message: str, faults: list[dict[str, str]], total: int
    ) -> dict[str, Any]:
        """Return an error in the shape that clients of Braze's API read."""
        return {"message": message} | ({"errors": faults, "error_count": total} if faults else {})


class TrackView(UsersView):
    """`POST /users/track`"""

    required_scope = Scope.USERS_TRACK

    @extend_schema(**schema_track.TRACK)
    def post(self, request: Request) -> Response:
        """Write attributes, events and purchases of users; make users that there are not yet."""
        try:
            result = tracking.track(workspace_id=self.workspace.pk, body=self.body, now=timezone.now())
        except RequestError as error:
            raise ValidationError(
                {name or api_settings.NON_FIELD_ERRORS_KEY: text for name, text in error.faults.items()}
            ) from error
        if result.is_refused:
            message = f"Nothing was applied. {result.refusals[0].reason}"
            return Response({"message": message} | _errors(result), status=status.HTTP_400_BAD_REQUEST)
        return Response({"message": "success"} | _counts(result) | _errors(result), status.HTTP_201_CREATED)


def _counts(result: Result) -> dict[str, int]:
    processed = {f"{array}_processed": count for array, count in result.processed.items()}
    dropped = {
        f"{array}_dropped": count
        for array in result.processed
        if (count := sum(it.is_dropped for it in result.refusals if it.array is array))
    }
    return processed | dropped


def _errors(result: Result) -> dict[str, Any]:
    return {"errors": [_error(it) for it in result.refusals]} if result.refusals else {}


def _error(refusal: Refusal) -> dict[str, Any]:
    return {"type": refusal.reason, "input_array": refusal.array.value, "index": refusal.position}
