"""Audience > Imports: the history of files that were imported, and the page of one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_paginator import CappedPaginator
from config.admin import Panel, ReadOnlyAdmin
from profiles import admin_imports_cells, admin_imports_views, job_claims, jobs
from profiles.models import ImportJob


def live(request: HttpRequest, job: ImportJob) -> SafeString:
    """Return how far an import came, and what can be done with it."""
    context = {
        "job": job,
        "parts": admin_imports_views.live_parts(job),
        "is_active": job.status in job_claims.ACTIVE,
        "is_done": admin_imports_cells.is_done(job),
        "may_import": request.user.has_perms(admin_imports_views.IMPORTS),
        "can_resume": job.status in {jobs.Status.PAUSED, jobs.Status.FAILED} and bool(job.file),
        "can_cancel": job.status in {jobs.Status.DRAFT, jobs.Status.PAUSED, *job_claims.ACTIVE},
    }
    return render_to_string("profiles/import_live.html", context, request=request)


def facts(_request: HttpRequest, job: ImportJob) -> SafeString:
    """Return where the file came from, and when what happened."""
    return render_to_string("profiles/import_facts.html", {"job": job})


class ImportJobAdmin(ReadOnlyAdmin):
    """The imports of the current workspace, newest first."""

    panels: ClassVar[list[Panel]] = [live, facts]
    change_list_template = "profiles/import_list.html"
    list_display = ("file_name_", "state", "rows", "changed", "failed", "by", "uploaded")
    list_filter = ("kind", "status")
    list_filter_submit = False
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ("created_by",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator

    file_name_ = admin.display(description=_("File"))(admin_imports_cells.file_name)
    state = admin.display(description=_("Status"))(admin_imports_cells.status)
    rows = admin.display(description=_("Rows"))(admin_imports_cells.rows)
    changed = admin.display(description=_("Changed"))(admin_imports_cells.changed)
    failed = admin.display(description=_("At fault"))(admin_imports_cells.failed)
    by = admin.display(description=_("By"))(admin_imports_cells.started_by)
    uploaded = admin.display(description=_("Uploaded"))(admin_imports_cells.uploaded)

    class Media:
        css: ClassVar = {"all": ["profiles/imports.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which a file comes and its import is started and stopped."""
        own = [
            path(route, self.admin_site.admin_view(view), name=f"profiles_importjob_{name}")
            for route, view, name in admin_imports_views.PAGES
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the imports with who started them."""
        return super().get_queryset(request).select_related("created_by")
