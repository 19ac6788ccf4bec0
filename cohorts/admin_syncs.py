"""What the pages say about syncs that no column holds: settled or not, progress, missing pages, reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import F, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pyroaring import BitMap

from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import admin_jobs, bitmaps, numbers
from profiles.matching import Reason

MAX_RANGES = 20
MINUTE = 60  # seconds
# A partner sends the pages of a sync one after the other: one that is quiet for this long has stopped.
QUIET = timedelta(minutes=5)
REASONS = {
    Reason.UNKNOWN: gettext_lazy("Unknown: no user here has this identifier."),
    Reason.IDENTIFIED: gettext_lazy(
        "This device belongs to a user with an external ID: send the external ID."
    ),
    Reason.INVALID: gettext_lazy("Invalid: empty, or a word that stands for nobody, such as “anonymous”."),
}


class Unmatched(NamedTuple):
    """A member the partner sent and nobody here is, and why."""

    identifier: str
    reason: str | Promise


def settle(syncs: Sequence[CohortSync]) -> None:
    """Set `is_settled` on each: whether added and removed say everything, or are still to be counted."""
    folding = CohortDelta.objects.filter(
        cohort_id__in={sync.cohort_id for sync in syncs}, sequence__gt=F("cohort__snapshot_sequence")
    )
    unsettled = set(folding.values_list("sync_id", flat=True).distinct())
    for sync in syncs:
        sync.is_settled = sync.pk not in unsettled and not _waits(sync)  # type: ignore[attr-defined]


def repeated_count(sync: CohortSync) -> int:
    """Return how many identifiers came more than once, or reached somebody who was reached already."""
    return max(sync.received_count - sync.matched_count - sync.unmatched_count, 0)


def match_rate(sync: CohortSync) -> str:
    """Return which share of the members is users here, whatever came twice; "" if none was received."""
    whole = sync.matched_count + sync.unmatched_count
    return numbers.share(sync.matched_count, whole) if whole else ""


def telling(cohort: Cohort) -> CohortSync | None:
    """Return the sync that tells how many members the partner has: the latest full one, else the latest that brought any."""
    brought = cohort.syncs.filter(received_count__gt=0).order_by("-id")
    full = brought.filter(action=CohortSync.Action.MEMBERS, status=CohortSync.Status.COMPLETE)
    others = brought.exclude(action__in=[CohortSync.Action.MEMBERS, CohortSync.Action.HELD])
    latest = Coalesce(Subquery(full.values("pk")[:1]), Subquery(others.values("pk")[:1]))
    return CohortSync.objects.filter(pk=latest).defer("pages", "unmatched_sample").first()


def moved_since(sync: CohortSync) -> dict[str, int]:
    """Return how many users entered and left the cohort by later syncs, and by joining after they were held."""
    later = CohortSync.objects.filter(cohort=sync.cohort_id, pk__gt=sync.pk)
    return later.aggregate(entered=Coalesce(Sum("entered_count"), 0), left=Coalesce(Sum("left_count"), 0))


def is_active(sync: CohortSync, *, now: datetime) -> bool:
    """Whether pages are coming in: the last one came just now, and others are to follow."""
    return sync.status == CohortSync.Status.RUNNING and now - sync.last_page_at < QUIET


def percent(sync: CohortSync) -> int:
    """Return how many of the pages are here."""
    return admin_jobs.percent(sync.pages_count, sync.total_pages or 0)


def duration(sync: CohortSync) -> str:
    """Return how long it took from the first page to the last, so far."""
    seconds = (sync.last_page_at - sync.started_at).total_seconds()
    if seconds < 1:
        return _("under a second")
    if seconds < MINUTE:
        return ngettext("{count} second", "{count} seconds", round(seconds)).format(count=round(seconds))
    return admin_jobs.duration(seconds)


def given_up_at(sync: CohortSync) -> datetime | None:
    """Return when a sync expires unless more pages come; None if it does not wait for any."""
    if sync.status != CohortSync.Status.RUNNING:
        return None
    return sync.last_page_at + timedelta(hours=settings.UNFINISHED_SYNC_HOURS)


def missing_pages(sync: CohortSync) -> str:
    """Return the numbers of the pages that did not come as `2–4, 7`; "" if none is known to be missing."""
    if sync.status == CohortSync.Status.COMPLETE or sync.total_pages is None:
        return ""
    gaps = _gaps(bitmaps.unpack(sync.pages), sync.total_pages)
    ranges = [_range(first, last) for (first, last), _n in zip(gaps, range(MAX_RANGES), strict=False)]
    text = ", ".join(ranges)
    return _("{pages} and more").format(pages=text) if next(gaps, None) else text


def reasons_in_words(sync: CohortSync) -> list[str]:
    """Return how many are unmatched for each reason that occurred."""
    counted = [
        (sync.unknown_count, _("{count} unknown")),
        (sync.identified_count, _("{count} identified: use the external ID")),
        (sync.invalid_count, _("{count} invalid")),
    ]
    return [text.format(count=numbers.count(count)) for count, text in counted if count]


def sample(rows: Iterable[dict[str, str]]) -> list[Unmatched]:
    """Return the sample of a sync in words."""
    return [Unmatched(row["identifier"], REASONS[Reason(row["reason"])]) for row in rows]


def _waits(sync: CohortSync) -> bool:
    return sync.action == CohortSync.Action.MEMBERS and sync.status == CohortSync.Status.RUNNING


def _gaps(seen: BitMap, total: int) -> Iterator[tuple[int, int]]:
    expected = 1
    for page in seen:
        if page > total:
            break
        if page > expected:
            yield expected, page - 1
        expected = page + 1
    if expected <= total:
        yield expected, total


def _range(first: int, last: int) -> str:
    if first == last:
        return numbers.count(first)
    return f"{numbers.count(first)}–{numbers.count(last)}"
