"""Technology partners > one partner > Settings: on and off, limits, pace, unmatched members, the partner's own key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from accounts import addresses, integrations, partners
from accounts.admin_partner_forms import PartnerKeyForm, SettingsForm
from accounts.admin_partners import CHANGES, SEES, partner_of, trail
from accounts.models import User
from accounts.partners import Partner
from accounts.permissions import current_workspace
from config.admin import page


@permission_required([*SEES, CHANGES], raise_exception=True)
def partner_settings(request: HttpRequest, partner: str) -> HttpResponse:
    """Show the settings, and save limits, pace and what becomes of unmatched members."""
    found = partner_of(partner)
    form = SettingsForm(request.POST) if request.method == "POST" else None
    if form is None:
        return _settings_page(request, found)
    if not form.is_valid():
        return _settings_page(request, found, form=form, status=422)
    changed = integrations.change(**_asked(request, found), values=form.cleaned_data)
    messages.success(request, _("The settings are saved.") if changed else _("Nothing was changed."))
    return redirect("admin:technology_partner_settings", partner=found.slug)


@require_POST
@permission_required([*SEES, CHANGES], raise_exception=True)
@sensitive_post_parameters("partner_api_key")
@sensitive_variables("form")
def partner_key(request: HttpRequest, partner: str) -> HttpResponse:
    """Require the partner's own key from now on, another one, or none."""
    found, form = partner_of(partner), PartnerKeyForm(request.POST)
    if "remove" in request.POST:
        integrations.require_partner_key(**_asked(request, found), secret="")
        said = _("Calls need no partner API key from now on.")
    elif not form.is_valid():
        return _settings_page(request, found, key_form=form, status=422)
    else:
        secret = form.cleaned_data["partner_api_key"]
        integrations.require_partner_key(**_asked(request, found), secret=secret)
        said = _("Calls need this partner API key from now on.")
    messages.success(request, said)
    return redirect("admin:technology_partner_settings", partner=found.slug)


@permission_required([*SEES, CHANGES], raise_exception=True)
def switch(request: HttpRequest, partner: str) -> HttpResponse:
    """Ask before an integration is switched off; switch it on without."""
    found, workspace = partner_of(partner), current_workspace(request)
    if request.method == "POST":
        is_on = request.POST.get("to") == "on"
        integrations.switch(**_asked(request, found), is_on=is_on)
        said = _("%(partner)s is switched on.") if is_on else _("%(partner)s is switched off.")
        messages.success(request, said % {"partner": found.name})
        return redirect("admin:technology_partner_settings", partner=found.slug)
    facts = partners.facts(workspace=workspace, partner=found)
    context = {
        "title": _("Switch off an integration"),
        "trail": trail(found),
        "partner": found,
        "facts": facts,
        "more": facts.get("cohort_count", 0) - len(facts.get("cohort_names", [])),
        "back_url": reverse("admin:technology_partner_settings", args=[found.slug]),
    }
    return page(request, "accounts/partner_switch_off.html", context)


def _asked(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    """Return what every change of an integration needs to know."""
    return {
        "workspace": current_workspace(request),
        "partner": partner.slug,
        "by": cast("User", request.user),
        "address": addresses.of_request(request),
        "now": timezone.now(),
    }


def _settings_page(request: HttpRequest, partner: Partner, *, status: int = 200, **more: Any) -> HttpResponse:
    integration = integrations.find(workspace=current_workspace(request), partner=partner.slug)
    context = {
        "title": _("Settings"),
        "trail": trail(partner),
        "partner": partner,
        "integration": integration,
        "form": SettingsForm(instance=integration),
        "key_form": PartnerKeyForm(),
        "server_ids": settings.MAX_IDS_PER_REQUEST,
        "server_calls": settings.CALLS_PER_MINUTE,
    }
    return page(request, "accounts/partner_settings.html", {**context, **more}, status=status)


# As in accounts/admin_partners.py.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("<slug:partner>/settings/", partner_settings, "technology_partner_settings"),
    ("<slug:partner>/settings/partner-key/", partner_key, "technology_partner_key"),
    ("<slug:partner>/switch/", switch, "technology_partner_switch"),
]
