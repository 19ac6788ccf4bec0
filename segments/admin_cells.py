"""The cells of the list of segments. Each row carries what `segments/admin_list.py` gave it, for the whole page at once."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from profiles import admin_trend, admin_uses, numbers
from profiles.templatetags import moments


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
    """Return how the size went in the last days."""
    return admin_trend.cell([*segment.history, segment.summary.size])


def filters(_admin: Any, segment: Any) -> SafeString:
    """Return the definition as a sentence."""
    if segment.summary.size is None:
        return format_html(
            '<span class="sl-fault">{}</span>', _("A filter needs attention: open the segment.")
        )
    return format_html('<span class="sl-filters">{}</span>', segment.summary.sentence)


def used_by(_admin: Any, segment: Any) -> SafeString:
    """Return what uses the segment, the first of them by name."""
    return admin_uses.cell(segment.users, url=segment.url)


def last_edited(_admin: Any, segment: Any) -> SafeString:
    """Return when the segment was edited, and by whom."""
    who = segment.updated_by.get_username() if segment.updated_by else ""
    return format_html(
        '<span class="sl-edited">{}<small>{}</small></span>', moments.ago(segment.updated_at), who
    )
