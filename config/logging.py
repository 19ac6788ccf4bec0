"""JSON logs: one line per request with id, endpoint, status and time, and never a member's data."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

# A proxy's id of a request, if it is random: 32 hexadecimal digits or a UUID. Anything freer could name a person.
REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PLACE = re.compile(r'^ *File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_CLASS = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
_PLACES = 8
# What is logged about a request is listed here; bodies, query strings and identifiers are not.
log = structlog.get_logger("rollcall.request")


def configure_structlog() -> None:
    """Render every structlog event as one JSON line through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def traceback_without_values(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace the exception by its class and places: messages and locals may carry personal data."""
    info = event.pop("exc_info", None)
    if info and not isinstance(info, bool) and info[0] is not None:
        event["exception"] = info[0].__qualname__
        places, frame = [], info[2]
        while frame is not None:
            code = frame.tb_frame.f_code
            places.append(f"{code.co_filename}:{frame.tb_lineno} {code.co_name}")
            frame = frame.tb_next
        event["places"] = places[-_PLACES:]
    return event


def texts_without_values(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Cut what other packages write out of values: the worker a task's whole traceback, the web server an address."""
    text = event.get("event")
    if not isinstance(text, str):
        return event
    if event.get("logger") == "gunicorn.error":
        event["event"] = text.partition("?")[0]
    head, traceback, rest = text.partition("Traceback (most recent call last)")
    if traceback:
        event["event"] = head.partition(" - ")[0]
        event["exception"] = (_CLASS.search(rest) or [None, None])[1]
        event["places"] = [f"{file}:{line} {name}" for file, line, name in _PLACE.findall(rest)][-_PLACES:]
    return event


def logging_config(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything as JSON lines on standard error, from `level` up."""
    json_lines = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            traceback_without_values,
            texts_without_values,
            structlog.processors.JSONRenderer(),
        ],
        "foreign_pre_chain": [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": json_lines},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers would print request lines and tracebacks with values a second time.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "django.db.backends": {"level": "INFO"},  # below, it logs statements with their values
            "django.request": {"level": "ERROR"},  # what broke a page; 4xx would be noise
            "axes": {"level": "ERROR"},  # it logs user names
        },
    }


class RequestLogMiddleware:
    """Give every request an id, echo it in `X-Request-Id`, and log how the request ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = _request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        match = request.resolver_match
        log.info(
            "request",
            method=request.method,
            route=match.route if match else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        return response


def _request_id(proposed: str) -> str:
    """Return the proxy's id of a request, so that its log and ours can be read together; else one of our own."""
    return proposed if REQUEST_ID.fullmatch(proposed) else uuid.uuid4().hex
