"""The filters beside the lists of cohorts and of syncs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import partners
from accounts.permissions import current_workspace
from cohorts.models import Cohort


class PartnerFilter(admin.SimpleListFilter):
    """The partners whose cohorts are here: those of other workspaces are nobody's business."""

    title = _("partner")
    parameter_name = "partner"
    field: ClassVar[str] = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the partners of the current workspace."""
        cohorts = Cohort.objects.for_workspace(current_workspace(request))
        slugs = cohorts.order_by("partner").values_list("partner", flat=True).distinct()
        return [(slug, partners.named(slug).name) for slug in slugs]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what came from the chosen partner."""
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class SyncPartnerFilter(PartnerFilter):
    """The same for syncs."""

    field = "cohort__partner"


class StateFilter(admin.SimpleListFilter):
    """Cohorts as they are, those that were deleted here, or all: deleted ones are out of the way until asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices beside the usual one."""
        return [("deleted", _("Deleted")), ("all", _("Current and deleted"))]

    def choices(self, changelist: ChangeList) -> Any:
        """Name the usual choice for what it is."""
        usual, *others = super().choices(changelist)
        return [{**usual, "display": _("Current")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was asked for."""
        if self.value() == "all":
            return queryset
        if self.value() == "deleted":
            return queryset.exclude(ignored_at=None)
        return queryset.filter(ignored_at=None)
