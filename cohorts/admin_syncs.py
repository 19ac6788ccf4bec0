"""What the pages say about syncs that no column holds: settled or not, missing pages, repeats, reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pyroaring import BitMap

from cohorts.models import CohortDelta, CohortSync
from profiles import bitmaps, numbers
from profiles.matching import Reason

MAX_RANGES = 20
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
