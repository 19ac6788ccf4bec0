"""The addresses of segments beside those that Django gives every model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from segments import admin_actions, admin_versions, admin_views


@require_POST
def counts(request: HttpRequest) -> HttpResponse:
    """Count a draft, for those who may save one."""
    if not any(request.user.has_perm(f"segments.{may}_segment") for may in ("add", "change")):
        raise PermissionDenied
    return admin_views.counts(request)


def addresses(view_of: Callable[..., Any]) -> list[URLPattern]:
    """Return the addresses; `view_of` wraps each view as a page of the admin."""
    pages = [*admin_actions.PAGES, *admin_versions.PAGES]
    return [
        path("counts/", view_of(counts), name="segments_segment_counts"),
        *(
            path(f"<int:segment_id>/{route}/", view_of(view), name=f"segments_segment_{name}")
            for route, view, name in pages
        ),
    ]
