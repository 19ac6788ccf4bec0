"""The cells of the list of users."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from profiles.models import Profile
from profiles.templatetags.moments import ago


def who(_admin: Any, profile: Any) -> SafeString:
    """Return the external ID, or that there is none; and whether it was just this user who was searched for."""
    kind = "pl-id" if profile.external_id else "pl-anonymous"
    name = format_html('<span class="{}">{}</span>', kind, profile)
    if getattr(profile, "is_exact", False):
        return format_html('{} <span class="rc-tag rc-tag-good">{}</span>', name, _("exact match"))
    return name


def email(_admin: Any, profile: Profile) -> SafeString:
    """Return the email address."""
    return format_html('<span class="pl-text">{}</span>', profile.email or "–")


def name(_admin: Any, profile: Profile) -> SafeString:
    """Return first and last name."""
    full = f"{profile.first_name} {profile.last_name}".strip()
    return format_html('<span class="pl-text">{}</span>', full or "–")


def created(_admin: Any, profile: Profile) -> SafeString:
    """Return how long the user has been known."""
    return ago(profile.created_at)
