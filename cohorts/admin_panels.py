"""The parts of a cohort's page, of a sync's page, and the cohorts on a user's page. `segments` adds its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from cohorts import admin_cells, admin_syncs, membership, membership_history
from cohorts.models import Cohort, CohortSync
from profiles import numbers, universe
from profiles.models import Profile

LATEST_SYNCS, SAMPLE_ROWS, MAX_COHORTS = 20, 10, 200


# --- a cohort ------------------------------------------------------------------------------------------------
def cohort_figures(_request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return how many users the cohort has now, out of all."""
    everyone = universe.live(workspace_id=cohort.workspace_id)
    size = len(membership.members(cohort_ids=[cohort.pk], within=everyone)[cohort.pk])
    context = {"cohort": cohort, "size": size, "everyone": len(everyone)}
    return _render("cohort_figures", context | {"share": numbers.share(size, len(everyone))})


def cohort_syncs(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return the latest syncs as a table."""
    syncs = _latest_syncs(cohort)
    may_open = request.user.has_perm("cohorts.view_cohortsync")
    return _render("cohort_syncs", {"cohort": cohort, "rows": _rows(syncs), "may_open": may_open})


def cohort_unmatched(_request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return whom the latest sync named without reaching anybody."""
    of_partner = cohort.syncs.exclude(action=CohortSync.Action.HELD)
    latest = of_partner.only("unmatched_sample").order_by("-id").first()
    rows = admin_syncs.sample(latest.unmatched_sample[:SAMPLE_ROWS]) if latest else []
    return _render(
        "cohort_unmatched", {"sync": latest, "sample": rows, "days": settings.UNMATCHED_SAMPLE_DAYS}
    )


def cohort_facts(_request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return what the partner says of the cohort."""
    return _render("cohort_facts", {"cohort": cohort, "partner": admin_cells.partner_name(cohort.partner)})


# --- a sync --------------------------------------------------------------------------------------------------
def sync_facts(_request: HttpRequest, sync: CohortSync) -> SafeString:
    """Return what the sync is, and how far it came."""
    context = {
        "sync": sync,
        "status": admin_cells.status(None, sync),
        "missing": admin_syncs.missing_pages(sync),
    }
    return _render("sync_facts", context | {"pages": admin_cells.pages_in_words(sync)})


def sync_counts(_request: HttpRequest, sync: Any) -> SafeString:
    """Return how its members fared, and what it changed."""
    admin_syncs.settle([sync])
    repeats = admin_syncs.repeated_count(sync)
    return _render("sync_counts", {"sync": sync, "repeats": repeats, "hint": admin_cells.settles_later(sync)})


def sync_unmatched(_request: HttpRequest, sync: CohortSync) -> SafeString:
    """Return the sample of members that nobody here is."""
    rows = admin_syncs.sample(sync.unmatched_sample)
    return _render("sync_unmatched", {"sync": sync, "sample": rows, "days": settings.UNMATCHED_SAMPLE_DAYS})


# --- a user --------------------------------------------------------------------------------------------------
def cohorts_of_user(request: HttpRequest, profile: Profile) -> SafeString:
    """Return the cohorts a user is in and since when, all looked at at once."""
    if not request.user.has_perm("cohorts.view_cohort"):
        return SafeString()
    cohorts = (
        Cohort.objects.filter(workspace=profile.workspace_id).only("partner", "name").order_by("name", "id")
    )
    by_id = {cohort.pk: cohort for cohort in cohorts}
    stays = membership_history.since(profile_id=profile.pk, cohort_ids=list(by_id))
    mine = [
        (cohort, admin_cells.partner_name(cohort.partner), stays[cohort_id].entered_at)
        for cohort_id, cohort in by_id.items()
        if cohort_id in stays
    ]
    return _render("cohorts_of_user", {"rows": mine[:MAX_COHORTS], "more": max(len(mine) - MAX_COHORTS, 0)})


def _latest_syncs(cohort: Cohort) -> list[CohortSync]:
    return list(cohort.syncs.defer("pages", "unmatched_sample").order_by("-id")[:LATEST_SYNCS])


def _rows(syncs: list[CohortSync]) -> list[dict[str, Any]]:
    admin_syncs.settle(syncs)
    return [
        {
            "sync": sync,
            "status": admin_cells.status(None, sync),
            "pages": admin_cells.pages_in_words(sync),
            "reasons": admin_syncs.reasons_in_words(sync),
            "hint": admin_cells.settles_later(sync),
        }
        for sync in syncs
    ]


def _render(template: str, context: dict[str, Any]) -> SafeString:
    return render_to_string(f"cohorts/{template}.html", context)
