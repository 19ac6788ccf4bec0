"""Numbers as the active language writes them."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def count(value: int) -> str:
    """Return `1,234`."""
    return str(number_format(value, use_l10n=True, force_grouping=True))


def users(value: int) -> str:
    """Return `1,234 users`."""
    return ngettext("{count} user", "{count} users", value).format(count=count(value))


def difference(value: int) -> str:
    """Return `+1,234`, `−5` or `±0`."""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{count(abs(value))}"


def share(part: int, whole: int) -> str:
    """Return `12.3%`. Never 0% for somebody, and never 100% for less than everybody."""
    percent = round(100 * part / whole, 1) if whole else 0
    if part and not percent:
        return _("under {number}%").format(number=number_format(0.1, 1, use_l10n=True))
    if part < whole and percent == 100:  # noqa: PLR2004
        return _("over {number}%").format(number=number_format(99.9, 1, use_l10n=True))
    digits = 0 if percent == round(percent) else 1
    return _("{number}%").format(number=number_format(percent, digits, use_l10n=True))
