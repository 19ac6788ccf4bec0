"""Audience > Exports: the files of segments' members, and the page of one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_paginator import CappedPaginator
from config.admin import Panel, ReadOnlyAdmin
from profiles import job_claims
from segments import admin_exports_cells, admin_exports_form, admin_exports_views, exports
from segments.models import SegmentExport


def live(request: HttpRequest, job: SegmentExport) -> SafeString:
    """Return how far an export came, and what can be done with it."""
    is_here = exports.is_here(job, now=timezone.now())
    context = {
        "job": job,
        "parts": admin_exports_views.live_parts(job),
        "is_active": job.status in job_claims.ACTIVE,
        "is_here": is_here,
        "may_download": is_here and request.user.has_perms(admin_exports_views.EXPORTS),
        "may_end": request.user.has_perms(admin_exports_views.CHANGES),
    }
    return render_to_string("segments/export_live.html", context, request=request)


def facts(request: HttpRequest, job: SegmentExport) -> SafeString:
    """Return what the file holds, and when what happened."""
    context = {
        "job": job,
        "columns": [admin_exports_form.title_of(column) for column in job.fields],
        "may_see_segment": request.user.has_perm("segments.view_segment"),
    }
    return render_to_string("segments/export_facts.html", context)


class SegmentExportAdmin(ReadOnlyAdmin):
    """The exports of the current workspace, newest first."""

    panels: ClassVar[list[Panel]] = [live, facts]
    change_list_template = "segments/export_list.html"
    list_display = ("segment_", "state", "users", "file_", "ordered")
    list_filter = ("status",)
    list_filter_submit = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("segment_name",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator

    segment_ = admin.display(description=_("Segment"))(admin_exports_cells.segment)
    state = admin.display(description=_("Status"))(admin_exports_cells.status)
    users = admin.display(description=_("Users"))(admin_exports_cells.users)
    file_ = admin.display(description=_("File"))(admin_exports_cells.file)
    ordered = admin.display(description=_("Ordered"))(admin_exports_cells.ordered)

    class Media:
        css: ClassVar = {"all": ["segments/exports.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which an export is ordered, watched and ended, and its file."""
        own = [
            path(route, self.admin_site.admin_view(view), name=f"segments_segmentexport_{name}")
            for route, view, name in admin_exports_views.PAGES
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the exports with who ordered them, and without the sets of whom they hold."""
        return super().get_queryset(request).select_related("created_by").defer("members")
