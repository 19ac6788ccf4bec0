"""`POST /import`, as Mixpanel's own clients call it: JSON, lines of JSON, or a form with JSON in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import RestKeyOrBasicAuthentication
from accounts.models import Scope
from profiles import event_import
from profiles.api import schema_events
from profiles.api.views import UsersView

LINES, FORM = "application/x-ndjson", "application/x-www-form-urlencoded"


class TooManyEventsError(APIException):
    """More events than a request may hold; nothing of it was imported."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, count: int) -> None:
        super().__init__(
            f"The request holds {count:,} events; {schema_events.MAX_EVENTS:,} are allowed. Send them in several."
        )


class ImportView(UsersView):
    """`POST /import`"""

    authentication_classes = [RestKeyOrBasicAuthentication]
    required_scope = Scope.EVENTS_IMPORT

    @extend_schema(**schema_events.IMPORT)
    def post(self, request: Request) -> Response:
        """Import past events of users that there are."""
        is_strict = self._is_strict()
        values = _values(request)
        if len(values) > schema_events.MAX_EVENTS:
            raise TooManyEventsError(len(values))
        counts, failed = event_import.receive(
            workspace_id=self.workspace.pk, values=values, now=timezone.now()
        )
        figures = {
            ("num_records_imported" if name == "imported" else name): count
            for name, count in counts.by_name().items()
        }
        records = {"failed_records": [asdict(it) for it in failed]} if failed else {}
        if failed and is_strict:
            body = self.error_body(
                status=HTTPStatus.BAD_REQUEST, message=schema_events.FAILED, faults=[], total=0
            )
            return Response(body | figures | records, status=HTTPStatus.BAD_REQUEST)
        done = 1 if _media_type(request) == FORM else HTTPStatus.OK.phrase
        return Response({"code": HTTPStatus.OK.value, "status": done} | figures | records)

    def get_parsers(self) -> list[BaseParser]:
        """Take lines and forms beside JSON."""
        body_parser = import_string(settings.BODY_PARSER)
        return [*super().get_parsers(), body_parser(LINES), body_parser(FORM)]

    def error_body(
        self, *, status: int, message: str, faults: list[dict[str, str]], total: int
    ) -> dict[str, Any]:
        """Return an error in the shape that Mixpanel's clients read."""
        del faults, total  # the message is that of the first
        return {"code": int(status), "error": message, "status": HTTPStatus(status).phrase}

    def _is_strict(self) -> bool:
        strict = self.request.query_params.get("strict", "1")
        if strict not in {"0", "1"}:
            raise ValidationError("The parameter strict must be 0 or 1.")
        return strict == "1"


def _values(request: Request) -> Sequence[Any]:
    """Return the events of a body: JSON values, or lines of JSON as bytes."""
    body: Any = request.data
    if body == {}:  # which is what DRF makes of an empty body
        body = b""
    if _media_type(request) == LINES:
        return [line for line in body.splitlines() if line and not line.isspace()]
    if _media_type(request) == FORM:
        body = _json_in_form(body)
    if isinstance(body, dict):
        body = [body]
    if not isinstance(body, list):
        raise ParseError("The body must be an array of events, or an event.")
    return body


def _json_in_form(body: bytes) -> Any:
    try:
        fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=schema_events.MAX_FORM_FIELDS)
        return orjson.loads(fields["data"][0])
    except (KeyError, ValueError) as error:
        raise ParseError("The form's field data must be events as JSON.") from error


def _media_type(request: Request) -> str:
    return str(request.content_type).partition(";")[0].strip().lower()
