"""Is the process up, and can it work? Answers name what is wrong, never why: anybody may ask."""

from __future__ import annotations

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import heartbeat


class _Migrations:
    """Whether the database has the tables that this code is written for. Once it has, nobody looks again."""

    def __init__(self) -> None:
        self.are_applied = False

    def look(self) -> bool:
        """Return whether all migrations are applied. Raises the database's errors."""
        if not self.are_applied:
            loader = MigrationLoader(connection)
            self.are_applied = set(loader.graph.nodes) <= set(loader.applied_migrations)
        return self.are_applied


migrations = _Migrations()


@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """Answer as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when calls can be taken, else 503: the database must answer, and have all migrations.

    A late worker is told, and no reason for 503 unless READYZ_REQUIRES_WORKER: taking members needs none.
    """
    found = {"database": "unavailable"}
    try:
        found = {"database": "ok", "migrations": "ok" if migrations.look() else "pending"}
        if migrations.are_applied:
            found["worker"] = "late" if heartbeat.is_late(now=timezone.now()) else "ok"
    except Error:
        found = {"database": "unavailable"}
    forgiven = {} if settings.READYZ_REQUIRES_WORKER else {"worker": "late"}
    is_ready = all(state == "ok" or forgiven.get(part) == state for part, state in found.items())
    answer = {"status": "ok" if is_ready else "unavailable", **found}
    return JsonResponse(answer, status=200 if is_ready else 503)
