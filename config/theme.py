"""How the admin looks: what django-unfold is told."""

from typing import Any

from django.templatetags.static import static

THEME: dict[str, Any] = {
    "SITE_TITLE": "Rollcall",
    "SITE_HEADER": "Rollcall",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("rollcall/mark.svg")}
    ],
    "STYLES": [lambda _request: static("rollcall/rollcall.css")],
    "SCRIPTS": [lambda _request: static("rollcall/rollcall.js")],
    "DASHBOARD_CALLBACK": "config.overview.fill",
    "SIDEBAR": {"navigation": "config.sidebar.sidebar"},
    "BORDER_RADIUS": "8px",
    # A quiet teal on cool greys. Every pair that text uses has a contrast of 4.5 or more, light and dark.
    "COLORS": {
        "base": {
            "50": "oklch(98.5% .003 210)",
            "100": "oklch(96.5% .005 210)",
            "200": "oklch(92.3% .008 215)",
            "300": "oklch(86.5% .012 220)",
            "400": "oklch(73% .016 225)",
            "500": "oklch(52% .02 230)",
            "600": "oklch(44% .022 230)",
            "700": "oklch(36.5% .022 230)",
            "800": "oklch(27.5% .02 230)",
            "900": "oklch(21% .018 230)",
            "950": "oklch(16% .016 230)",
        },
        "primary": {
            "50": "oklch(97.8% .014 188)",
            "100": "oklch(94.5% .032 188)",
            "200": "oklch(89.5% .055 188)",
            "300": "oklch(82.5% .08 188)",
            "400": "oklch(74% .098 188)",
            "500": "oklch(68% .1 188)",
            "600": "oklch(50.5% .087 188)",
            "700": "oklch(44% .076 188)",
            "800": "oklch(38% .064 188)",
            "900": "oklch(33% .052 188)",
            "950": "oklch(24.5% .04 188)",
        },
    },
}
