"""JSON logs: one line per request with id, endpoint, status and time, and never a member's data."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

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
        event["places"] = places[-8:]
    return event


def logging_config(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything as JSON lines on standard error, from `level` up."""
    json_lines = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            traceback_without_values,
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
        request_id = uuid.uuid4().hex
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
