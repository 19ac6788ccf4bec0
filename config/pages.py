"""Where the pages of the admin are that belong to no model: folder, and in it route, view and name."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse

from accounts import (
    admin_notifications,
    admin_partner_keys,
    admin_partner_settings,
    admin_partners,
    admin_rest_keys,
)
from profiles import admin_mapping, admin_points

PAGES: dict[str, list[tuple[str, Callable[..., HttpResponse], str]]] = {
    "technology-partners": [
        *admin_partners.PAGES,
        *admin_partner_keys.PAGES,
        *admin_partner_settings.PAGES,
        *admin_mapping.PAGES,
    ],
    "rest-api-keys": admin_rest_keys.PAGES,
    "notifications": admin_notifications.PAGES,
    "data-points": admin_points.PAGES,
}
