"""Audience > Segments, one segment: duplicate, archive, unarchive, delete. What cannot be taken back asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from segments import saving, uses
from segments.admin_segments import ADDS, DELETES, EDITS, ask, back_to, by, faults_of, page_of, segment_of
from segments.filters import FilterError
from segments.models import Segment
from segments.saving import SegmentInUseError


@require_POST
@permission_required(ADDS, raise_exception=True)
def duplicate(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Copy a segment, and open the copy."""
    segment = segment_of(request, segment_id)
    try:
        copy = saving.duplicate(segment=segment, by=by(request), now=timezone.now())
    except FilterError as error:
        messages.error(request, " ".join(faults_of(error)))
        return redirect(page_of(segment))
    return back_to(request, copy, _("This is the copy of “{name}”.").format(name=segment.name))


@permission_required(EDITS, raise_exception=True)
def archive(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Ask first, then archive a segment, unless something uses it."""
    segment = segment_of(request, segment_id)
    words = _words_of_archiving(segment)
    if request.method != "POST":
        return ask(request, segment, words, users=uses.active(uses.of(segment=segment)))
    try:
        saving.archive(segment=segment, now=timezone.now())
    except SegmentInUseError as error:
        return ask(request, segment, words, users=error.users)
    return back_to(request, segment, _("“{name}” is archived now.").format(name=segment.name))


def _words_of_archiving(segment: Segment) -> dict[str, Any]:
    return {
        "title": _("Archive segment"),
        "question": _("Archive “{name}”?").format(name=segment.name),
        "text": _(
            "It leaves the list, is not offered to other segments any more, and its size is not noted any more. "
            "Filters, versions and sizes are kept, and you can unarchive it at any time."
        ),
        "action": _("Archive segment"),
        "refusal": _("“{name}” is in use and cannot be archived.").format(name=segment.name),
        "remedy": _("Change or archive these first:"),
    }


@require_POST
@permission_required(EDITS, raise_exception=True)
def unarchive(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Take a segment into use again: nothing is lost by that, so nothing is asked."""
    segment = segment_of(request, segment_id)
    try:
        saving.unarchive(segment=segment, now=timezone.now())
    except FilterError as error:
        messages.error(request, " ".join(faults_of(error)))
        return redirect(page_of(segment))
    return back_to(request, segment, _("“{name}” is in use again.").format(name=segment.name))


@permission_required(DELETES, raise_exception=True)
def delete(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Ask first, then delete a segment, unless something uses it."""
    segment = segment_of(request, segment_id)
    words = _words_of_deleting(segment)
    if request.method != "POST":
        return ask(request, segment, words, users=uses.of(segment=segment))
    try:
        saving.delete(segment=segment)
    except SegmentInUseError as error:
        return ask(request, segment, words, users=error.users)
    messages.success(request, _("“{name}” was deleted.").format(name=words["name"]))
    return redirect("admin:segments_segment_changelist")


def _words_of_deleting(segment: Segment) -> dict[str, Any]:
    return {
        "name": segment.name,
        "title": _("Delete segment"),
        "question": _("Delete “{name}” for ever?").format(name=segment.name),
        "text": _(
            "Its filters, all of its versions and its sizes are deleted, and nothing of them can be brought back. "
            "The users in it stay. To put it out of the way only, archive it."
        ),
        "action": _("Delete segment"),
        "refusal": _("“{name}” is in use and cannot be deleted.").format(name=segment.name),
        "remedy": _("Change or delete these first:"),
        "is_danger": True,
    }


# Route below a segment's page, view, name.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("duplicate", duplicate, "duplicate"),
    ("archive", archive, "archive"),
    ("unarchive", unarchive, "unarchive"),
    ("delete", delete, "delete"),
]
