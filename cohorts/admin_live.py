"""What changes on the pages of a cohort and of a sync while pages come in: as HTML by place, asked for again and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import JsonResponse
from django.template.loader import render_to_string

from cohorts import admin_cells, admin_syncs
from cohorts.models import Cohort, CohortSync

LATEST_SYNCS = 10


def latest_syncs(cohort: Cohort) -> list[CohortSync]:
    """Return the syncs that a cohort's page lists; with the pages seen, to tell which are missing."""
    return list(cohort.syncs.defer("unmatched_sample").order_by("-id")[:LATEST_SYNCS])


def of_cohort(cohort: Cohort, *, may_open: bool, now: datetime) -> JsonResponse:
    """Return the rows of the table of syncs as they are now."""
    syncs = latest_syncs(cohort)
    return _answer(syncs, {"rows": rows(syncs, may_open=may_open)}, now)


def of_sync(sync: CohortSync, *, now: datetime) -> JsonResponse:
    """Return the parts of a sync's page as they are now."""
    return _answer([sync], parts(sync), now)


def rows(syncs: Sequence[Any], *, may_open: bool) -> str:
    """Return syncs as rows of a table."""
    admin_syncs.settle(syncs)
    shown = [
        {
            "sync": sync,
            "status": admin_cells.status(None, sync),
            "pages": admin_cells.pages_in_words(sync),
            "percent": admin_syncs.percent(sync),
            "missing": admin_syncs.missing_pages(sync),
            "given_up_at": admin_syncs.given_up_at(sync),
            "reasons": admin_syncs.reasons_in_words(sync),
            "hint": admin_cells.settles_later(sync),
            "duration": admin_syncs.duration(sync),
        }
        for sync in syncs
    ]
    return render_to_string("cohorts/cohort_sync_rows.html", {"rows": shown, "may_open": may_open})


def parts(sync: Any) -> dict[str, str]:
    """Return the parts of a sync's page that change while it runs."""
    admin_syncs.settle([sync])
    context = {
        "sync": sync,
        "pages": admin_cells.pages_in_words(sync),
        "percent": admin_syncs.percent(sync),
        "missing": admin_syncs.missing_pages(sync),
        "given_up_at": admin_syncs.given_up_at(sync),
        "duration": admin_syncs.duration(sync),
        "repeats": admin_syncs.repeated_count(sync),
        "rate": admin_syncs.match_rate(sync),
        "hint": admin_cells.settles_later(sync),
    }
    places = ("progress", "counts")
    found = {place: render_to_string(f"cohorts/sync_{place}.html", context) for place in places}
    return {"status": admin_cells.status(None, sync), **found}


def _answer(syncs: Sequence[CohortSync], found: dict[str, str], now: datetime) -> JsonResponse:
    running = [sync for sync in syncs if admin_syncs.is_active(sync, now=now)]
    first = next(iter(running or syncs), None)
    return JsonResponse(
        {
            "is_active": bool(running),
            "percent": admin_syncs.percent(first) if first else 0,
            "words": first.get_status_display() if first else "",
            "parts": found,
        }
    )
