"""Audience > Segments: the list with exact sizes, the builder, and what stands around it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import partners
from accounts.permissions import current_workspace
from cohorts.admin import CohortAdmin
from config.admin import ModelAdmin
from profiles.admin import ProfileAdmin
from segments import admin_facts, admin_page, admin_panels, admin_urls, saving
from segments.admin_exports import SegmentExportAdmin
from segments.admin_forms import SegmentForm
from segments.admin_list import SegmentColumns, SegmentList, StatusFilter, TagFilter
from segments.models import Segment, SegmentExport


@admin.register(Segment)
class SegmentAdmin(SegmentColumns, ModelAdmin):
    """Segments of the current workspace. Both roles build them; others may look."""

    form = SegmentForm
    change_form_template = "segments/segment_form.html"
    change_list_template = "segments/segment_list.html"
    list_display = ("title", "size", "change", "filters", "used_by", "last_edited")
    list_filter = (StatusFilter, TagFilter)
    list_filter_submit = False  # each choice is a link
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ("updated_by",)
    search_fields = ("name", "description", "tags__name")
    search_help_text = _("Name, description or tag")
    ordering = ("-updated_at", "-id")
    actions = None  # a segment is archived or deleted on its page, which looks at what uses it
    fieldsets = ((None, {"fields": ("name", "description", "tags")}),)

    class Media:
        css: ClassVar = {"all": ["segments/list.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the list that knows sizes."""
        return SegmentList

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form of the current workspace, with the filters, which stand below the other fields."""
        fields = {"fields": ("name", "description", "definition")}
        form = super().get_form(request, obj, change, **(kwargs | fields))
        return type(form.__name__, (form,), {"workspace": current_workspace(request)})

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:  # type: ignore[override]
        """Save the segment with its tags and a version. The form has checked it, and holds the lock since."""
        if not change:
            obj.workspace = current_workspace(request)
        data, now = form.cleaned_data, timezone.now()
        by: Any = request.user
        saving.save(segment=obj, tags=data["tags"], by=by, now=now, seen_at=data["seen_at"])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add what is known of a saved segment."""
        if segment := context.get("original"):
            segment.workspace = current_workspace(request)  # it is this one, and looked up already
            context |= admin_page.context(segment=segment, form=context["adminform"].form, now=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one segment, and what the builder asks."""
        return [*admin_urls.addresses(self.admin_site.admin_view), *super().get_urls()]


admin.site.register(SegmentExport, SegmentExportAdmin)
CohortAdmin.panels.append(admin_panels.used_by_segments)
ProfileAdmin.panels.append(admin_panels.segments_of_user)
partners.FACTS.append(admin_facts.of_partner)
