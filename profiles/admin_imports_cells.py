"""The words for an import: how far it came, how fast, and how its rows fared; the cells of the history."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from profiles import admin_jobs, job_claims, numbers
from profiles.models import ImportJob
from profiles.templatetags.moments import ago

Status = ImportJob.Status
# What a count is called, what it means, and how its part of the bar looks ("" for none).
FIGURES: dict[str, tuple[str | Promise, str | Promise, str]] = {
    "rows": (gettext_lazy("Rows"), gettext_lazy("read so far"), ""),
    "created": (gettext_lazy("New users"), gettext_lazy("users who are new"), "good"),
    "imported": (gettext_lazy("Imported"), gettext_lazy("events that are counted now"), "good"),
    "updated": (gettext_lazy("Updated"), gettext_lazy("users with a change"), "changed"),
    "unchanged": (gettext_lazy("Unchanged"), gettext_lazy("already up to date"), "same"),
    "duplicates": (gettext_lazy("Duplicates"), gettext_lazy("counted before, or twice in the file"), "same"),
    "skipped": (
        gettext_lazy("Not here"),
        gettext_lazy("rows of users whom this import may not create"),
        "left",
    ),
    "unknown_users": (
        gettext_lazy("Unknown users"),
        gettext_lazy("dropped: an import creates nobody"),
        "left",
    ),
    "too_old": (gettext_lazy("Too old"), gettext_lazy("dropped: from before 2010"), "left"),
    "failed": (gettext_lazy("At fault"), gettext_lazy("rows in the error file"), "bad"),
}


class Figure(NamedTuple):
    """A count in words, and its share of all that are parts of the bar, in percent."""

    title: str | Promise
    note: str | Promise
    look: str
    number: int
    percent: float


def figures(job: ImportJob) -> list[Figure]:
    """Return how the rows fared, as figures and as parts of a bar."""
    wanted = [
        name
        for name in FIGURES
        if name in job.counts and (name != "skipped" or job.options.get("update_only"))
    ]
    whole = sum(job.counts[name] for name in wanted if FIGURES[name][2]) or 1
    return [
        Figure(title, _note(job, name), look, job.counts[name], round(100 * job.counts[name] / whole, 2))
        for name, (title, _usual, look) in ((it, FIGURES[it]) for it in wanted)
    ]


def _note(job: ImportJob, name: str) -> str | Promise:
    return _("in the file") if name == "rows" and is_done(job) else FIGURES[name][1]


def is_done(job: ImportJob) -> bool:
    """Whether the whole file was read, be it for a dry run."""
    return job.status == Status.COMPLETE or (job.is_dry_run and job.status == Status.DRAFT)


def percent(job: ImportJob) -> int:
    """Return how much of the file was read."""
    if job.status == Status.COMPLETE:
        return 100
    return admin_jobs.percent(_read_bytes(job), job.total_bytes)


def pace(job: ImportJob) -> str:
    """Return how fast a running import is, and how long it may take; "" if it is too early to say."""
    left = admin_jobs.seconds_left(job, done=_read_bytes(job), total=job.total_bytes)
    if left is None:
        return ""
    speed = _("{count} rows per second").format(count=admin_jobs.per_second(job, job.counts.get("rows", 0)))
    return _("{speed}, {time} left").format(speed=speed, time=admin_jobs.duration(left))


def _read_bytes(job: ImportJob) -> int:
    return int(job.counts.get("read_bytes", job.done_bytes))


def status_in_words(job: ImportJob) -> str:
    """Return how far the import came."""
    if job.is_dry_run and job.status in {*job_claims.ACTIVE, Status.DRAFT}:
        return _("Dry run done") if job.status == Status.DRAFT else _("Dry run")
    return str(job.get_status_display())


# --- the history ---------------------------------------------------------------------------------------------
def file_name(_admin: Any, job: ImportJob) -> SafeString:
    """Return the file's name, and what it holds."""
    return format_html(
        '<span class="im-file">{}<small>{}</small></span>', job.file_name, job.get_kind_display()
    )


def status(_admin: Any, job: ImportJob) -> SafeString:
    """Return how far the import came."""
    words = status_in_words(job)
    return admin_jobs.tag(job, words, is_good=words == _("Dry run done"))


def rows(_admin: Any, job: ImportJob) -> SafeString:
    """Return how many rows were read."""
    return _number(job.counts.get("rows"))


def changed(_admin: Any, job: ImportJob) -> SafeString:
    """Return how many users were created or updated, or events counted."""
    names = ("created", "updated", "imported")
    known = [job.counts[name] for name in names if name in job.counts and not job.is_dry_run]
    return _number(sum(known) if known else None)


def failed(_admin: Any, job: ImportJob) -> SafeString:
    """Return how many rows are at fault."""
    number = job.counts.get("failed")
    if not number:
        return _number(number)
    return format_html('<span class="rc-tag rc-tag-bad rc-number">{}</span>', numbers.count(number))


def started_by(_admin: Any, job: ImportJob) -> str:
    """Return who brought the file."""
    return str(job.created_by or "–")


def uploaded(_admin: Any, job: ImportJob) -> SafeString:
    """Return when the file came."""
    return ago(job.created_at)


def _number(value: int | None) -> SafeString:
    return format_html('<span class="rc-number">{}</span>', "–" if value is None else numbers.count(value))
