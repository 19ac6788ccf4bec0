"""Audience > Segments: the list with exact sizes, and the builder."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.permissions import current_workspace
from cohorts.admin import CohortAdmin
from config.admin import ModelAdmin, column
from profiles.admin import ProfileAdmin
from segments import admin_cells, admin_panels, admin_views, audience
from segments.admin_exports import SegmentExportAdmin
from segments.admin_forms import SegmentForm
from segments.models import Segment, SegmentExport


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    """Segments of the current workspace. Both roles build them; others may look."""

    form = SegmentForm
    change_form_template = "segments/segment_form.html"
    change_list_template = "segments/segment_list.html"
    list_display = ("title", "filters", "size", "share", "last_edited")
    list_select_related = ("updated_by",)
    search_fields = ("name", "description")
    ordering = ("-updated_at", "-id")
    fieldsets = ((None, {"fields": ("name", "description")}),)

    title = column("name", _("Name"))
    filters = admin.display(description=_("Filters"))(admin_cells.filters)
    size = admin.display(description=_("Size"))(admin_cells.size)
    share = admin.display(description=_("Share"))(admin_cells.share)
    last_edited = admin.display(description=_("Last edited"), ordering="updated_at")(admin_cells.last_edited)

    class Media:
        css: ClassVar = {"all": ["segments/list.css"]}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Give the segments of the page their sizes, all on one fetch of users and cohorts."""
        page = super().get_changelist_instance(request)
        page.result_list = segments = list(page.result_list)
        for summary in audience.summaries(
            workspace=current_workspace(request), segments=segments, now=timezone.now()
        ):
            summary.segment.summary = summary  # type: ignore[attr-defined]
        return page

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form of the current workspace, with the filters, which stand below the other fields."""
        fields = {"fields": ("name", "description", "definition")}
        form = super().get_form(request, obj, change, **(kwargs | fields))
        return type(form.__name__, (form,), {"workspace": current_workspace(request)})

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:  # type: ignore[override]
        """Note who edited, and when."""
        obj.updated_by, obj.updated_at = request.user, timezone.now()  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses the builder asks."""
        return [*admin_views.urls(self.admin_site.admin_view), *super().get_urls()]


admin.site.register(SegmentExport, SegmentExportAdmin)
CohortAdmin.panels.append(admin_panels.used_by_segments)
ProfileAdmin.panels.append(admin_panels.segments_of_user)
