"""Audience > Exports: one is ordered, watched, cancelled, downloaded and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.permissions import current_workspace
from config.admin import page
from profiles import job_claims
from profiles.job_claims import JobStateError
from segments import admin_exports_cells, exports
from segments.admin_exports_form import ExportForm
from segments.models import Segment, SegmentExport

SEES = "segments.view_segmentexport"
EXPORTS = (SEES, "segments.add_segmentexport")
CHANGES = (SEES, "segments.change_segmentexport")
UNPROCESSABLE = 422
MAX_DIGITS = 18  # of a number that databases can look for


def job_of(request: HttpRequest, job_id: int) -> SegmentExport:
    """Return an export of the current workspace. Raises Http404."""
    known = SegmentExport.objects.for_workspace(current_workspace(request)).defer("members")
    return get_object_or_404(known, pk=job_id)


@permission_required((*EXPORTS, "segments.view_segment"), raise_exception=True)
def new(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Choose the fields of a file, and order it."""
    known = Segment.objects.for_workspace(current_workspace(request))
    segment = get_object_or_404(known, pk=segment_id)
    form = ExportForm(request.POST) if request.method == "POST" else ExportForm(like=_like(request))
    if form.is_valid():
        job = exports.create(
            segment=segment, columns=form.columns, by=cast("User", request.user), now=timezone.now()
        )
        return redirect("admin:segments_segmentexport_change", job.pk)
    back = reverse("admin:segments_segment_change", args=[segment.pk])
    trail = [(_("Segments"), reverse("admin:segments_segment_changelist")), (segment.name, back)]
    context = {"title": _("Export users"), "trail": trail, "segment": segment, "form": form, "back": back}
    return page(request, "segments/export_form.html", context, status=UNPROCESSABLE if form.is_bound else 200)


def _like(request: HttpRequest) -> list[str] | None:
    """Return the columns of the export that another one is to be like."""
    number = request.GET.get("like", "")
    known = SegmentExport.objects.for_workspace(current_workspace(request))
    wanted = (
        known.filter(pk=int(number)) if number.isdecimal() and len(number) <= MAX_DIGITS else known.none()
    )
    return wanted.values_list("fields", flat=True).first()


@permission_required(CHANGES, raise_exception=True)
def end(request: HttpRequest, job_id: int) -> HttpResponse:
    """Ask whether an export is to be cancelled, or its file deleted, and do so."""
    job, back = job_of(request, job_id), reverse("admin:segments_segmentexport_change", args=[job_id])
    is_active, is_here = job.status in job_claims.ACTIVE, job.status == exports.Status.COMPLETE
    if request.method == "POST":
        _end(request, job)
        return redirect(back)
    if not (is_active or is_here):
        messages.warning(request, str(job.moved_on))
        return redirect(back)
    title = _("Cancel export") if is_active else _("Delete file")
    trail = [(_("Exports"), reverse("admin:segments_segmentexport_changelist")), (job.segment_name, back)]
    context = {"title": title, "trail": trail, "job": job, "is_active": is_active, "back": back}
    return page(request, "segments/export_end.html", context)


def _end(request: HttpRequest, job: SegmentExport) -> None:
    """Do what was asked, which the button says: an export may be done before it is cancelled."""
    try:
        if "delete" in request.POST:
            exports.remove(job=job)
        else:
            exports.cancel(job=job, now=timezone.now())
    except JobStateError as error:
        messages.warning(request, str(error))


@never_cache
@require_safe
@permission_required(SEES, raise_exception=True)
def progress(request: HttpRequest, job_id: int) -> JsonResponse:
    """Return what changes on the page of an export while it runs, as HTML by place."""
    job = job_of(request, job_id)
    return JsonResponse(
        {
            "is_active": job.status in job_claims.ACTIVE,
            "percent": admin_exports_cells.percent(job),
            "words": job.get_status_display(),
            "parts": live_parts(job),
        }
    )


@never_cache
@require_safe
@permission_required(EXPORTS, raise_exception=True)
def file(request: HttpRequest, job_id: int) -> FileResponse:
    """Hand out the file, as a stream."""
    job = job_of(request, job_id)
    try:
        opened = exports.download(job=job, by=cast("User", request.user), now=timezone.now())
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(
        opened,
        as_attachment=True,
        filename=f"export-{job.pk}.csv",
        content_type="text/csv; charset=utf-8",
        headers={"X-Content-Type-Options": "nosniff"},
    )


def live_parts(job: SegmentExport) -> dict[str, str]:
    """Return the parts of an export's page that change while it runs."""
    context = {
        "job": job,
        "done": admin_exports_cells.done(job),
        "percent": admin_exports_cells.percent(job),
        "pace": admin_exports_cells.pace(job),
    }
    progress_bar = render_to_string("segments/export_progress.html", context)
    return {"status": admin_exports_cells.status(None, job), "progress": progress_bar}


# Route below the list, view, name.
PAGES: list[tuple[str, Callable[..., Any], str]] = [
    ("new/<int:segment_id>/", new, "new"),
    ("<int:job_id>/end/", end, "end"),
    ("<int:job_id>/progress/", progress, "progress"),
    ("<int:job_id>/file/", file, "file"),
]
