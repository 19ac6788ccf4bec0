"""The parts of a user's page: attributes, identifiers, custom attributes, events. Apps above add cohorts, segments."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import admin_cells
from accounts.models import AuditEntry
from profiles import admin_attributes, admin_timeline, matching, timeline
from profiles.models import Identifier, Profile

MAX_IDENTIFIERS, MAX_ENTRIES = 100, 20


class ShownIdentifier(NamedTuple):
    """An identifier in words; an alias with its key, by which it can be removed."""

    kind: str
    value: str
    note: str = ""
    alias_key: str = ""


def attributes(request: HttpRequest, profile: Profile) -> SafeString:
    """Return what is known of a user by default."""
    return _render("attributes", request, profile, groups=admin_attributes.groups(profile))


def identifiers(request: HttpRequest, profile: Profile) -> SafeString:
    """Return what partners may call a user by."""
    rows = Identifier.objects.filter(workspace=profile.workspace_id, profile=profile).order_by("key")
    keys = list(rows.values_list("key", flat=True)[: MAX_IDENTIFIERS + 1])
    shown = [in_words(key) for key in keys[:MAX_IDENTIFIERS]]
    context = {"identifiers": shown, "limit": MAX_IDENTIFIERS, "is_cut": len(keys) > MAX_IDENTIFIERS}
    return _render("identifiers", request, profile, **context)


def custom_attributes(request: HttpRequest, profile: Profile) -> SafeString:
    """Return the attributes that this workspace invented."""
    rows = [(name, value_in_words(value)) for name, value in sorted(profile.custom_attributes.items())]
    return _render("custom_attributes", request, profile, rows=rows)


def events(request: HttpRequest, profile: Profile) -> SafeString:
    """Return what a user did: how often, since when, and day by day."""
    did = timeline.of(profile=profile, now=timezone.now())
    return _render("events", request, profile, **admin_timeline.in_words(did))


def history(request: HttpRequest, profile: Profile) -> SafeString:
    """Return what was done to a user by hand or by programs, as far as the audit log says."""
    if not request.user.has_perm("accounts.view_auditentry"):
        return SafeString()
    entries = AuditEntry.objects.filter(workspace=profile.workspace_id, subject=f"user {profile.pk}")
    newest = entries.select_related("actor").order_by("-id")[:MAX_ENTRIES]
    rows = [(entry, admin_cells.who(None, entry), admin_cells.details(entry)) for entry in newest]
    return _render("history", request, profile, rows=rows, limit=MAX_ENTRIES)


def in_words(key: str) -> ShownIdentifier:
    """Return the identifier that a key of `profiles/matching.py` stands for."""
    kind, value = key[:2], key[2:]
    if kind == matching.EXTERNAL_ID:
        return ShownIdentifier(_("External ID"), value)
    if kind == matching.DEVICE:
        return ShownIdentifier(_("Device ID"), value)
    if kind == matching.IDENTIFIED_DEVICE:
        return ShownIdentifier(_("Device ID"), value, _("Does not match: this user has an external ID."))
    label, name = matching.alias_of(key)
    return ShownIdentifier(_("Alias “{label}”").format(label=label), name, alias_key=key)


def value_in_words(value: Any) -> str:
    """Return the value of a custom attribute as people write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "–" if value is None else orjson.dumps(value).decode()


def _render(template: str, request: HttpRequest, profile: Profile, **more: Any) -> SafeString:
    may_edit = request.user.has_perm("profiles.change_profile")
    context = {"profile": profile, "may_edit": may_edit, **more}
    return render_to_string(f"profiles/{template}.html", context, request=request)
