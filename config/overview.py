"""The overview: what to do next while a workspace is empty, how it stands once it is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import usage
from accounts.models import DataImportKey, Workspace
from accounts.partners import MIXPANEL
from accounts.permissions import current_workspace
from cohorts.models import Cohort, CohortSync
from profiles import numbers, universe
from segments.models import Segment

# A partner sends the pages of a sync one after the other: one that is quiet for this long has stopped.
QUIET = timedelta(hours=1)
STAYS_FOR = timedelta(days=7)
UNFINISHED_SHOWN = 5


@dataclass(frozen=True)
class Figures:
    """How a workspace stands."""

    user_count: int
    cohort_count: int
    segment_count: int
    has_key: bool
    sync_count: int
    received_count: int
    matched_count: int
    data_point_count: int
    unfinished: list[CohortSync]

    @property
    def match_rate(self) -> str:
        """Share of today's members that matched a user; blank when none came."""
        return numbers.share(self.matched_count, self.received_count) if self.received_count else ""

    @property
    def next_step(self) -> str:
        """The first thing that is still to do: "key", "cohort", "segment" or nothing."""
        done = {"key": self.has_key, "cohort": self.cohort_count, "segment": self.segment_count}
        return next((step for step, is_done in done.items() if not is_done), "")


def figures(*, workspace: Workspace, now: datetime) -> Figures:
    """Count what the overview shows. Today and the days of data points begin at midnight of their own clocks."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    syncs = CohortSync.objects.for_workspace(workspace)
    sums = syncs.filter(last_page_at__gte=today).aggregate(
        syncs=Count("pk"), received=Sum("received_count", default=0), matched=Sum("matched_count", default=0)
    )
    keys = DataImportKey.objects.valid().filter(integration__workspace=workspace)
    return Figures(
        user_count=len(universe.live(workspace_id=workspace.pk)),
        cohort_count=Cohort.objects.for_workspace(workspace).count(),
        segment_count=Segment.objects.for_workspace(workspace).count(),
        has_key=keys.exists(),
        sync_count=sums["syncs"],
        received_count=sums["received"],
        matched_count=sums["matched"],
        data_point_count=usage.total(
            workspace_id=workspace.pk, since=now.astimezone(UTC).date().replace(day=1)
        ),
        unfinished=_unfinished(workspace, now),
    )


def _unfinished(workspace: Workspace, now: datetime) -> list[CohortSync]:
    stopped = Q(status=CohortSync.Status.RUNNING, last_page_at__lt=now - QUIET)
    given_up = Q(status=CohortSync.Status.EXPIRED)
    syncs = CohortSync.objects.for_workspace(workspace).filter(
        stopped | given_up, last_page_at__gte=now - STAYS_FOR
    )
    names = ("cohort__name", "status", "pages_count", "total_pages", "last_page_at", "action")
    return list(syncs.select_related("cohort").only(*names).order_by("-last_page_at")[:UNFINISHED_SHOWN])


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the overview's figures to the context of the admin's index. The theme calls this."""
    known = figures(workspace=current_workspace(request), now=timezone.now())
    may_generate = request.user.has_perm("accounts.add_dataimportkey")
    more = {"figures": known, "partner": MIXPANEL, "may_generate": may_generate}
    return {**context, **more, "title": _("Overview")}
