"""How fresh cohorts are, in the list of cohorts and on their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.permissions import current_workspace
from cohorts import freshness_words, latest_syncs
from cohorts.freshness import Freshness, State
from cohorts.models import Cohort

TAGS = {State.FRESH: "rc-tag-good", State.LATE: "rc-tag-warn", State.STALE: "rc-tag-bad"}


def badge(it: Freshness) -> SafeString:
    """Return the state as a tag that explains itself."""
    explained = freshness_words.explained(it)
    return format_html(
        '<span class="rc-tag {}" title="{}">{}</span>', TAGS.get(it.state, ""), explained, it.state.label
    )


def cell(_admin: Any, cohort: Any) -> SafeString:
    """Return the badge of a cohort of the list, which looks at the whole page at once."""
    return badge(cohort.freshness)


def attach(cohorts: Sequence[Any], *, now: datetime) -> None:
    """Tell each cohort of a page how fresh it is."""
    found = latest_syncs.of_cohorts(cohorts=cohorts, now=now)
    for cohort in cohorts:
        cohort.freshness = found[cohort.pk]


def figure(cohort: Cohort, *, now: datetime) -> dict[str, Any]:
    """Return the badge of one cohort, and in words what its partner is expected to do."""
    it = latest_syncs.of_cohorts(cohorts=[cohort], now=now)[cohort.pk]
    return {"badge": badge(it), "explained": freshness_words.explained(it)}


class FreshnessFilter(admin.SimpleListFilter):
    """The states of freshness. They are not columns: all cohorts of the workspace are judged when one is chosen."""

    title = _("freshness")
    parameter_name = "freshness"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states, the worst first."""
        return State.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the cohorts in the chosen state."""
        if self.value() not in State.values:
            return queryset
        own = Cohort.objects.for_workspace(current_workspace(request)).only(*latest_syncs.FIELDS)
        found = latest_syncs.of_cohorts(cohorts=own, now=timezone.now())
        return queryset.filter(pk__in=[pk for pk, it in found.items() if it.state == self.value()])
