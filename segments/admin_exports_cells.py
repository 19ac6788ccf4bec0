"""The words for an export: how far it came, and the cells of the list."""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from profiles import admin_jobs, numbers
from profiles.templatetags.moments import ago
from segments import exports
from segments.models import SegmentExport


def percent(job: SegmentExport) -> int:
    """Return how much of the file is written."""
    return (
        100
        if job.status == exports.Status.COMPLETE
        else admin_jobs.percent(job.done_count, job.total_count or 0)
    )


def done(job: SegmentExport) -> str:
    """Return how many users are written, out of how many; or what is done before the first."""
    if job.total_count is None:
        is_waiting = job.status == exports.Status.WAITING
        return _("Waiting for the worker") if is_waiting else _("Finding out who is in the segment")
    return ngettext("{done} of {count} user", "{done} of {count} users", job.total_count).format(
        done=numbers.count(job.done_count), count=numbers.count(job.total_count)
    )


def pace(job: SegmentExport) -> str:
    """Return how long a running export may take; "" if it is too early to say."""
    left = admin_jobs.seconds_left(job, done=job.done_count, total=job.total_count or 0)
    if left is None:
        return ""
    speed = _("{count} users per second").format(count=admin_jobs.per_second(job, job.done_count))
    return _("{speed}, {time} left").format(speed=speed, time=admin_jobs.duration(left))


def columns_in_words(job: SegmentExport) -> str:
    """Return how many fields the file has."""
    count = len(job.fields)
    return ngettext("{count} field", "{count} fields", count).format(count=numbers.count(count))


# --- the list ------------------------------------------------------------------------------------------------
def segment(_admin: Any, job: SegmentExport) -> SafeString:
    """Return what the segment was called, and how many fields the file has."""
    return format_html(
        '<span class="sx-name">{}<small>{}</small></span>', job.segment_name, columns_in_words(job)
    )


def status(_admin: Any, job: SegmentExport) -> SafeString:
    """Return how far the export came."""
    return admin_jobs.tag(job, job.get_status_display())


def users(_admin: Any, job: SegmentExport) -> SafeString:
    """Return how many users are in the file."""
    is_known = job.total_count is not None
    return format_html(
        '<span class="rc-number">{}</span>', numbers.count(job.done_count) if is_known else "–"
    )


def file(_admin: Any, job: SegmentExport) -> SafeString:
    """Link to the file, if it is here and the reader may have it, which the address asks again."""
    if not exports.is_here(job, now=timezone.now()) or job.expires_at is None:
        return format_html("{}", "–")
    address = reverse("admin:segments_segmentexport_file", args=[job.pk])
    return format_html(
        '<span class="sx-file"><a class="rc-link" href="{}">{}</a><small>{}</small><small>{}</small></span>',
        *(address, _("Download"), filesizeformat(job.size_bytes)),
        _("until {day}").format(day=date_format(localtime(job.expires_at), "SHORT_DATE_FORMAT")),
    )


def ordered(_admin: Any, job: SegmentExport) -> SafeString:
    """Return when the export was ordered, and by whom."""
    return format_html(
        '<span class="sx-name">{}<small>{}</small></span>', ago(job.created_at), job.created_by or ""
    )
