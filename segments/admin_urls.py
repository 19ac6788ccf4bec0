"""The addresses of segments beside those that Django gives every model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from segments import admin_actions, admin_versions, admin_views


def addresses(view_of: Callable[..., Any]) -> list[URLPattern]:
    """Return the addresses; `view_of` wraps each view as a page of the admin."""
    pages = [*admin_actions.PAGES, *admin_versions.PAGES]
    return [
        *admin_views.urls(view_of),
        *(
            path(f"<int:segment_id>/{route}/", view_of(view), name=f"segments_segment_{name}")
            for route, view, name in pages
        ),
    ]
