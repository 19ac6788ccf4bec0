"""Audience > Imports: a file comes, its columns are mapped, its import is started, watched and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.permissions import current_workspace
from config.admin import page
from profiles import admin_imports_cells, admin_imports_columns, job_claims, job_files, jobs
from profiles.job_claims import JobStateError
from profiles.job_files import UploadError
from profiles.models import ImportJob

SEES, IMPORTS = "profiles.view_importjob", ("profiles.view_importjob", "profiles.add_importjob")
MAX_PIECE = 4 * 1024 * 1024
MAX_DIGITS = 20  # of a size: anything near it is refused
CREATED, CONFLICT, TOO_LARGE, UNPROCESSABLE = 201, 409, 413, 422
STEPS = {"pause": jobs.pause, "resume": jobs.resume, "cancel": jobs.cancel}


def job_of(request: HttpRequest, job_id: int) -> ImportJob:
    """Return an import of the current workspace. Raises Http404."""
    return get_object_or_404(ImportJob.objects.for_workspace(current_workspace(request)), pk=job_id)


# --- the file comes ------------------------------------------------------------------------------------------
@permission_required(IMPORTS, raise_exception=True)
def upload(request: HttpRequest, kind: str) -> HttpResponse:
    """Show where to choose a file; take one that comes as a whole, from browsers without scripts."""
    if request.method != "POST":
        return _upload_page(request, _kind(kind))
    try:
        return redirect(_next(_take(request, _kind(kind))))
    except UploadError as error:
        return _upload_page(request, _kind(kind), fault=str(error), status=UNPROCESSABLE)


@require_POST
@permission_required(IMPORTS, raise_exception=True)
def begin(request: HttpRequest, kind: str) -> JsonResponse:
    """Begin an upload in pieces: say where they go, and where to go after the last."""
    size = request.POST.get("size", "")
    total_bytes = int(size[:MAX_DIGITS]) if size.isdecimal() else 0
    try:
        job = _draft(request, _kind(kind), request.POST.get("name", ""), total_bytes)
    except UploadError as error:
        return JsonResponse({"message": str(error)}, status=UNPROCESSABLE)
    pieces = reverse("admin:profiles_importjob_piece", args=[job.pk])
    return JsonResponse({"pieces": pieces, "next": _next(job)}, status=CREATED)


@require_POST
@permission_required(IMPORTS, raise_exception=True)
def piece(request: HttpRequest, job_id: int) -> JsonResponse:
    """Take a piece of a file; say how much of it is here."""
    job, offset = job_of(request, job_id), request.GET.get("offset", "")
    content = request.read(MAX_PIECE + 1)
    if len(content) > MAX_PIECE:
        return JsonResponse({"message": _("This piece is too large.")}, status=TOO_LARGE)
    try:
        return JsonResponse({"bytes": job_files.append(job=job, offset=int(offset or -1), piece=content)})
    except ValueError as error:
        here = job_files.uploaded_bytes(job) if job.file else 0
        return JsonResponse({"message": str(error), "bytes": here}, status=CONFLICT)


# --- its columns, its start ----------------------------------------------------------------------------------
@permission_required(IMPORTS, raise_exception=True)
def columns(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show how a CSV file would be read; start its import, or a dry run, with what was chosen."""
    job = job_of(request, job_id)
    if job.status != ImportJob.Status.DRAFT or job.kind != ImportJob.Kind.CSV or not job.file:
        return redirect("admin:profiles_importjob_change", job.pk)
    chosen = admin_imports_columns.read(job, request.POST if request.method == "POST" else None)
    wanted = request.POST.get("step", "") if chosen.is_seen else ""
    if wanted not in {"dry_run", "import"} or chosen.fault:
        return _columns_page(request, job, chosen, status=UNPROCESSABLE if wanted and chosen.fault else 200)
    return _start(request, job, admin_imports_columns.options(chosen), is_dry_run=wanted == "dry_run")


@require_POST
@permission_required(IMPORTS, raise_exception=True)
def start(request: HttpRequest, job_id: int) -> HttpResponse:
    """Start an import that has nothing to choose, or that a dry run was done with."""
    job = job_of(request, job_id)
    return _start(request, job, job.options, is_dry_run="dry_run" in request.POST)


@require_POST
@permission_required(IMPORTS, raise_exception=True)
def step(request: HttpRequest, job_id: int, name: str) -> HttpResponse:
    """Pause, resume or cancel an import."""
    job = job_of(request, job_id)
    if name not in STEPS:
        raise Http404
    try:
        STEPS[name](job=job, now=timezone.now())
    except JobStateError as error:
        messages.warning(request, str(error))
    return redirect("admin:profiles_importjob_change", job.pk)


