"""Moments as people say them: how long ago, with the exact time behind it."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """Return `3 hours ago` with the full time as its title; a dash if it never came."""
    if moment is None:
        return format_html("<span>{}</span>", "–")
    here = localtime(moment)
    exact = date_format(here, "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', here.isoformat(), exact, naturaltime(moment)
    )
