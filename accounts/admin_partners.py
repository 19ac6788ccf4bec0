"""Partner integrations > Technology partners: the partners there are, and the page of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import calls, partners
from accounts.admin_calls import recent_rejections
from accounts.admin_forms import KeyForm
from accounts.admin_partner_forms import PartnerForm
from accounts.models import DataImportKey, Workspace
from accounts.partners import Connection, Facts, Partner
from accounts.permissions import current_workspace
from config.admin import page

SEES = ("accounts.view_integration", "accounts.view_dataimportkey")
GENERATES, INVALIDATES = "accounts.add_dataimportkey", "accounts.change_dataimportkey"
CHANGES = "accounts.change_integration"


@require_safe
@permission_required(SEES, raise_exception=True)
def technology_partners(request: HttpRequest) -> HttpResponse:
    """Show the partners and how the workspace stands with each; lead to any other that is named."""
    form = PartnerForm(request.GET if "partner" in request.GET else None)
    if form.is_valid():
        return redirect("admin:technology_partner", partner=form.cleaned_data["partner"])
    known = partners.connections(workspace=current_workspace(request))
    context = {"title": _("Technology partners"), "connections": known, "form": form}
    return page(request, "accounts/technology_partners.html", context, status=422 if form.is_bound else 200)


@require_safe
@permission_required(SEES, raise_exception=True)
def technology_partner(request: HttpRequest, partner: str) -> HttpResponse:
    """Show one partner: how it stands, keys, guide, what to do when something fails."""
    return show(request, partner_of(partner), form=KeyForm())


def partner_of(slug: str) -> Partner:
    """Return the partner of an address. Raises Http404 for what cannot be one."""
    if not partners.is_slug(slug):
        raise Http404
    return partners.named(slug)


def trail(partner: Partner | None = None) -> list[tuple[str, str]]:
    """Return what stands above a partner's page, or above a page below it."""
    above = [(_("Technology partners"), reverse("admin:technology_partners"))]
    if partner is None:
        return above
    return [*above, (partner.name, reverse("admin:technology_partner", args=[partner.slug]))]


def show(request: HttpRequest, partner: Partner, *, status: int = 200, **more: Any) -> HttpResponse:
    """Render a partner's page; `more` is what the context holds besides, as a key just made."""
    workspace = current_workspace(request)
    connection = partners.connection(workspace=workspace, partner=partner)
    facts = partners.facts(workspace=workspace, partner=partner)
    address = settings.PUBLIC_URL or request.build_absolute_uri("/")
    context = {
        "title": partner.name,
        "trail": trail(),
        "partner": partner,
        "connection": connection,
        "facts": facts,
        "next_step": _next_step(connection, facts),
        "first_call_on": partners.first_call_on(workspace=workspace, partner=partner),
        "endpoints": partners.endpoints(partner=partner, public_url=address, prefix=settings.ENDPOINT_PREFIX),
        "keys": _keys(workspace, partner),
        **recent_rejections(request, workspace, partner.slug, is_failing=connection.is_refused),
        "may_generate": request.user.has_perm(GENERATES),
        "may_invalidate": request.user.has_perm(INVALIDATES),
        "may_change": request.user.has_perm(CHANGES),
    }
    return page(request, "accounts/technology_partner.html", {**context, **more}, status=status)


def _keys(workspace: Workspace, partner: Partner) -> list[Any]:
    """Return the partner's keys, newest first, each with its `counts` of calls."""
    of_partner = DataImportKey.objects.for_partner(workspace, partner.slug)
    keys: list[Any] = list(of_partner.select_related("created_by", "invalidated_by"))
    counts = calls.counts_of(keys=keys, now=timezone.now())
    for key in keys:
        key.counts = counts.get(key.pk, calls.Counts())
    return keys


def _next_step(connection: Connection, facts: Facts) -> str:
    done = {
        "key": connection.valid_key_count,
        "call": connection.is_heard,
        "cohort": facts.get("cohort_count"),
        "segment": facts.get("segment_count"),
    }
    return next((step for step, is_done in done.items() if not is_done), "")


# Route below technology-partners/, view, name: config.admin puts them into the admin's addresses.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", technology_partners, "technology_partners"),
    ("<slug:partner>/", technology_partner, "technology_partner"),
]
