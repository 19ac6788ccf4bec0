"""The theme seam: the only module that knows django-unfold. Apps import their admin classes from here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin as ThemeModelAdmin
from unfold.sites import UnfoldAdminSite

from accounts.permissions import current_workspace


class ModelAdmin(ThemeModelAdmin):
    """An admin page of one model in the theme, which only ever sees rows of the current workspace."""

    workspace_lookup: ClassVar[str] = "workspace"
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the current workspace: lists, autocompletes and guessed addresses all come by here."""
        return super().get_queryset(request).filter(**{self.workspace_lookup: current_workspace(request)})

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        """Put a new row into the current workspace."""
        if not change and self.workspace_lookup == "workspace":
            obj.workspace = current_workspace(request)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)


class RollcallAdminSite(UnfoldAdminSite):
    """Rollcall's admin."""
