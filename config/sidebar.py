"""The sidebar: where everything is, for those who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Entry(NamedTuple):
    """A page of the sidebar: the name of its address, and what one must be allowed to open it."""

    title: Promise
    icon: str
    view: str
    permission: str


GROUPS = [
    (
        _("Audience"),
        [
            Entry(_("Segments"), "filter_alt", "segments_segment_changelist", "segments.view_segment"),
            Entry(_("Cohorts"), "groups", "cohorts_cohort_changelist", "cohorts.view_cohort"),
            Entry(_("Users"), "person_search", "profiles_profile_changelist", "profiles.view_profile"),
            Entry(_("Imports"), "upload_file", "profiles_importjob_changelist", "profiles.view_importjob"),
            Entry(
                _("Exports"), "download", "segments_segmentexport_changelist", "segments.view_segmentexport"
            ),
        ],
    ),
    (
        _("Partner integrations"),
        [
            Entry(_("Technology partners"), "hub", "technology_partners", "accounts.view_dataimportkey"),
            Entry(_("Import history"), "history", "cohorts_cohortsync_changelist", "cohorts.view_cohortsync"),
            Entry(
                _("Rejected calls"), "block", "accounts_rejectedcall_changelist", "accounts.view_rejectedcall"
            ),
        ],
    ),
    (
        _("Settings"),
        [
            Entry(_("Team"), "badge", "accounts_user_changelist", "accounts.view_user"),
            Entry(_("Workspaces"), "workspaces", "accounts_workspace_changelist", "accounts.view_workspace"),
            Entry(_("REST API keys"), "key", "rest_api_keys", "accounts.view_restapikey"),
            Entry(_("Data points"), "data_usage", "data_points", "accounts.view_datapointusage"),
            Entry(_("Audit log"), "fact_check", "accounts_auditentry_changelist", "accounts.view_auditentry"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar with the items the user may open. The theme calls this for every page."""
    overview = {"title": _("Overview"), "icon": "space_dashboard", "link": reverse("admin:index")}
    groups = [{"title": title, "items": list(_items(request, entries))} for title, entries in GROUPS]
    return [{"items": [overview]}, *(group for group in groups if group["items"])]


def _items(request: HttpRequest, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if request.user.has_perm(entry.permission):
            yield {"title": entry.title, "icon": entry.icon, "link": reverse(f"admin:{entry.view}")}
