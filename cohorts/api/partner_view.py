"""What the endpoints of both partner protocols share: who calls, how often, and what is kept of a call."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone, translation
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import addresses, calls
from accounts.models import DataImportKey, Integration
from accounts.throttling import KeyThrottle
from cohorts.rows import IgnoredCohortError

Cause = calls.Cause
# What is kept of a refusal where the answer names a header's value, or seconds that differ from call to call.
REASONS = {
    Cause.NOT_JSON: "The body must be JSON (Content-Type: application/json), as it is or compressed by gzip.",
    Cause.TOO_MANY_CALLS: "This key made more calls in a minute than are allowed.",
}
CAUSES = {
    status.HTTP_400_BAD_REQUEST: Cause.BAD_BODY,
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: Cause.BODY_TOO_LARGE,
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: Cause.NOT_JSON,
    status.HTTP_429_TOO_MANY_REQUESTS: Cause.TOO_MANY_CALLS,
}


class IntegrationOffError(APIException):
    """The operator switched the integration off: passing, so the partner tries again by itself."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This integration is switched off in Rollcall. The sync resumes when it is on again."


class PartnerView(APIView):
    """An endpoint that partners call. Messages are English: partners' software shows them."""

    throttle_classes = [KeyThrottle]
    http_method_names = ["post"]
    endpoint: ClassVar[str]  # its name in the list of rejected calls
    key: DataImportKey | None = None  # that the call came with, once it is known to be valid

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and throttle; refuse while the integration is off."""
        translation.activate("en")
        if request.method not in self.allowed_methods:  # no key would make it allowed, so none is asked for
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        if not self.integration.is_enabled:
            raise IntegrationOffError

    def perform_authentication(self, request: Request) -> None:
        """Find out whose call it is."""
        super().perform_authentication(request)
        self.key = request.auth  # type: ignore[assignment]

    @property
    def integration(self) -> Integration:
        """The partner's integration, which its key decided."""
        integration: Integration = self.request.user  # type: ignore[assignment]
        return integration

    def error_body(
        self, *, status: int, message: str, faults: list[dict[str, str]], total: int
    ) -> dict[str, Any]:
        """Return an error in the partner protocol's shape."""
        return {"message": message} | ({"errors": faults, "error_count": total} if faults else {})

    def error_in(self, body: dict[str, Any]) -> tuple[str, list[dict[str, str]]]:
        """Return message and faults of an error's body."""
        return body["message"], body.get("errors", [])

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error; a refusal is kept."""
        if isinstance(exc, IgnoredCohortError):  # a person's business, so the partner is to pause its sync
            exc = NotFound(str(exc))
        response = super().handle_exception(exc)
        if response.status_code in calls.KEPT:
            calls.reject(rejection=self._rejection(exc, response), now=timezone.now())
        return response

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Count the call. One that was put off is not counted: the partner makes it again."""
        if self.key is not None and not status.is_server_error(response.status_code):
            is_refused = status.is_client_error(response.status_code)
            calls.count(key=self.key, is_refused=is_refused, now=timezone.now())
        return super().finalize_response(request, response, *args, **kwargs)

    def _rejection(self, error: Exception, response: Response) -> calls.Rejection:
        cause = _cause(error, response.status_code)
        known = self.integration.workspace_id if self.key else getattr(error, "workspace_id", None)
        return calls.Rejection(
            workspace_id=known,
            partner=self.kwargs["partner"],
            endpoint=self.endpoint,
            status=response.status_code,
            cause=cause,
            reason=REASONS.get(cause) or _reason(*self.error_in(response.data)),
            key_prefix=self.key.prefix if self.key else getattr(error, "key_prefix", ""),
            address=addresses.of_request(self.request),
            body_bytes=_length(self.request),
        )


def _cause(error: Exception, answer: int) -> calls.Cause:
    if answer in CAUSES:
        return CAUSES[answer]
    code = error.get_codes() if isinstance(error, APIException) else ""
    if code == "not_authenticated":
        return Cause.NO_KEY
    return Cause(code) if code in Cause.values else Cause.UNKNOWN_KEY


def _reason(message: str, faults: list[dict[str, str]]) -> str:
    """Return the first fault with its place. Messages of ours name fields and limits, never what somebody sent."""
    pointer = faults[0]["pointer"] if faults else ""
    return f"{pointer}: {message}" if pointer else message


def _length(request: Request) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "")
    return int(text) if text.isascii() and text.isdigit() else 0
