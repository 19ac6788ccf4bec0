"""The cells of the list of segments. Each row carries what `segments/admin_list.py` gave it, for the whole page at once."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from profiles import admin_chart, numbers
from profiles.templatetags import moments
from segments.admin_words import links

SPARK_HEIGHT = 24
USERS_SHOWN = 2


def title(_admin: Any, segment: Any) -> SafeString:
    """Return the name as a link, with the description and the tags below it."""
    return render_to_string("segments/cell_title.html", {"segment": segment})


def size(_admin: Any, segment: Any) -> SafeString:
    """Return how many users the segment selects now, and how many of all users that is."""
    summary = segment.summary
    if summary.size is None:
        return format_html('<span class="sl-number">{}</span>', "–")
    return format_html(
        '<span class="sl-size"><span class="sl-number">{}</span><small>{}</small></span>',
        numbers.count(summary.size),
        numbers.share(summary.size, summary.universe),
    )


def change(_admin: Any, segment: Any) -> SafeString:
    """Return how the size went in the last days: as a line for the eye, and in words for everybody."""
    now, earlier = segment.summary.size, [it for it in enumerate(segment.history) if it[1] is not None]
    if now is None or not earlier:
        unknown = _("No earlier size is known yet.")
        return format_html('<span class="sl-none">–<span class="rc-hidden"> {}</span></span>', unknown)
    index, then = earlier[0]
    values = [*segment.history, now]
    context = {
        "path": admin_chart.line(values, height=SPARK_HEIGHT),
        "width": (len(values) - 1) * admin_chart.WIDTH,
        "height": SPARK_HEIGHT,
        "difference": numbers.difference(now - then),
        "words": _since(then, len(segment.history) - index, now),
    }
    return render_to_string("segments/cell_change.html", context)


def _since(then: int, days: int, now: int) -> str:
    text = ngettext("{then} {days} day ago, {now} now", "{then} {days} days ago, {now} now", days)
    return text.format(then=numbers.count(then), days=days, now=numbers.count(now))


def filters(_admin: Any, segment: Any) -> SafeString:
    """Return the definition as a sentence."""
    if segment.summary.size is None:
        return format_html(
            '<span class="sl-fault">{}</span>', _("A filter needs attention: open the segment.")
        )
    return format_html('<span class="sl-filters">{}</span>', segment.summary.sentence)


def used_by(_admin: Any, segment: Any) -> SafeString:
    """Return what uses the segment, the first of them by name."""
    users = links(segment.users)
    context = {"users": users[:USERS_SHOWN], "more": len(users[USERS_SHOWN:]), "url": segment.url}
    return render_to_string("segments/cell_used_by.html", context)


def last_edited(_admin: Any, segment: Any) -> SafeString:
    """Return when the segment was edited, and by whom."""
    who = segment.updated_by.get_username() if segment.updated_by else ""
    return format_html(
        '<span class="sl-edited">{}<small>{}</small></span>', moments.ago(segment.updated_at), who
    )
