"""How often a key may call."""

from __future__ import annotations

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from accounts.models import Key


class KeyThrottle(SimpleRateThrottle):
    """At most CALLS_PER_MINUTE calls with one key."""

    scope = "key"

    def get_rate(self) -> str | None:
        """Return the rate in DRF's notation; None lets everything pass."""
        return f"{settings.CALLS_PER_MINUTE}/minute" if settings.CALLS_PER_MINUTE else None

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Count by key: two keys of one integration, or of one workspace, do not slow each other down."""
        key: Key = request.auth  # type: ignore[assignment]
        return f"calls:{type(key).__name__}:{key.pk}"
