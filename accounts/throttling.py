"""How often a key may call."""

from __future__ import annotations

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from accounts.models import DataImportKey, Key


class TooManyCallsError(Throttled):
    """A key made more calls than its `limit` in a minute; `wait` says in how many seconds the next may come."""

    def __init__(self, *, wait: float | None, limit: int) -> None:
        super().__init__(wait)
        self.limit = limit


class KeyThrottle(SimpleRateThrottle):
    """At most CALLS_PER_MINUTE calls with one key, or as many as its integration is set to let pass."""

    scope = "key"

    def get_rate(self) -> str | None:
        """Return none: it depends on the key, which is not known yet."""
        return None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Let the call pass, or raise TooManyCallsError."""
        limit = limit_of(request.auth)  # type: ignore[arg-type]
        if not limit:
            return True
        self.rate, self.num_requests, self.duration = f"{limit}/minute", limit, 60
        return super().allow_request(request, view)

    def throttle_failure(self) -> bool:
        """Say how long to wait, and what the limit is."""
        raise TooManyCallsError(wait=self.wait(), limit=self.num_requests or 0)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Count by key: two keys of one integration, or of one workspace, do not slow each other down."""
        key: Key = request.auth  # type: ignore[assignment]
        return f"calls:{type(key).__name__}:{key.pk}"


def limit_of(key: Key) -> int:
    """Return how many calls a minute the key may make; 0 for as many as it likes."""
    own = key.integration.calls_per_minute if isinstance(key, DataImportKey) else None
    return settings.CALLS_PER_MINUTE if own is None else own
