"""Audience > Segments, one segment: a former version beside the current one, and its restoration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from segments import comparison, saving, wording
from segments.admin_segments import EDITS, VIEWS, ask, back_to, by, faults_of, segment_of, show
from segments.filters import FilterError
from segments.models import Segment, SegmentVersion


@permission_required(VIEWS, raise_exception=True)
def compare(request: HttpRequest, segment_id: int, number: int) -> HttpResponse:
    """Show a version beside the current one, line by line."""
    segment = segment_of(request, segment_id)
    version = _version(segment, number)
    current = segment.versions.select_related("saved_by").order_by("-number")[0]
    words = wording.of(workspace=segment.workspace, definitions=[version.definition, current.definition])
    before, after = (it.outline for it in words)
    return show(
        request,
        segment,
        "versions",
        title=_("Version {number}").format(number=number),
        version=version,
        current=current,
        rows=comparison.compare(before, after),
        is_unreadable=before is None or after is None,
        is_same=version.definition == current.definition,
    )


@permission_required(EDITS, raise_exception=True)
def restore(request: HttpRequest, segment_id: int, number: int) -> HttpResponse:
    """Ask first, then give a segment the filters of a former version."""
    segment = segment_of(request, segment_id)
    version = _version(segment, number)
    words = _words_of_restoring(version)
    if request.method != "POST":
        return ask(request, segment, words)
    try:
        made = saving.restore(segment=segment, number=number, by=by(request), now=timezone.now())
    except FilterError as error:
        return ask(request, segment, words, faults=faults_of(error))
    done = _("The filters are those of version {number} again. This is version {made}.")
    return back_to(request, segment, done.format(number=number, made=made.number))


def _words_of_restoring(version: SegmentVersion) -> dict[str, Any]:
    return {
        "title": _("Restore version {number}").format(number=version.number),
        "question": _("Restore version {number}?").format(number=version.number),
        "text": _(
            "The segment gets the filters of this version at once, as a new version. Name, description and tags stay "
            "as they are, and no version is lost."
        ),
        "action": _("Restore version"),
        "refusal": _("Version {number} cannot be restored.").format(number=version.number),
    }


def _version(segment: Segment, number: int) -> SegmentVersion:
    return get_object_or_404(segment.versions.select_related("saved_by"), number=number)


# Route below a segment's page, view, name.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("versions/<int:number>", compare, "version"),
    ("versions/<int:number>/restore", restore, "restore"),
]
