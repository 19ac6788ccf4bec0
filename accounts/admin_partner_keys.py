"""Technology partners > one partner > its data import keys: made, shown once, invalidated."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from accounts import addresses, calls, keys
from accounts.admin_forms import KeyForm
from accounts.admin_partners import GENERATES, INVALIDATES, SEES, partner_of, show, trail
from accounts.models import DataImportKey, User
from accounts.permissions import current_workspace
from config.admin import page


@never_cache
@permission_required([*SEES, GENERATES], raise_exception=True)
@sensitive_variables("secret")
def generate_key(request: HttpRequest, partner: str) -> HttpResponse:
    """Make a key and show it: in this answer, once, and nowhere else."""
    found, form = partner_of(partner), KeyForm(request.POST)
    if request.method != "POST":  # the address bar, or a change of the language on the page with the key
        return redirect("admin:technology_partner", partner=found.slug)
    if not form.is_valid():
        return show(request, found, form=form, status=422)
    key, secret = keys.create(
        workspace=current_workspace(request),
        partner=found.slug,
        label=form.cleaned_data["label"],
        created_by=cast("User", request.user),
        address=addresses.of_request(request),
        now=timezone.now(),
    )
    return show(request, found, form=KeyForm(), new_key=key, secret=secret)


@permission_required([*SEES, INVALIDATES], raise_exception=True)
def invalidate_key(request: HttpRequest, partner: str, key_id: int) -> HttpResponse:
    """Ask first, then make a key useless."""
    found, now = partner_of(partner), timezone.now()
    candidates = DataImportKey.objects.for_partner(current_workspace(request), found.slug).valid()
    key = get_object_or_404(candidates, pk=key_id)
    if request.method == "POST":
        address = addresses.of_request(request)
        keys.invalidate(key=key, by=cast("User", request.user), address=address, now=now)
        messages.success(request, _("The key %(key)s is invalid from now on.") % {"key": key})
        return redirect("admin:technology_partner", partner=found.slug)
    counts = calls.counts_of(keys=[key], now=now)
    context = {
        "title": _("Invalidate a data import key"),
        "trail": trail(found),
        "back_url": reverse("admin:technology_partner", args=[found.slug]),
        "partner": found,
        "key": key,
        "counts": counts.get(key.pk, calls.Counts()),
        "other_count": candidates.exclude(pk=key.pk).count(),
    }
    return page(request, "accounts/invalidate_key.html", context)


# As in accounts/admin_partners.py.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("<slug:partner>/keys/", generate_key, "technology_partner_generate_key"),
    ("<slug:partner>/keys/<int:key_id>/invalidate/", invalidate_key, "technology_partner_invalidate_key"),
]
