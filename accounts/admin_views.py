"""Partner integrations > Technology partners: what to enter at the partner's, and the keys it shows us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from accounts import addresses, keys, partners
from accounts.admin_forms import KeyForm
from accounts.models import DataImportKey, User
from accounts.partners import PARTNERS, Partner
from accounts.permissions import current_workspace
from config.admin import page

SEES = ("accounts.view_integration", "accounts.view_dataimportkey")
GENERATES, INVALIDATES = "accounts.add_dataimportkey", "accounts.change_dataimportkey"


@require_safe
@permission_required(SEES, raise_exception=True)
def technology_partners(request: HttpRequest) -> HttpResponse:
    """Show the partners there are, and how the workspace stands with each."""
    workspace = current_workspace(request)
    known = [partners.connection(workspace=workspace, partner=partner) for partner in PARTNERS.values()]
    context = {"title": _("Technology partners"), "connections": known}
    return page(request, "accounts/technology_partners.html", context)


@require_safe
@permission_required(SEES, raise_exception=True)
def technology_partner(request: HttpRequest, partner: str) -> HttpResponse:
    """Show one partner: addresses, keys, guide."""
    return _partner_page(request, _partner(partner), form=KeyForm())


@never_cache
@permission_required([*SEES, GENERATES], raise_exception=True)
@sensitive_variables("secret")
def generate_key(request: HttpRequest, partner: str) -> HttpResponse:
    """Make a key and show it: in this answer, once, and nowhere else."""
    found, form = _partner(partner), KeyForm(request.POST)
    if request.method != "POST":  # the address bar, or a change of the language on the page with the key
        return redirect("admin:technology_partner", partner=found.slug)
    if not form.is_valid():
        return _partner_page(request, found, form=form, status=422)
    key, secret = keys.create(
        workspace=current_workspace(request),
        partner=found.slug,
        label=form.cleaned_data["label"],
        created_by=cast("User", request.user),
        address=addresses.of_request(request),
        now=timezone.now(),
    )
    return _partner_page(request, found, form=KeyForm(), new_key=key, secret=secret)


@permission_required([*SEES, INVALIDATES], raise_exception=True)
def invalidate_key(request: HttpRequest, partner: str, key_id: int) -> HttpResponse:
    """Ask first, then make a key useless."""
    found, workspace = _partner(partner), current_workspace(request)
    candidates = DataImportKey.objects.for_partner(workspace, found.slug).valid()
    key = get_object_or_404(candidates, pk=key_id)
    if request.method == "POST":
        address = addresses.of_request(request)
        keys.invalidate(key=key, by=cast("User", request.user), address=address, now=timezone.now())
        messages.success(request, _("The key %(key)s is invalid from now on.") % {"key": key})
        return redirect("admin:technology_partner", partner=found.slug)
    others = candidates.exclude(pk=key.pk).count()
    back_url = reverse("admin:technology_partner", args=[found.slug])
    context = {
        "title": _("Invalidate a data import key"),
        "trail": [*_trail(), (found.name, back_url)],
        "back_url": back_url,
    }
    return page(
        request,
        "accounts/invalidate_key.html",
        {**context, "partner": found, "key": key, "other_count": others},
    )


def _partner(slug: str) -> Partner:
    if slug not in PARTNERS:
        raise Http404
    return PARTNERS[slug]


def _trail() -> list[tuple[str, str]]:
    return [(_("Technology partners"), reverse("admin:technology_partners"))]


def _partner_page(request: HttpRequest, partner: Partner, *, status: int = 200, **more: Any) -> HttpResponse:
    workspace = current_workspace(request)
    of_partner = DataImportKey.objects.for_partner(workspace, partner.slug)
    address = settings.PUBLIC_URL or request.build_absolute_uri("/")
    context = {
        "title": partner.name,
        "trail": _trail(),
        "connection": partners.connection(workspace=workspace, partner=partner),
        "endpoints": partners.endpoints(partner=partner, public_url=address, prefix=settings.ENDPOINT_PREFIX),
        "keys": of_partner.select_related("created_by", "invalidated_by"),
        "may_generate": request.user.has_perm(GENERATES),
        "may_invalidate": request.user.has_perm(INVALIDATES),
    }
    return page(request, "accounts/technology_partner.html", {**context, **more}, status=status)


# Route below technology-partners/, view, name: config.admin puts them into the admin's addresses.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", technology_partners, "technology_partners"),
    ("<slug:partner>/", technology_partner, "technology_partner"),
    ("<slug:partner>/keys/", generate_key, "technology_partner_generate_key"),
    ("<slug:partner>/keys/<int:key_id>/invalidate/", invalidate_key, "technology_partner_invalidate_key"),
]
