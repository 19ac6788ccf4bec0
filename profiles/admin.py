"""Audience > Users: the list with its search, and the page of one user. Imports register here too."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts.permissions import current_workspace
from config.admin import Panel, ReadOnlyAdmin
from profiles import admin_cells, admin_identity_views, admin_panels, admin_search, admin_views, universe
from profiles.admin_imports import ImportJobAdmin
from profiles.admin_paginator import BitmapPaginator
from profiles.models import ImportJob, Profile


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """The live users of the current workspace, newest first; erased ones are never shown."""

    panels: ClassVar[list[Panel]] = [
        admin_panels.attributes,
        admin_panels.identifiers,
        admin_panels.custom_attributes,
        admin_panels.history,
        admin_panels.events,
    ]
    change_list_template = "profiles/user_list.html"
    change_form_template = "profiles/user.html"
    list_display = ("who", "address", "name", "country", "language", "created")
    empty_value_display = "–"
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("external_id",)  # there is a search; `get_search_results` says what it finds
    search_help_text = _("External ID, alias, device ID, email or phone")

    who = admin.display(description=_("User"))(admin_cells.who)
    address = admin.display(description=_("Email"))(admin_cells.email)
    name = admin.display(description=_("Name"))(admin_cells.name)
    created = admin.display(description=_("Created"))(admin_cells.created)

    class Media:
        css: ClassVar = {"all": ["profiles/profiles.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which one user is edited by hand."""
        own = [
            path(
                f"<int:profile_id>/{route}/",
                self.admin_site.admin_view(view),
                name=f"profiles_profile_{name}",
            )
            for route, view, name in [*admin_views.PAGES, *admin_identity_views.PAGES]
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the live users of the workspace."""
        return super().get_queryset(request).filter(deleted_at=None)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find users by an identifier, the whole of it or its beginning, whatever words it is made of."""
        if not search_term:
            return queryset, False
        found = admin_search.find(workspace_id=current_workspace(request).pk, text=search_term)
        request.found_users = found  # type: ignore[attr-defined]  # the list says how they were found
        return found.among(queryset), False

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], per_page: int, *args: Any, **kwargs: Any
    ) -> Paginator[Any]:
        """Count and page all users by their bitmap; what was searched is little, and counted as it is."""
        if set(request.GET) - {PAGE_VAR}:
            return super().get_paginator(request, queryset, per_page, *args, **kwargs)
        members = universe.live(workspace_id=current_workspace(request).pk)
        return BitmapPaginator(queryset, per_page, members=members)


admin.site.register(ImportJob, ImportJobAdmin)
