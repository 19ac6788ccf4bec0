"""Partner integrations > Rejected calls: what partners sent in vain, what it means, and what helps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import admin_call_cells, calls, partners
from accounts.admin_paginator import CappedPaginator
from accounts.keys import PREFIX_LENGTH
from accounts.models import Integration, RejectedCall, User, Workspace
from accounts.permissions import current_workspace
from config.admin import Panel, ReadOnlyAdmin

SEES = "accounts.view_rejectedcall"
SHOWN, SHOWN_FOR = 5, timedelta(days=7)
STATUSES = {
    "400": _("400, malformed"),
    "401": _("401, key not accepted"),
    "413": _("413, too large"),
    "415": _("415, not JSON"),
    "429": _("429, too many calls"),
}


class StatusFilter(admin.SimpleListFilter):
    """What was answered."""

    title = _("answer")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the answers that are kept: no query finds them in a large table."""
        return list(STATUSES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the calls with the chosen answer."""
        return queryset.filter(status=self.value()) if self.value() in STATUSES else queryset


class PartnerFilter(admin.SimpleListFilter):
    """The partners of the workspace's integrations."""

    title = _("partner")
    parameter_name = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the partners, by slug."""
        own = Integration.objects.filter(workspace=current_workspace(request))
        return [
            (slug, partners.named(slug).name)
            for slug in own.order_by("partner").values_list("partner", flat=True)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what the chosen partner sent."""
        return queryset.filter(partner=self.value()) if self.value() else queryset


def call_meaning(_request: HttpRequest, call: RejectedCall) -> SafeString:
    """Return what happened, and what helps."""
    meaning = admin_call_cells.meaning_of(call)
    context = {"call": call, "meaning": meaning, "has_page": bool(call.partner)}
    return render_to_string("accounts/call_meaning.html", context)


def call_facts(_request: HttpRequest, call: RejectedCall) -> SafeString:
    """Return all that is known of a call."""
    context = {"call": call, "partner": admin_call_cells.partner_name(call)}
    return render_to_string("accounts/call_facts.html", context)


class RejectedCallAdmin(ReadOnlyAdmin):
    """Calls that were refused, the latest first."""

    panels: ClassVar[list[Panel]] = [call_meaning, call_facts]
    change_list_template = "accounts/rejected_calls.html"
    list_display = ("when", "answer", "happened", "sender")
    list_filter = (StatusFilter, PartnerFilter)
    list_filter_submit = False  # each choice is a link
    show_facets = admin.ShowFacets.NEVER  # they would count the whole table
    search_fields = ("key_prefix__startswith",)
    search_help_text = _("First characters of the key")
    ordering = ("-last_at", "-id")
    sortable_by = ()
    paginator = CappedPaginator

    when = admin.display(description=_("When"))(admin_call_cells.when)
    answer = admin.display(description=_("Answer"))(admin_call_cells.answer)
    happened = admin.display(description=_("What happened"))(admin_call_cells.happened)
    sender = admin.display(description=_("Sender"))(admin_call_cells.sender)

    class Media:
        css: ClassVar = {"all": ["accounts/calls.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[RejectedCall]:
        """Return the calls that the reader may see from the current workspace."""
        return _visible(request, current_workspace(request)).order_by(*self.ordering)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list, which says for how long calls are kept."""
        return super().changelist_view(
            request, {"days": settings.REJECTED_CALL_DAYS, **(extra_context or {})}
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a key by its first characters, however much of it was typed."""
        start = search_term.strip()[:PREFIX_LENGTH]
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, start)
        return found


def recent_rejections(
    request: HttpRequest, workspace: Workspace, partner: str, *, is_failing: bool = False
) -> dict[str, Any]:
    """Return what `accounts/recent_rejections.html` shows: a partner's latest rejected calls, a week back at most.

    While the partner is failing they are told however old: one that pauses after a refusal does not call again.

    `rejections` are pairs of call and meaning, `more_url` leads to all; both are missing for those who may not see them.
    """
    if not request.user.has_perm(SEES):
        return {}
    latest = _visible(request, workspace).filter(partner=partner)
    if not is_failing:
        latest = latest.filter(last_at__gte=timezone.now() - SHOWN_FOR)
    shown = [(call, admin_call_cells.meaning_of(call)) for call in latest.order_by("-last_at", "-id")[:SHOWN]]
    url = reverse("admin:accounts_rejectedcall_changelist")
    return {"rejections": shown, "more_url": f"{url}?{urlencode({'partner': partner})}"}


def _visible(request: HttpRequest, workspace: Workspace) -> QuerySet[RejectedCall]:
    return calls.visible(workspace=workspace, reader=cast("User", request.user))
