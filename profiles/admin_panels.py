"""The parts of a user's page: attributes, identifiers, custom attributes. Apps above add cohorts and segments."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from profiles import matching
from profiles.models import Identifier, Profile

ATTRIBUTES = ("email", "first_name", "last_name", "phone", "country", "language", "time_zone")
MAX_IDENTIFIERS = 100


class ShownIdentifier(NamedTuple):
    """An identifier in words."""

    kind: str
    value: str
    note: str = ""


def attributes(_request: HttpRequest, profile: Profile) -> SafeString:
    """Return what is known of a user by default."""
    facts = [(_title(name), getattr(profile, name)) for name in ATTRIBUTES]
    return render_to_string("profiles/attributes.html", {"profile": profile, "facts": facts})


def identifiers(_request: HttpRequest, profile: Profile) -> SafeString:
    """Return what partners may call a user by."""
    rows = Identifier.objects.filter(workspace=profile.workspace_id, profile=profile).order_by("key")
    keys = list(rows.values_list("key", flat=True)[: MAX_IDENTIFIERS + 1])
    shown = [in_words(key) for key in keys[:MAX_IDENTIFIERS]]
    context = {"identifiers": shown, "limit": MAX_IDENTIFIERS, "is_cut": len(keys) > MAX_IDENTIFIERS}
    return render_to_string("profiles/identifiers.html", context)


def custom_attributes(_request: HttpRequest, profile: Profile) -> SafeString:
    """Return the attributes that this workspace invented."""
    rows = [(name, _value(value)) for name, value in sorted(profile.custom_attributes.items())]
    return render_to_string("profiles/custom_attributes.html", {"rows": rows})


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
    return ShownIdentifier(_("Alias “{label}”").format(label=label), name)


def _title(name: str) -> str | Promise:
    return Profile._meta.get_field(name).verbose_name  # type: ignore[union-attr]  # noqa: SLF001


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "–" if value is None else orjson.dumps(value).decode()
