"""The list of cohorts: its columns, and what each row is given, for the whole page in a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.permissions import current_workspace
from cohorts import admin_cells, admin_freshness, history, latest_syncs, uses
from cohorts.models import Cohort, CohortSync
from profiles import universe

DAYS = 30


class CohortColumns:
    """The columns of the list."""

    cohort_name = admin.display(description=_("Name"), ordering="name")(admin_cells.cohort_name)
    from_partner = admin.display(description=_("Partner"), ordering="partner")(admin_cells.partner)
    size = admin.display(description=_("Size"))(admin_cells.size)
    trend = admin.display(description=_("Last 30 days"))(admin_cells.trend)
    last_sync = admin.display(description=_("Last sync"), ordering="last_sync_at")(admin_cells.last_sync)
    fresh = admin.display(description=_("Freshness"))(admin_freshness.cell)
    match_rate = admin.display(description=_("Match rate"))(admin_cells.match_rate)
    used_by = admin.display(description=_("Used by"))(admin_cells.used_by)


class CohortList(ChangeList):
    """A page of cohorts, each with its `history`, its `latest_sync` that brought members, and its `users`."""

    def get_results(self, request: HttpRequest) -> None:
        """Find the rows of the page, and what is known of them."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        _complete(request, self.result_list)

    @property
    def has_deleted(self) -> bool:
        """Whether any cohort was deleted; asked only where the list is empty."""
        return self.root_queryset.exclude(ignored_at=None).exists()


def _complete(request: HttpRequest, cohorts: Sequence[Any]) -> None:
    workspace = current_workspace(request)
    live = universe.live(workspace_id=workspace.pk)
    now = timezone.now()
    known = history.of(cohorts=cohorts, within=live, days=DAYS, now=now)
    latest_syncs.attach(cohorts=cohorts, now=now)
    latest = _latest_syncs(cohorts)
    users = uses.by_cohort(workspace_id=workspace.pk)
    for cohort in cohorts:
        cohort.history = known[cohort.pk]
        cohort.latest_sync = latest.get(cohort.pk)
        cohort.users = visible(request, users.get(cohort.pk, []))


def _latest_syncs(cohorts: Sequence[Cohort]) -> dict[int, CohortSync]:
    """Return the latest sync of each cohort that brought members, in one query that looks at few rows."""
    of_one = CohortSync.objects.filter(cohort=OuterRef("pk"), received_count__gt=0).order_by("-pk")
    newest = Cohort.objects.filter(pk__in=[cohort.pk for cohort in cohorts]).annotate(
        newest=Subquery(of_one.values("pk")[:1])
    )
    syncs = CohortSync.objects.filter(pk__in=newest.values("newest"))
    return {sync.cohort_id: sync for sync in syncs.defer("pages", "unmatched_sample")}


def visible(request: HttpRequest, users: Sequence[Model]) -> list[Model]:
    """Return those that a member of staff may look at."""
    return [user for user in users if request.user.has_perm(_view_of(user))]


def _view_of(user: Model) -> str:
    model = user._meta  # noqa: SLF001 - Django's own name for it, and public
    return f"{model.app_label}.view_{model.model_name}"
