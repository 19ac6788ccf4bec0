"""The parts of the overview that are lists: imports of today, cohorts by freshness, segments that changed most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Sum, Window
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Workspace
from cohorts.admin_freshness import TAGS
from cohorts.freshness import State
from cohorts.latest_syncs import Overview
from cohorts.models import CohortSync
from profiles import numbers
from segments import sizes
from segments.models import Segment

SHOWN = 5


class Import(NamedTuple):
    """A sync of today, and how many of its members matched a user."""

    sync: CohortSync
    match_rate: str


@dataclass(frozen=True)
class Imports:
    """What came in today, and the latest of it."""

    sync_count: int
    received_count: int
    matched_count: int
    latest: Sequence[Import]

    @property
    def match_rate(self) -> str:
        """Share of today's members that matched a user; blank when none came."""
        return _rate(self.matched_count, self.received_count)


class Fresh(NamedTuple):
    """How many cohorts are in a state."""

    state: State
    tag: str
    number: str
    share: str


class Moved(NamedTuple):
    """How the size of a segment changed."""

    segment: Segment
    size: str
    difference: str
    share: str
    before: str


def imports(*, workspace: Workspace, now: datetime) -> Imports:
    """Return what partners sent today, which begins at midnight of the server's time zone."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    of_partners = CohortSync.objects.for_workspace(workspace).exclude(action=CohortSync.Action.HELD)
    syncs = of_partners.filter(last_page_at__gte=today)
    # Each of the latest bears the sums of all, so that it takes one query.
    latest: Any = (
        syncs.annotate(
            count=Window(Count("pk")),
            received=Window(Sum("received_count")),
            matched=Window(Sum("matched_count")),
        )
        .select_related("cohort")
        .only("cohort__name", "action", "received_count", "matched_count", "last_page_at")
        .order_by("-last_page_at")[:SHOWN]
    )
    imported = [Import(sync, _rate(sync.matched_count, sync.received_count)) for sync in latest]
    if not imported:
        return Imports(0, 0, 0, [])
    sums = latest[0]
    return Imports(sums.count, sums.received, sums.matched, imported)


def _rate(matched: int, received: int) -> str:
    return numbers.share(matched, received) if received else ""


def by_freshness(overview: Overview) -> list[Fresh]:
    """Return how many cohorts are in each state, those states left out in which none is."""
    total = sum(overview.counts.values())
    return [
        Fresh(state, TAGS.get(state, ""), numbers.count(count), numbers.share(count, total))
        for state in State
        if (count := overview.counts.get(state, 0))
    ]


def moves(*, workspace: Workspace, now: datetime) -> list[Moved]:
    """Return the segments that changed most within a week."""
    largest = sizes.largest_moves(workspace=workspace, now=now, limit=SHOWN)
    return [
        Moved(
            segment=move.segment,
            size=numbers.users(move.after),
            difference=numbers.difference(move.after - move.before),
            share=_relative(move.before, move.after),
            before=numbers.count(move.before),
        )
        for move in largest
    ]


def _relative(before: int, after: int) -> str:
    """Return `+12.5%`; in words where there was nobody before."""
    if not before:
        return _("from nobody")
    sign = "+" if after > before else "−"
    return sign + numbers.share(abs(after - before), before)
