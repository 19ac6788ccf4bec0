"""The list of segments: what each row is given, the order by size, and the filters beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.days import day_of
from accounts.models import Workspace
from accounts.permissions import current_workspace
from segments import admin_cells, audience, sizes, uses
from segments.models import Segment, SegmentTag

SIZE = "size"  # the column that no SQL can sort by
DAYS = 7


class SegmentColumns:
    """The columns of the list."""

    title = admin.display(description=_("Name"), ordering="name")(admin_cells.title)
    size = admin.display(description=_("Size"), ordering="pk")(admin_cells.size)  # see SegmentList
    change = admin.display(description=_("Last 7 days"))(admin_cells.change)
    filters = admin.display(description=_("Filters"))(admin_cells.filters)
    used_by = admin.display(description=_("Used by"))(admin_cells.used_by)
    last_edited = admin.display(description=_("Last edited"), ordering="updated_at")(admin_cells.last_edited)


class SegmentList(ChangeList):
    """A page of segments, each with its `summary`, `history`, `users` and `url`; all of them in a few queries."""

    def get_results(self, request: HttpRequest) -> None:
        """Find the rows of the page. By size: all segments are evaluated, on one fetch, then sorted."""
        super().get_results(request)
        workspace = current_workspace(request)
        direction = self._by_size()
        shown = list(self.queryset if direction else self.result_list)
        _summarize(workspace, shown)
        if direction:
            shown = self._page_of(sorted(shown, key=lambda it: _rank(it, direction)))
        self._complete(workspace, shown)
        self.result_list = shown

    def url_for_result(self, result: Any) -> str:
        """Say that the first cell is no link, but a row's heading all the same: it has a link, and more that is none."""
        raise NoReverseMatch

    def _by_size(self) -> str:
        """Return "asc" or "desc" if size is what the list is sorted by first, else ""."""
        first, direction = next(iter(self.get_ordering_field_columns().items()), (None, ""))
        return direction if first is not None and self.list_display[int(first)] == SIZE else ""

    def _page_of(self, segments: list[Any]) -> list[Any]:
        if self.show_all and self.can_show_all:
            return segments
        start = (self.page_num - 1) * self.list_per_page
        return segments[start : start + self.list_per_page]

    def _complete(self, workspace: Workspace, segments: Sequence[Any]) -> None:
        now = timezone.now()
        days = [day_of(now) - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
        known = sizes.by_day(segment_ids=[it.pk for it in segments], since=days[0])
        prefetch_related_objects(segments, Prefetch("tags", SegmentTag.objects.order_by("name")))
        users = uses.by_segment(workspace_id=workspace.pk)
        for segment in segments:
            before = [known[segment.pk].get(day) for day in days]
            segment.history = [size and size.total_count for size in before]
            segment.users = users.get(segment.pk, [])
            segment.url = self._url(segment)

    def _url(self, segment: Segment) -> str:
        """Return the address of a segment's page, which leads back to the list as it is now."""
        filters: dict[str, Any] = {"preserved_filters": self.preserved_filters, "opts": self.opts}
        return add_preserved_filters(filters, reverse("admin:segments_segment_change", args=[segment.pk]))

    @property
    def has_archived(self) -> bool:
        """Whether there is any archived segment; asked only where the list is empty."""
        return self.root_queryset.exclude(archived_at=None).exists()


def _summarize(workspace: Workspace, segments: Sequence[Any]) -> None:
    for summary in audience.summaries(workspace=workspace, segments=segments, now=timezone.now()):
        summary.segment.summary = summary  # type: ignore[attr-defined]


def _rank(segment: Any, direction: str) -> tuple[bool, int]:
    """Return what to sort by: those at fault, which have no size, come last either way."""
    size = segment.summary.size
    return size is None, (size or 0) * (-1 if direction == "desc" else 1)


class StatusFilter(admin.SimpleListFilter):
    """Active, archived, or all of them. Archived ones are out of the way until somebody asks for them."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices beside the usual one."""
        return [("archived", _("Archived")), ("all", _("Active and archived"))]

    def choices(self, changelist: ChangeList) -> Any:
        """Name the usual choice for what it is."""
        usual, *others = super().choices(changelist)
        return [{**usual, "display": _("Active")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was asked for."""
        if self.value() == "all":
            return queryset
        if self.value() == "archived":
            return queryset.exclude(archived_at=None)
        return queryset.filter(archived_at=None)


class TagFilter(admin.SimpleListFilter):
    """The tags of the current workspace."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the tags by name."""
        tags = SegmentTag.objects.filter(workspace=current_workspace(request)).order_by("name")
        return [(str(pk), name) for pk, name in tags.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the segments that bear the chosen tag."""
        chosen = self.value() or ""
        known = {str(pk) for pk, _name in self.lookup_choices}
        return queryset.filter(tags=int(chosen)) if chosen in known else queryset
