"""The words for a job of the worker, be it an import or an export: how far it came, and how long it may take."""

from __future__ import annotations

from datetime import timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from profiles import job_claims, numbers
from profiles.models_jobs import Job

TAGS = {
    "waiting": "rc-tag-warn",
    "running": "rc-tag-warn",
    "complete": "rc-tag-good",
    "failed": "rc-tag-bad",
}
MIN_WORKED = timedelta(seconds=1)
_MINUTE, _HOUR = 60, 3600


def tag(job: Job, words: str, *, is_good: bool = False) -> SafeString:
    """Return how far a job came, as a tag."""
    return format_html(
        '<span class="rc-tag {}">{}</span>', TAGS["complete"] if is_good else TAGS.get(job.status, ""), words
    )


def percent(done: int, total: int) -> int:
    """Return how much of the whole is done."""
    return min(100, 100 * done // total) if total else 0


def seconds_left(job: Job, *, done: int, total: int) -> float | None:
    """Return how long a running job may still take; None if it is too early to say."""
    if job.status != job_claims.RUNNING or job.worked < MIN_WORKED or not done:
        return None
    return job.worked.total_seconds() * max(total - done, 0) / done


def per_second(job: Job, count: int) -> str:
    """Return how many of something a job that worked for a while does in a second."""
    return numbers.count(round(count / job.worked.total_seconds()))


def duration(seconds: float) -> str:
    """Return about how long some seconds are."""
    if seconds < _MINUTE:
        return _("less than a minute")
    if seconds < _HOUR:
        minutes = round(seconds / _MINUTE)
        return ngettext("about {count} minute", "about {count} minutes", minutes).format(count=minutes)
    hours = round(seconds / _HOUR)
    return ngettext("about {count} hour", "about {count} hours", hours).format(count=hours)
