"""`/metrics` in the format of Prometheus: who may read it, and what is measured of every request."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.metrics import MEASURED
from config.metrics_at_scrape import AtScrape

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Callers choose their paths and methods, so neither is a label as it came: static files, and what leads nowhere.
NO_ENDPOINT, NO_METHOD = "(none)", "(other)"
# A page of members is done in milliseconds; partners give up after 10 s, the web server after 60.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
REQUESTS = Counter(
    "rollcall_requests", "Requests that were answered.", ["endpoint", "method", "status"], registry=MEASURED
)
SECONDS = Histogram(
    "rollcall_request_duration_seconds",
    "How long requests took to be answered.",
    ["endpoint", "method"],
    buckets=BUCKETS,
    registry=MEASURED,
)
CONNECTIONS = Gauge(
    "rollcall_web_database_connections",
    "Database connections that the processes of this web server hold open.",
    multiprocess_mode="livesum",
    registry=MEASURED,
)


class RequestMetricsMiddleware:
    """Count every request, and how long it took, by the name of its view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        endpoint = match.view_name if match else NO_ENDPOINT
        method = request.method if request.method in METHODS else NO_METHOD
        REQUESTS.labels(endpoint, method, response.status_code).inc()
        SECONDS.labels(endpoint, method).observe(time.perf_counter() - started)
        open_ones = [it for it in connections.all(initialized_only=True) if it.connection is not None]
        CONNECTIONS.set(len(open_ones))
        return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape; 401 or 404 for whoever may not read it."""
    if not _may_read(request):
        if not settings.METRICS_TOKEN:
            raise Http404
        return _refusal()
    measured = _of_all_processes() if "PROMETHEUS_MULTIPROC_DIR" in os.environ else MEASURED
    asked = CollectorRegistry()
    asked.register(AtScrape())
    text = generate_latest(measured) + generate_latest(asked)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _refusal() -> JsonResponse:
    body = {"title": "Send METRICS_TOKEN in the header: “Authorization: Bearer TOKEN”.", "status": 401}
    headers = {"WWW-Authenticate": 'Bearer realm="Rollcall metrics"'}
    return JsonResponse(body, status=401, headers=headers, content_type="application/problem+json")


def _of_all_processes() -> CollectorRegistry:
    """Return what all processes of this web server measured, added up (`config/metrics_files.py`)."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def _may_read(request: HttpRequest) -> bool:
    return _has_token(request) or _has_address(request)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    expected = settings.METRICS_TOKEN
    if not expected or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode("utf-8", "surrogatepass"), expected.encode())


def _has_address(request: HttpRequest) -> bool:
    """Whether the request came from a listed network, and directly.

    Behind a proxy everybody has the proxy's address, and what a header says of the client may be the client's word.
    """
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0])
    except ValueError:  # a server that listens on a socket file knows of no address
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network, strict=False) for network in settings.METRICS_ADDRESSES)
