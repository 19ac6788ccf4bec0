"""Audience > Users, one user: who they are, said by hand. Each page asks first, and says what will happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import User
from profiles import admin_panels, admin_sides, disclosure, erasure, identity, identity_names, matching
from profiles.admin_identity_forms import AliasForm, ExternalIdForm, OtherUserForm, ProofForm
from profiles.admin_views import EDITS, UNPROCESSABLE, back_to, page_of, profile_of, show
from profiles.attempts import ContendedError
from profiles.identity import Author, Outcomes
from profiles.identity_people import IdentityError, TakenError
from profiles.models import Profile

ERASES = ("profiles.view_profile", "profiles.delete_profile")


@permission_required(EDITS, raise_exception=True)
def identify(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Give an anonymous user an external ID, or an identified one another; ask first, with what that means."""
    profile = profile_of(request, profile_id)
    form = ExternalIdForm(request.POST or None, current=profile.external_id)
    title = _("Change external ID") if profile.external_id else _("Give an external ID")
    if not form.is_valid():
        return show(request, profile, "identify", title=title, status=_status(request), form=form)
    external_id = form.cleaned_data["external_id"]
    owner = _owner(profile, external_id)
    if _is_confirmed(request, owner):
        return _identify(request, profile, external_id, owner)
    sides = admin_sides.compare(owner, profile) if owner and not profile.external_id else None
    context = {"external_id": external_id, "owner": owner, "sides": sides}
    return show(request, profile, "identify_ask", title=title, **context)


def _identify(
    request: HttpRequest, profile: Profile, external_id: str, owner: Profile | None
) -> HttpResponse:
    if profile.external_id:
        renames = [(profile.external_id, external_id)]
        done = _("The external ID was changed.")
        return _do(request, profile, lambda: identity.rename(renames=renames, **_by(request, profile)), done)
    pairs = [(identity_names.profile(profile.pk), external_id)]
    done = _("The two users are one now.") if owner else _("This user has an external ID now.")
    kept = owner or profile
    return _do(request, kept, lambda: identity.identify(pairs=pairs, **_by(request, profile)), done)


@permission_required(EDITS, raise_exception=True)
def merge(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Make one user of two: choose the other, see both beside each other, say which one stays."""
    profile = profile_of(request, profile_id)
    form, title = OtherUserForm(request.POST or None, profile=profile), _("Merge with another user")
    if not form.is_valid() or form.other is None:
        return show(request, profile, "merge", title=title, status=_status(request), form=form)
    both = {str(it.pk): it for it in (profile, form.other)}
    kept = both.pop(request.POST.get("keep", ""), None)
    if kept is None or not _is_confirmed(request, form.other):
        context = {"other": form.other, "identifier": form.cleaned_data["identifier"]}
        sides = admin_sides.compare(profile, form.other)
        return show(request, profile, "merge_ask", title=title, sides=sides, **context)
    (merged,) = both.values()
    pairs = [(identity_names.profile(merged.pk), identity_names.profile(kept.pk))]
    done = _("The two users are one now.")
    return _do(request, kept, lambda: identity.merge(pairs=pairs, **_by(request, profile)), done)


@permission_required(EDITS, raise_exception=True)
def add_alias(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Give a user an alias."""
    profile = profile_of(request, profile_id)
    form = AliasForm(request.POST or None)
    if form.is_valid():
        alias = {**form.cleaned_data, "profile_id": profile.pk}
        try:
            identity.add_alias_by_hand(**alias, **_by(request, profile))
        except TakenError:
            form.add_error("name", _("Another user has this alias: merge the two if they are one person."))
        except (IdentityError, ContendedError):
            return _failed(request, profile)
        else:
            return back_to(request, profile, _("Alias added."))
    return show(request, profile, "alias", title=_("Add alias"), status=_status(request), form=form)


@require_POST
@permission_required(EDITS, raise_exception=True)
def remove_alias(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Ask first, then take an alias from a user."""
    profile = profile_of(request, profile_id)
    key = request.POST.get("key", "")
    # As `matching.alias_key` writes it; no database can be asked for a NUL.
    if not key.startswith("a:") or key.count(":") < 2 or "\x00" in key:  # noqa: PLR2004
        raise Http404
    if "confirm" not in request.POST:
        alias = admin_panels.in_words(key)
        return show(request, profile, "remove_alias", title=_("Remove alias"), alias=alias)
    label, name = matching.alias_of(key)

    def remove() -> Outcomes:
        whose = _by(request, profile)
        identity.remove_alias_by_hand(profile_id=profile.pk, label=label, name=name, **whose)
        return []

    return _do(request, profile, remove, _("Alias removed."))


@permission_required(ERASES, raise_exception=True)
def erase(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Say what a deletion takes away, ask for proof that this user is meant, then erase the person everywhere."""
    profile = profile_of(request, profile_id)
    form = ProofForm(request.POST or None, profile=profile)
    if not form.is_valid():
        owned = admin_sides.belongings(workspace_id=profile.workspace_id, profile_ids=[profile.pk])
        context = {"form": form, "owned": owned[profile.pk]}
        return show(request, profile, "erase", title=_("Delete user"), status=_status(request), **context)
    try:
        erasure.erase(names=[identity_names.profile(profile.pk)], **_by(request, profile))
    except ContendedError:
        return _failed(request, profile)
    messages.success(request, _("User {id} was deleted, everywhere and for ever.").format(id=profile.pk))
    return redirect("admin:profiles_profile_changelist")


@require_POST
@never_cache
@permission_required(EDITS, raise_exception=True)
def download(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Hand out all that is known of a user as a file."""
    profile = profile_of(request, profile_id)
    known = disclosure.disclose(profile=profile, by=cast("User", request.user), now=timezone.now())
    response = JsonResponse(known, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="user-{profile.pk}.json"'
    return response


# --- what the pages share ---------------------------------------------------------------------------------------
def _by(request: HttpRequest, profile: Profile) -> dict[str, Any]:
    """Return where, by whom and when something is done."""
    author = Author(actor=cast("User", request.user))
    return {"workspace_id": profile.workspace_id, "author": author, "now": timezone.now()}


def _do(request: HttpRequest, profile: Profile, work: Callable[[], Outcomes], done: str) -> HttpResponse:
    """Do something to a user, and go to the page of the one who stays."""
    try:
        outcomes = work()
    except (IdentityError, ContendedError):
        return _failed(request, profile)
    if any(outcomes):
        return _failed(request, profile)
    return back_to(request, profile, done)


def _failed(request: HttpRequest, profile: Profile) -> HttpResponse:
    messages.error(request, _("Nothing was done: the user was changed at the same moment. Try again."))
    return redirect(page_of(profile))


def _owner(profile: Profile, external_id: str) -> Profile | None:
    """Return the user who has an external ID already."""
    key = matching.external_id_key(external_id)
    found = matching.lookup(workspace_id=profile.workspace_id, keys=[key])
    users = Profile.objects.live().filter(workspace=profile.workspace_id)
    return users.filter(pk__in=found.values()).first()


def _is_confirmed(request: HttpRequest, other: Profile | None) -> bool:
    """Whether the question was answered, and was about this other user."""
    return request.POST.get("confirm") == (str(other.pk) if other else "nobody")


def _status(request: HttpRequest) -> int:
    return UNPROCESSABLE if request.method == "POST" else 200


# Route below a user's page, view, name.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("identify", identify, "identify"),
    ("merge", merge, "merge"),
    ("alias", add_alias, "alias"),
    ("alias/remove", remove_alias, "remove_alias"),
    ("erase", erase, "erase"),
    ("download", download, "download"),
]
