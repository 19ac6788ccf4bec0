"""Pages about one segment: which one is meant, how they are shown, and what is said when they are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import current_workspace
from config.admin import page
from profiles import admin_uses
from segments.filters import FilterError
from segments.models import Segment

VIEWS = "segments.view_segment"
EDITS = (VIEWS, "segments.change_segment")
ADDS = (VIEWS, "segments.add_segment")
DELETES = (VIEWS, "segments.delete_segment")
CONFLICT = 409


def segment_of(request: HttpRequest, segment_id: int) -> Segment:
    """Return a segment of the current workspace. Raises Http404."""
    segments = Segment.objects.for_workspace(current_workspace(request)).select_related("workspace")
    return get_object_or_404(segments, pk=segment_id)


def page_of(segment: Segment) -> str:
    """Return the address of a segment's page."""
    return reverse("admin:segments_segment_change", args=[segment.pk])


def by(request: HttpRequest) -> User:
    """Return who does it."""
    return cast("User", request.user)


def show(
    request: HttpRequest, segment: Segment, template: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page about one segment, below its own."""
    trail = [(_("Segments"), reverse("admin:segments_segment_changelist")), (segment.name, page_of(segment))]
    about = {"title": title, "trail": trail, "segment": segment, "back": page_of(segment)}
    return page(request, f"segments/{template}.html", about | context, status=status)


def ask(
    request: HttpRequest,
    segment: Segment,
    words: Mapping[str, Any],
    *,
    users: Sequence[Model] = (),
    faults: Sequence[str] = (),
) -> HttpResponse:
    """Ask before something is done; or say why it cannot be done, and name and link what keeps it from being done.

    `words` has `title`, `question`, `text` and `action` (of the button), `refusal` where it can be refused,
    and `is_danger` for what cannot be undone.
    """
    is_refused = bool(users or faults)
    status = CONFLICT if is_refused and request.method == "POST" else 200
    more: dict[str, Any] = {"users": admin_uses.links(users), "faults": faults, "is_refused": is_refused}
    return show(request, segment, "confirm", status=status, **{**words, **more})


def faults_of(error: FilterError) -> list[str]:
    """Return what is at fault, each of it once."""
    return list(dict.fromkeys(fault.message for fault in error.faults))


def back_to(request: HttpRequest, segment: Segment, message: str) -> HttpResponse:
    """Go to a segment's page, and say there what happened."""
    messages.success(request, message)
    return redirect(page_of(segment))