# --- how it goes ---------------------------------------------------------------------------------------------
@never_cache
@require_safe
@permission_required(SEES, raise_exception=True)
def progress(request: HttpRequest, job_id: int) -> JsonResponse:
    """Return what changes on the page of an import while it runs, as HTML by place."""
    job = job_of(request, job_id)
    return JsonResponse(
        {
            "status": job.status,
            "is_active": job.status in job_claims.ACTIVE,
            "percent": admin_imports_cells.percent(job),
            "words": admin_imports_cells.status_in_words(job),
            "parts": live_parts(job),
        }
    )


@require_safe
@permission_required(IMPORTS, raise_exception=True)
def faults(request: HttpRequest, job_id: int) -> StreamingHttpResponse:
    """Hand out the rows at fault."""
    job = job_of(request, job_id)
    if not job.error_file or not job.error_bytes:
        raise Http404
    is_csv = job.kind == ImportJob.Kind.CSV
    headers = {
        "Content-Disposition": f'attachment; filename="import-{job.pk}-errors.{"csv" if is_csv else "jsonl"}"',
        "X-Content-Type-Options": "nosniff",
    }
    kind = "text/csv" if is_csv else "application/x-ndjson"
    return StreamingHttpResponse(
        job_files.faults(job), content_type=f"{kind}; charset=utf-8", headers=headers
    )


def live_parts(job: ImportJob) -> dict[str, str]:
    """Return the parts of an import's page that change while it runs."""
    context = {
        "job": job,
        "status": admin_imports_cells.status(None, job),
        "percent": admin_imports_cells.percent(job),
        "pace": admin_imports_cells.pace(job),
        "figures": admin_imports_cells.figures(job),
    }
    names = ("status", "progress", "figures")
    return {name: render_to_string(f"profiles/import_{name}.html", context) for name in names}


def _kind(slug: str) -> ImportJob.Kind:
    if slug not in ImportJob.Kind.values:
        raise Http404
    return ImportJob.Kind(slug)


def _draft(request: HttpRequest, kind: ImportJob.Kind, name: str, size: int) -> ImportJob:
    return jobs.create(
        workspace=current_workspace(request),
        kind=kind,
        file_name=name.replace("\x00", "") or _("Without a name"),
        total_bytes=size,
        by=cast("User", request.user),
        now=timezone.now(),
    )


def _take(request: HttpRequest, kind: ImportJob.Kind) -> ImportJob:
    """Keep a file that came as a whole. Raises UploadError."""
    sent = request.FILES.get("file")
    if not isinstance(sent, UploadedFile):
        raise UploadError(_("Choose a file."))
    job = _draft(request, kind, sent.name or "", sent.size or 0)
    here = 0
    for content in sent.chunks(MAX_PIECE):
        here = job_files.append(job=job, offset=here, piece=content)
    return job


def _next(job: ImportJob) -> str:
    """Return where one goes on with a file that is here."""
    is_csv = job.kind == ImportJob.Kind.CSV
    return reverse(f"admin:profiles_importjob_{'columns' if is_csv else 'change'}", args=[job.pk])


def _start(
    request: HttpRequest, job: ImportJob, options: dict[str, Any], *, is_dry_run: bool
) -> HttpResponse:
    try:
        jobs.start(job=job, options=options, is_dry_run=is_dry_run, now=timezone.now())
    except (JobStateError, UploadError) as error:
        messages.warning(request, str(error))
    return redirect("admin:profiles_importjob_change", job.pk)


def _trail() -> list[tuple[str, str]]:
    return [(_("Imports"), reverse("admin:profiles_importjob_changelist"))]


def _upload_page(
    request: HttpRequest, kind: ImportJob.Kind, *, fault: str = "", status: int = 200
) -> HttpResponse:
    is_csv = kind == ImportJob.Kind.CSV
    title = _("Import users") if is_csv else _("Import events")
    context = {"title": title, "trail": _trail(), "kind": kind, "is_csv": is_csv, "fault": fault}
    return page(request, "profiles/import_upload.html", context, status=status)


def _columns_page(
    request: HttpRequest, job: ImportJob, chosen: admin_imports_columns.Chosen, *, status: int
) -> HttpResponse:
    context = {
        "title": job.file_name,
        "trail": _trail(),
        "job": job,
        "chosen": chosen,
        "encodings": admin_imports_columns.ENCODINGS,
        "delimiters": admin_imports_columns.DELIMITERS,
        "identifiers": admin_imports_columns.IDENTIFIERS,
        "attributes": admin_imports_columns.attribute_choices(),
    }
    return page(request, "profiles/import_columns.html", context, status=status)


# Route below the history, view, name.
PAGES: list[tuple[str, Callable[..., Any], str]] = [
    ("new/<slug:kind>/", upload, "upload"),
    ("new/<slug:kind>/pieces/", begin, "begin"),
    ("<int:job_id>/pieces/", piece, "piece"),
    ("<int:job_id>/columns/", columns, "columns"),
    ("<int:job_id>/start/", start, "start"),
    ("<int:job_id>/steps/<slug:name>/", step, "step"),
    ("<int:job_id>/progress/", progress, "progress"),
    ("<int:job_id>/faults/", faults, "faults"),
]
