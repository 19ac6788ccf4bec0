"""The parts of a cohort's page, of a sync's page, and the cohorts on a user's page. `segments` adds its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import partners
from cohorts import (
    admin_cells,
    admin_charts,
    admin_freshness,
    admin_live,
    admin_syncs,
    history,
    membership_history,
)
from cohorts.models import Cohort, CohortSync
from profiles import numbers, universe
from profiles.models import Profile

SAMPLE_ROWS, MAX_COHORTS = 10, 200
WINDOWS, USUAL_WINDOW = (30, 90, 400), 90  # days


# --- a cohort ------------------------------------------------------------------------------------------------
def cohort_deleted(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return that the cohort was deleted, and how it comes back; nothing for others."""
    return _render("cohort_deleted", {"cohort": cohort}, request) if cohort.ignored_at else SafeString()


def cohort_size(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return how many users the cohort has now, out of all, and how that came about."""
    everyone = universe.live(workspace_id=cohort.workspace_id)
    window, now = _window(request), timezone.now()
    known = history.of(cohorts=[cohort], within=everyone, days=window, now=now)[cohort.pk]
    sent = admin_syncs.telling(cohort)
    context = {
        "cohort": cohort,
        "size": known.size,
        "everyone": len(everyone),
        "share": numbers.share(known.size, len(everyone)),
        "partner": partners.named(cohort.partner).name,
        "sent": sent,
        "rate": admin_syncs.match_rate(sent) if sent else "",
        "reasons": admin_syncs.reasons_in_words(sent) if sent else [],
        "since": admin_syncs.moved_since(sent) if sent else {},
        "freshness": admin_freshness.figure(cohort, now=now),
        "charts": [
            (_("Size over time"), admin_charts.size(known.days, window=window)),
            (_("Entered and left per day"), admin_charts.moves(known.days, window=window)),
        ],
        "window": window,
        "windows": WINDOWS,
    }
    return _render("cohort_figures", context)


def _window(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in WINDOWS if str(days) == asked), USUAL_WINDOW)


def cohort_syncs(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return the latest syncs as a table, which is kept up to date while pages come in."""
    syncs: list[Any] = admin_live.latest_syncs(cohort)
    may_open, now = request.user.has_perm("cohorts.view_cohortsync"), timezone.now()
    context = {
        "cohort": cohort,
        "rows": SafeString(admin_live.rows(syncs, may_open=may_open)) if syncs else "",
        "is_active": any(admin_syncs.is_active(sync, now=now) for sync in syncs),
        "has_dash": not all(sync.is_settled for sync in syncs),
        "may_open": may_open,
    }
    return _render("cohort_syncs", context)


def cohort_unmatched(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return whom the latest sync named without reaching anybody."""
    of_partner = cohort.syncs.exclude(action=CohortSync.Action.HELD)
    latest = of_partner.only("unmatched_sample").order_by("-id").first()
    rows = admin_syncs.sample(latest.unmatched_sample[:SAMPLE_ROWS]) if latest else []
    context = {"sync": latest, "sample": rows, "days": settings.UNMATCHED_SAMPLE_DAYS}
    return _render("cohort_unmatched", context, request)


def cohort_facts(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return what the partner says of the cohort, whose it is, and how it is deleted."""
    context = {"cohort": cohort, "partner": partners.named(cohort.partner).name}
    return _render("cohort_facts", context, request)


# --- a sync --------------------------------------------------------------------------------------------------
def sync_live(_request: HttpRequest, sync: CohortSync) -> SafeString:
    """Return how far the sync came, how its members fared, and what it changed."""
    if sync.action == CohortSync.Action.HELD:
        admin_syncs.settle([sync])
        return _render("sync_held", {"sync": sync, "hint": admin_cells.settles_later(sync)})
    is_active = admin_syncs.is_active(sync, now=timezone.now())
    return _render(
        "sync_live", {"sync": sync, "parts": _safe(admin_live.parts(sync)), "is_active": is_active}
    )


def _safe(parts: dict[str, str]) -> dict[str, SafeString]:
    return {place: SafeString(html) for place, html in parts.items()}


def sync_facts(_request: HttpRequest, sync: CohortSync) -> SafeString:
    """Return what the sync is, and when what happened."""
    return _render("sync_facts", {"sync": sync, "duration": admin_syncs.duration(sync)})


def sync_unmatched(request: HttpRequest, sync: CohortSync) -> SafeString:
    """Return the sample of members that nobody here is; nothing where the partner sent none."""
    if sync.action == CohortSync.Action.HELD:
        return SafeString()
    rows = admin_syncs.sample(sync.unmatched_sample)
    context = {"sync": sync, "sample": rows, "days": settings.UNMATCHED_SAMPLE_DAYS}
    return _render("sync_unmatched", context, request)


# --- a user --------------------------------------------------------------------------------------------------
def cohorts_of_user(request: HttpRequest, profile: Profile) -> SafeString:
    """Return the cohorts a user is in and since when, all looked at at once."""
    if not request.user.has_perm("cohorts.view_cohort"):
        return SafeString()
    cohorts = (
        Cohort.objects.current()
        .filter(workspace=profile.workspace_id)
        .only("partner", "name")
        .order_by("name", "id")
    )
    by_id = {cohort.pk: cohort for cohort in cohorts}
    stays = membership_history.since(profile_id=profile.pk, cohort_ids=list(by_id))
    mine = [
        (cohort, partners.named(cohort.partner).name, stays[cohort_id].entered_at)
        for cohort_id, cohort in by_id.items()
        if cohort_id in stays
    ]
    return _render("cohorts_of_user", {"rows": mine[:MAX_COHORTS], "more": max(len(mine) - MAX_COHORTS, 0)})


def _render(template: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
    """Render a panel; one that asks what the reader may do needs the request."""
    return render_to_string(f"cohorts/{template}.html", context, request=request)
