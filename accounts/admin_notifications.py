"""Account menu > Notifications: about which workspaces one gets mail. Everybody's own page, whatever their role."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import subscriptions
from accounts.models import User
from config.admin import page


@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """Show what one gets mail about, and change it."""
    user = cast("User", request.user)
    own = subscriptions.of_user(user=user)
    if request.method == "POST":
        wanted = request.POST.getlist("workspaces")
        subscriptions.choose(user=user, workspaces=[it for it in own if str(it.pk) in wanted])
        messages.success(request, _("What you get mail about is saved."))
        return redirect("admin:notifications")
    context = {
        "title": _("Notifications"),
        "choices": own.items(),
        "may_add_address": user.has_perm("accounts.change_user"),
    }
    return page(request, "accounts/notifications.html", context)


# Route below notifications/, view, name: config.admin puts them into the admin's addresses.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [("", notifications, "notifications")]
