"""How a number went lately, as the cell of a list: a line for the eye, and words for everybody."""

from __future__ import annotations

from collections.abc import Sequence

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from profiles import admin_chart, numbers

HEIGHT = 24


def cell(values: Sequence[int | None]) -> SafeString:
    """Return how a number went, one value a day, the last of them now: as a line, and in words."""
    *earlier, now = values or [None]
    index = next((index for index, value in enumerate(earlier) if value is not None), None)
    if index is None or now is None:
        unknown = _("No earlier size is known yet.")
        return format_html('<span class="rc-none">–<span class="rc-hidden"> {}</span></span>', unknown)
    then = earlier[index] or 0
    context = {
        "path": admin_chart.line(values, height=HEIGHT),
        "width": (len(values) - 1) * admin_chart.WIDTH,
        "height": HEIGHT,
        "difference": numbers.difference(now - then),
        "words": _since(then, len(earlier) - index, now),
    }
    return render_to_string("rollcall/cell_trend.html", context)


def _since(then: int, days: int, now: int) -> str:
    text = ngettext("{then} {days} day ago, {now} now", "{then} {days} days ago, {now} now", days)
    return text.format(then=numbers.count(then), days=days, now=numbers.count(now))
