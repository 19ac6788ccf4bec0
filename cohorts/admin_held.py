"""The panel of held members on a cohort's page."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import Min
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.models import Integration
from cohorts.models import Cohort, HeldKey, HeldSet


def held_panel(_request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return how many members wait for a user, and since when; nothing where none do and none would."""
    holding = Integration.objects.filter(
        workspace=cohort.workspace_id, partner=cohort.partner, holds_unmatched=True
    )
    if cohort.ignored_at is not None or not holding.exists():
        return SafeString()
    held_set = HeldSet.objects.counting().filter(cohort=cohort, member_count__gt=0).first()
    context = {
        "count": held_set.member_count if held_set else 0,
        "oldest_at": _oldest(held_set) if held_set else None,
        "days": settings.HELD_MEMBER_DAYS,
        "limit": settings.HELD_MEMBERS_PER_COHORT,
    }
    return render_to_string("cohorts/held_panel.html", context)


def _oldest(held_set: HeldSet) -> datetime | None:
    keys = HeldKey.objects.filter(held_set=held_set, position=0)
    oldest: datetime | None = keys.aggregate(oldest=Min("held_at"))["oldest"]
    return oldest
