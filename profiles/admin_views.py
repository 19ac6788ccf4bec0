"""Audience > Users, one user: edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import current_workspace
from config.admin import page
from profiles import admin_panels, editing
from profiles.admin_attribute_form import AttributeForm, fault_of
from profiles.admin_forms import AttributesForm
from profiles.attributes import AttributeValueError
from profiles.editing import Edit, EditConflictError
from profiles.models import Profile

EDITS = ("profiles.view_profile", "profiles.change_profile")
UNPROCESSABLE, CONFLICT = 422, 409


def profile_of(request: HttpRequest, profile_id: int) -> Profile:
    """Return a live user of the current workspace. Raises Http404."""
    users = Profile.objects.live().for_workspace(current_workspace(request))
    return get_object_or_404(users, pk=profile_id)


def page_of(profile: Profile) -> str:
    """Return the address of a user's page."""
    return reverse("admin:profiles_profile_change", args=[profile.pk])


def show(
    request: HttpRequest, profile: Profile, template: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page about one user, below theirs."""
    trail = [(_("Users"), reverse("admin:profiles_profile_changelist")), (str(profile), page_of(profile))]
    about = {"title": title, "trail": trail, "profile": profile, "back": page_of(profile)}
    return page(request, f"profiles/{template}.html", about | context, status=status)


def back_to(request: HttpRequest, profile: Profile, message: str) -> HttpResponse:
    """Go to a user's page, and say there what happened."""
    messages.success(request, message)
    return redirect(page_of(profile))


@permission_required(EDITS, raise_exception=True)
def edit(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Edit the standard attributes, all in one form."""
    profile = profile_of(request, profile_id)
    form, status = AttributesForm(profile=profile), 200
    if request.method == "POST":
        form, status = AttributesForm(request.POST, profile=profile), UNPROCESSABLE
        if form.is_valid():
            edits = form.edits()
            meanwhile = _conflict(request, profile, standard=edits)
            if meanwhile is None:
                done = _("Attributes saved.") if edits else _("Nothing was changed.")
                return back_to(request, profile, done)
            kept = {name: it.after for name, it in edits.items()}
            profile, status = profile_of(request, profile_id), CONFLICT
            form = AttributesForm(profile=profile, kept=kept, meanwhile=meanwhile)
    return show(request, profile, "edit", title=_("Edit attributes"), status=status, form=form)


@permission_required(EDITS, raise_exception=True)
def attribute(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Add a custom attribute, or edit or remove the one whose name is asked for."""
    profile, name = profile_of(request, profile_id), request.GET.get("name")
    current = profile.custom_attributes
    context: dict[str, Any] = {"name": name}
    if name is not None and name not in current and (request.method != "POST" or fault_of(name)):
        raise Http404  # one that was removed meanwhile may be saved again
    if request.method != "POST":
        form = AttributeForm(name=name, current=current)
        return _attribute_page(request, profile, form=form, **context)
    form = AttributeForm(request.POST, name=name, current=current)
    edits = form.removal() if "remove" in request.POST else form.edits()
    if not edits:
        return _attribute_page(request, profile, form=form, status=UNPROCESSABLE, **context)
    meanwhile = _conflict(request, profile, custom=edits)
    if meanwhile is None:
        done = _("Attribute removed.") if "remove" in request.POST else _("Attribute saved.")
        return back_to(request, profile, done)
    (value,) = meanwhile.values()
    form = AttributeForm(_with_seen(request.POST, value), name=name, current=current)
    context |= {"is_conflict": True, "meanwhile": "" if value is None else admin_panels.value_in_words(value)}
    return _attribute_page(request, profile, form=form, status=CONFLICT, **context)


def _conflict(request: HttpRequest, profile: Profile, **edits: Mapping[str, Edit]) -> dict[str, Any] | None:
    """Write what was edited; return what others made of it meanwhile, if that is why nothing was written."""
    try:
        editing.edit(
            workspace_id=profile.workspace_id,
            profile_id=profile.pk,
            by=cast("User", request.user),
            now=timezone.now(),
            **edits,
        )
    except EditConflictError as conflict:
        return conflict.current
    except Profile.DoesNotExist as gone:
        raise Http404 from gone
    except AttributeValueError as fault:
        # The forms let none pass; but others may have filled the user up with attributes meanwhile.
        raise BadRequest(str(fault)) from fault
    return None


def _attribute_page(request: HttpRequest, profile: Profile, **context: Any) -> HttpResponse:
    title = _("Add attribute") if context["name"] is None else _("Edit attribute")
    return show(request, profile, "attribute", title=title, **context)


def _with_seen(data: QueryDict, value: Any) -> QueryDict:
    """Return a form's data as if its sender had seen this value."""
    seen = data.copy()
    seen["seen"] = orjson.dumps(value).decode()
    return seen


# Route below a user's page, view, name.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("edit", edit, "edit"),
    ("attribute", attribute, "attribute"),
]
