"""Settings > REST API keys: the address that programs call, and the keys they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from accounts import addresses, keys, partners
from accounts.admin_forms import RestKeyForm
from accounts.models import RestApiKey, Scope, User
from accounts.permissions import current_workspace
from config.admin import page

SEES = "accounts.view_restapikey"
GENERATES, INVALIDATES = "accounts.add_restapikey", "accounts.change_restapikey"
EXAMPLE = """\
curl {endpoint}/users/track -H "Authorization: Bearer KEY" -H "Content-Type: application/json" \\
  -d '{{"attributes": [{{"external_id": "user-1", "first_name": "Ada"}}]}}'"""


@require_safe
@permission_required(SEES, raise_exception=True)
def rest_api_keys(request: HttpRequest) -> HttpResponse:
    """Show address and keys."""
    return _keys_page(request, form=RestKeyForm())


@never_cache
@permission_required([SEES, GENERATES], raise_exception=True)
@sensitive_variables("secret")
def generate_key(request: HttpRequest) -> HttpResponse:
    """Make a key and show it: in this answer, once, and nowhere else."""
    form = RestKeyForm(request.POST)
    if request.method != "POST":  # the address bar, or a change of the language on the page with the key
        return redirect("admin:rest_api_keys")
    if not form.is_valid():
        return _keys_page(request, form=form, status=422)
    key, secret = keys.create_rest(
        workspace=current_workspace(request),
        label=form.cleaned_data["label"],
        scopes=form.cleaned_data["scopes"],
        created_by=cast("User", request.user),
        address=addresses.of_request(request),
        now=timezone.now(),
    )
    return _keys_page(request, form=RestKeyForm(), new_key=key, secret=secret)


@permission_required([SEES, INVALIDATES], raise_exception=True)
def invalidate_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Ask first, then make a key useless."""
    candidates = RestApiKey.objects.for_workspace(current_workspace(request)).valid()
    key = get_object_or_404(candidates, pk=key_id)
    if request.method == "POST":
        address = addresses.of_request(request)
        keys.invalidate(key=key, by=cast("User", request.user), address=address, now=timezone.now())
        messages.success(request, _("The key %(key)s is invalid from now on.") % {"key": key})
        return redirect("admin:rest_api_keys")
    back_url = reverse("admin:rest_api_keys")
    context = {
        "title": _("Invalidate a REST API key"),
        "trail": [(_("REST API keys"), back_url)],
        "back_url": back_url,
        "key": key,
        "other_count": candidates.exclude(pk=key.pk).count(),
    }
    return page(request, "accounts/invalidate_rest_key.html", context)


def _keys_page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    address = settings.PUBLIC_URL or request.build_absolute_uri("/")
    endpoint = partners.rest_endpoint(public_url=address, prefix=settings.ENDPOINT_PREFIX)
    of_workspace = RestApiKey.objects.for_workspace(current_workspace(request))
    context = {
        "title": _("REST API keys"),
        "endpoint": endpoint,
        "example": EXAMPLE.format(endpoint=endpoint),
        "keys": of_workspace.select_related("created_by", "invalidated_by"),
        "scope_count": len(Scope),
        "may_generate": request.user.has_perm(GENERATES),
        "may_invalidate": request.user.has_perm(INVALIDATES),
    }
    return page(request, "accounts/rest_api_keys.html", {**context, **more}, status=status)


# Route below rest-api-keys/, view, name: config.admin puts them into the admin's addresses.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", rest_api_keys, "rest_api_keys"),
    ("generate/", generate_key, "rest_api_keys_generate"),
    ("<int:key_id>/invalidate/", invalidate_key, "rest_api_key_invalidate"),
]
