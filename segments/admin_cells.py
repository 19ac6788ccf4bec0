"""The cells of the list of segments. Each row carries its `summary`, computed for the whole page at once."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from profiles import numbers
from profiles.templatetags import moments


def filters(_admin: Any, segment: Any) -> SafeString:
    """Return the definition as a sentence."""
    if segment.summary.size is None:
        return format_html(
            '<span class="sl-fault">{}</span>', _("A filter needs attention: open the segment.")
        )
    return format_html('<span class="sl-filters">{}</span>', segment.summary.sentence)


def size(_admin: Any, segment: Any) -> SafeString:
    """Return how many users the segment selects now."""
    known = segment.summary.size is not None
    return format_html(
        '<span class="sl-number">{}</span>', numbers.count(segment.summary.size) if known else "–"
    )


def share(_admin: Any, segment: Any) -> SafeString:
    """Return how many of all users that is."""
    summary = segment.summary
    if summary.size is None:
        return format_html('<span class="sl-number">–</span>')
    percent = round(100 * summary.size / summary.universe) if summary.universe else 0
    bar = format_html('<span class="sl-bar"><span style="width:{}%"></span></span>', percent)
    return format_html(
        '<span class="sl-share">{}<span class="sl-number">{}</span></span>',
        bar,
        numbers.share(summary.size, summary.universe),
    )


def last_edited(_admin: Any, segment: Any) -> SafeString:
    """Return when the segment was edited, and by whom."""
    who = segment.updated_by.get_username() if segment.updated_by else ""
    return format_html(
        '<span class="sl-edited">{}<small>{}</small></span>', moments.ago(segment.updated_at), who
    )
