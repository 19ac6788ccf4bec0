"""What all our endpoints share: how JSON comes in, and how errors go out."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any

import orjson
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from redis.exceptions import RedisError
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    NotFound,
    ParseError,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

log = structlog.get_logger("rollcall.api")
RETRY_AFTER_SECONDS = 10
MAX_NUMBER = 2**64
PROBLEM_TYPE = "application/problem+json"


# --- in ----------------------------------------------------------------------------------------------------
class BodyTooLargeError(APIException):
    """The body, or what it inflates to, is larger than MAX_BODY_BYTES."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(f"The body is larger than {settings.MAX_BODY_BYTES} bytes.")


class BodyParser(BaseParser):
    """The body as bytes, gzip-encoded or not, bounded in size.

    Raises ParseError (400), UnsupportedMediaType (415) or BodyTooLargeError (413).
    """

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body."""
        request = (parser_context or {})["request"]
        return _inflated(_read(stream, request), request.META.get("HTTP_CONTENT_ENCODING", ""))


class StrictJSONParser(BodyParser):
    """JSON by orjson, gzip-encoded or not, bounded in size and depth.

    Refuses what parsers disagree about or databases cannot hold: duplicate names, numbers past 64 bits, NaN, NUL,
    lone surrogates. Raises ParseError (400), UnsupportedMediaType (415) or BodyTooLargeError (413).
    """

    def __init__(self) -> None:
        super().__init__("application/json")

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body."""
        return parse_json(super().parse(stream, media_type, parser_context))


def parse_json(raw: bytes) -> Any:
    """Return the value of a JSON text. Raises ParseError for anything but one that everybody reads alike."""
    try:
        value = orjson.loads(raw)
        written = orjson.dumps(value)
    except orjson.JSONDecodeError as error:
        raise ParseError(f"Malformed JSON: {error}") from error
    except orjson.JSONEncodeError as error:
        raise ParseError("The body is nested deeper than 254 levels.") from error
    # What is written back byte for byte has no duplicate names and no number that lost digits; a NUL would be
    # written back too. Most clients' bodies pass; the others are looked at more closely.
    if written != raw or b"\\u0000" in raw:
        _refuse_ambiguity(raw, value)
    return value


def _read(stream: IO[bytes], request: HttpRequest) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_BODY_BYTES:
        raise BodyTooLargeError
    raw = stream.read(settings.MAX_BODY_BYTES + 1)
    if len(raw) > settings.MAX_BODY_BYTES:
        raise BodyTooLargeError
    return raw


def _inflated(raw: bytes, encoding: str) -> bytes:
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return raw
    if encoding not in {"gzip", "x-gzip"}:
        raise UnsupportedMediaType(
            encoding, detail=f"Content-Encoding “{encoding}” is not supported; gzip is."
        )
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = inflater.decompress(raw, settings.MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ParseError("The body is not valid gzip.") from error
    if len(text) > settings.MAX_BODY_BYTES:
        raise BodyTooLargeError
    if not inflater.eof or inflater.unused_data:
        raise ParseError("The body is not one complete gzip stream.")
    return text


def _refuse_ambiguity(raw: bytes, value: Any) -> None:
    """Raise ParseError for duplicate names, for numbers past 64 bits and for NUL in a text."""

    def unique(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ParseError("An object names the same member twice.")

    json.loads(raw, object_pairs_hook=unique)
    pending = [value]
    while pending:
        item = pending.pop()
        if type(item) is dict:
            pending += item
            pending += item.values()
        elif type(item) is list:
            pending += item
        elif type(item) is float and abs(item) >= MAX_NUMBER:
            raise ParseError("A number is too large: 64 bits are the limit.")
        elif type(item) is str and "\x00" in item:
            raise ParseError("A text holds a NUL character.")


# --- out ---------------------------------------------------------------------------------------------------
MAX_FAULTS = 20


class OneFormatNegotiation(DefaultContentNegotiation):
    """Answers in the view's one format. A client that accepts another is no reason to refuse its members."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the view's first renderer, whatever the Accept header or the query string ask for."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


@dataclass(frozen=True)
class Fault:
    """What is wrong with one value of a request, and where it stands (RFC 6901)."""

    pointer: str
    message: str


class OwnFaultError(APIException):
    """A fault of ours. The log has its class and places; the client gets no details."""

    status_code = status.HTTP_500_INTERNAL_SERVER_ERROR
    default_detail = "Rollcall failed to process this. Its operator finds the details in the log."


class TemporarilyUnavailableError(APIException):
    """Something passing: the same call will be answered later."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Rollcall cannot process this at the moment. Try again later."


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any error of any endpoint: as RFC 9457 problem+json, or in the shape of the view's own protocol.

    A view of another protocol has `error_body(status, message, faults, total)`, which returns its body.
    """
    known = _as_api_exception(error)
    faults = list(_faults(known.detail)) if isinstance(known, ValidationError) else []
    message = faults[0].message if faults else str(known.detail)
    shape = getattr(context.get("view"), "error_body", _problem)
    shown = [asdict(fault) for fault in faults[:MAX_FAULTS]]
    body = shape(status=known.status_code, message=message, faults=shown, total=len(faults))
    content_type = PROBLEM_TYPE if shape is _problem else None
    return Response(body, status=known.status_code, headers=_headers(known), content_type=content_type)


def _as_api_exception(error: Exception) -> APIException:
    if isinstance(error, APIException):
        return error
    if isinstance(error, Http404):
        return NotFound("There is nothing at this address.")
    if isinstance(error, (OperationalError, InterfaceError, RedisError)):
        # Away, locked or overloaded: passing, and so 503. A 4xx would make the partner pause the sync.
        event = "redis_unavailable" if isinstance(error, RedisError) else "database_unavailable"
        log.error(event, exception=type(error).__qualname__)
        return TemporarilyUnavailableError()
    log.error("request_failed", exc_info=(type(error), error, error.__traceback__))
    return OwnFaultError()


def _faults(detail: Any, pointer: str = "") -> Iterator[Fault]:
    """Yield the faults of a ValidationError's nested detail in the order of the request."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            here = pointer if name == api_settings.NON_FIELD_ERRORS_KEY else f"{pointer}/{_escaped(name)}"
            yield from _faults(inner, here)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _faults(inner, pointer)
    else:
        yield Fault(pointer, str(detail))


def _escaped(name: str | int) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _headers(error: APIException) -> dict[str, str]:
    headers = {}
    wait = int(getattr(error, "wait", None) or RETRY_AFTER_SECONDS)
    if error.status_code in {status.HTTP_429_TOO_MANY_REQUESTS, status.HTTP_503_SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(wait)
    if error.status_code == status.HTTP_429_TOO_MANY_REQUESTS:  # clients of Braze's API read these instead
        headers["X-RateLimit-Limit"] = str(getattr(error, "limit", settings.CALLS_PER_MINUTE))
        headers["X-RateLimit-Remaining"] = "0"
        headers["X-RateLimit-Reset"] = str(int(time.time()) + wait)
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return headers


def _problem(*, status: int, message: str, faults: list[dict[str, str]], total: int) -> dict[str, Any]:
    body: dict[str, Any] = {"title": message, "status": status}
    return body | {"errors": faults, "error_count": total} if faults else body


def hide_slash_twins(endpoints: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Keep each operation once in the schema: every path answers with and without a trailing slash."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]
