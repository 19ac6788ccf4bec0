"""The sidebar: where everything is, for those who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Entry(NamedTuple):
    """A page of the sidebar: the list of a model."""

    title: Promise
    icon: str
    model: str


GROUPS = [
    (
        _("Audience"),
        [
            Entry(_("Segments"), "filter_alt", "segments.Segment"),
            Entry(_("Cohorts"), "groups", "cohorts.Cohort"),
            Entry(_("Users"), "person_search", "profiles.Profile"),
        ],
    ),
    (
        _("Partner integrations"),
        [
            Entry(_("Technology partners"), "hub", "accounts.Integration"),
            Entry(_("Import history"), "history", "cohorts.CohortSync"),
        ],
    ),
    (
        _("Settings"),
        [
            Entry(_("Team"), "badge", "accounts.User"),
            Entry(_("Workspaces"), "workspaces", "accounts.Workspace"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar with the items the user may open. The theme calls this for every page."""
    overview = {"title": _("Overview"), "icon": "space_dashboard", "link": reverse("admin:index")}
    groups = [{"title": title, "items": list(_items(request, entries))} for title, entries in GROUPS]
    return [{"items": [overview]}, *(group for group in groups if group["items"])]


def _items(request: HttpRequest, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    for title, icon, label in entries:
        model = apps.get_model(label)
        if admin.site.is_registered(model) and admin.site.get_model_admin(model).has_view_permission(request):
            link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")  # noqa: SLF001
            yield {"title": title, "icon": icon, "link": link}
