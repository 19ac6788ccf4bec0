"""The overview: what to do next while a workspace is empty, how it stands and what needs attention once it is not.

Each part is computed, and shown, for those only who may open the page it leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import allotments, heartbeat
from accounts.models import DataImportKey, Heartbeat, User, Workspace
from accounts.partners import MIXPANEL
from accounts.permissions import current_workspace
from cohorts import latest_syncs
from cohorts.models import Cohort
from config import overview_attention, overview_parts
from profiles import admin_people_chart, universe
from segments.models import Segment

GENERATES = "accounts.add_dataimportkey"
USERS, COHORTS, SYNCS = "profiles.view_profile", "cohorts.view_cohort", "cohorts.view_cohortsync"
POINTS, SEGMENTS = "accounts.view_datapointusage", "segments.view_segment"


@dataclass(frozen=True)
class Figures:
    """How a workspace stands. `beat_at` is the worker's last sign of life."""

    workspace: Workspace
    user_count: int
    cohort_count: int
    segment_count: int
    has_key: bool
    beat_at: datetime | None

    @property
    def next_step(self) -> str:
        """The first thing that is still to do: "key", "cohort", "segment" or nothing."""
        done = {"key": self.has_key, "cohort": self.cohort_count, "segment": self.segment_count}
        return next((step for step, is_done in done.items() if not is_done), "")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing yet to tell of."""
        return not (self.user_count or self.cohort_count or self.segment_count)


def figures(*, workspace: Workspace) -> Figures:
    """Count what the overview shows; users as a bitmap that is kept, never by a look at all of them."""
    own = {"workspace": OuterRef("pk")}
    keys = DataImportKey.objects.valid().filter(integration__workspace=OuterRef("pk"))
    beats = Heartbeat.objects.filter(name=heartbeat.WORKER)
    # All in one query, the allotment included: the page has few to spare.
    known: Any = (
        Workspace.objects.select_related("allotment")
        .annotate(
            cohort_count=_count(Cohort.objects.current().filter(**own)),
            segment_count=_count(Segment.objects.active().filter(**own)),
            has_key=Exists(keys),
            beat_at=Subquery(beats.values("beat_at")[:1]),
        )
        .get(pk=workspace.pk)
    )
    return Figures(
        workspace=known,
        user_count=len(universe.live(workspace_id=workspace.pk)),
        cohort_count=known.cohort_count,
        segment_count=known.segment_count,
        has_key=known.has_key,
        beat_at=known.beat_at,
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    """Return how many rows of a workspace there are, within a query of workspaces."""
    return Coalesce(Subquery(rows.values("workspace").annotate(number=Count("pk")).values("number")), 0)


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the overview's parts to the context of the admin's index. The theme calls this."""
    known = figures(workspace=current_workspace(request))
    more = {
        "title": _("Overview"),
        "figures": known,
        "partner": MIXPANEL,
        "may_generate": request.user.has_perm(GENERATES),
        **({} if known.is_empty else _parts(known, cast("User", request.user), timezone.now())),
    }
    return {**context, **more}


def _parts(known: Figures, reader: User, now: datetime) -> dict[str, Any]:
    """Return the parts that the reader may see; what needs attention is read off them, as far as they know."""
    workspace, has = known.workspace, reader.has_perm
    freshness = latest_syncs.overview(workspace=workspace, now=now) if has(COHORTS) else None
    standing = allotments.standing(workspace=workspace, now=now) if has(POINTS) else None
    return {
        "chart": admin_people_chart.chart(workspace=workspace, now=now) if has(USERS) else None,
        "freshness": freshness and overview_parts.by_freshness(freshness),
        "standing": standing,
        "imports": overview_parts.imports(workspace=workspace, now=now) if has(SYNCS) else None,
        "moves": overview_parts.moves(workspace=workspace, now=now) if has(SEGMENTS) else None,
        "attention": overview_attention.items(
            workspace=workspace,
            beat_at=known.beat_at,
            freshness=freshness,
            standing=standing,
            reader=reader,
            now=now,
        ),
    }
