"""Audience > Cohorts and Partner integrations > Import history: what partners sent, to look at."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from accounts import integrations, partners
from accounts.admin_paginator import CappedPaginator
from cohorts import (
    admin_cells,
    admin_facts,
    admin_freshness,
    admin_held,
    admin_panels,
    admin_syncs,
    admin_views,
    held,
)
from cohorts.admin_filters import PartnerFilter, StateFilter, SyncPartnerFilter
from cohorts.admin_list import CohortColumns, CohortList
from cohorts.models import Cohort, CohortSync
from config.admin import Panel, ReadOnlyAdmin
from profiles.admin import ProfileAdmin


@admin.register(Cohort)
class CohortAdmin(CohortColumns, ReadOnlyAdmin):
    """Cohorts of the current workspace, those heard of last first."""

    panels: ClassVar[list[Panel]] = [
        admin_panels.cohort_deleted,
        admin_panels.cohort_size,
        admin_panels.cohort_syncs,
        admin_panels.cohort_unmatched,
        admin_panels.cohort_facts,
        admin_held.held_panel,
    ]
    change_list_template = "cohorts/cohort_list.html"
    list_display = (
        "cohort_name",
        "from_partner",
        "size",
        "trend",
        "match_rate",
        "last_sync",
        "fresh",
        "used_by",
    )
    list_filter = (StateFilter, PartnerFilter, admin_freshness.FreshnessFilter)
    list_filter_submit = False  # each choice is a link
    show_facets = admin.ShowFacets.NEVER  # they would count the whole table
    search_fields = ("name", "partner_cohort_id")
    search_help_text = _("Name or partner’s ID")
    ordering = ("-last_sync_at", "-id")

    class Media:
        css: ClassVar = {"all": ["cohorts/cohorts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the cohorts without their members, a megabyte each."""
        return super().get_queryset(request).defer("snapshot")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the list that knows sizes."""
        return CohortList

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one cohort."""
        return [*admin_views.cohort_addresses(self.admin_site.admin_view), *super().get_urls()]


@admin.register(CohortSync)
class CohortSyncAdmin(ReadOnlyAdmin):
    """The syncs of the current workspace's cohorts, those heard of last first."""

    workspace_lookup = "cohort__workspace"
    panels: ClassVar[list[Panel]] = [
        admin_panels.sync_live,
        admin_panels.sync_facts,
        admin_panels.sync_unmatched,
    ]
    change_list_template = "cohorts/sync_list.html"
    list_display = (
        "sync_cohort",
        "sync_status",
        "sync_pages",
        "received",
        "matched",
        "unmatched",
        "changes",
        "heard",
    )
    list_filter = ("status", "action", SyncPartnerFilter)
    list_filter_submit = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("cohort__name",)
    search_help_text = _("Name of the cohort")
    ordering = ("-last_page_at", "-id")
    sortable_by = ()
    paginator = CappedPaginator

    sync_cohort = admin.display(description=_("Cohort"))(admin_cells.sync_cohort)
    sync_status = admin.display(description=_("Status"))(admin_cells.status)
    sync_pages = admin.display(description=_("Pages"))(admin_cells.pages)
    received = admin.display(description=_("Received"))(admin_cells.received)
    matched = admin.display(description=_("Matched"))(admin_cells.matched)
    unmatched = admin.display(description=_("Unmatched"))(admin_cells.unmatched)
    changes = admin.display(description=_("Added, removed"))(admin_cells.changes)
    heard = admin.display(description=_("Last page"))(admin_cells.last_page)

    class Media:
        css: ClassVar = {"all": ["cohorts/cohorts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the syncs with their cohorts, without what only the page of one shows."""
        syncs = super().get_queryset(request).select_related("cohort")
        return syncs.defer("cohort__snapshot", "pages", "unmatched_sample")

    def get_urls(self) -> list[URLPattern]:
        """Add what is asked about one sync."""
        return [*admin_views.sync_addresses(self.admin_site.admin_view), *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Find out at once which syncs of the page are settled."""
        page = super().get_changelist_instance(request)
        page.result_list = syncs = list(page.result_list)
        admin_syncs.settle(syncs)
        return page


ProfileAdmin.panels.append(admin_panels.cohorts_of_user)
partners.FACTS.append(admin_facts.of_partner)
integrations.FOLLOWERS.append(held.follow)
