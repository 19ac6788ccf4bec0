"""Users over time, identified and anonymous, as a chart in layers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.days import day_of
from accounts.models import Workspace
from profiles import admin_layers, numbers, people_counts
from profiles.models import PeopleCount

DAYS, MONTH = 90, 30


def chart(*, workspace: Workspace, now: datetime) -> dict[str, Any]:
    """Return the chart of the last DAYS days. One query."""
    today = day_of(now)
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    kept = people_counts.by_day(workspace=workspace, since=days[0])
    newest = kept[max(kept)] if kept else PeopleCount()
    counts = {
        _("Identified"): [kept[day].identified_count if day in kept else 0 for day in days],
        _("Anonymous"): [kept[day].anonymous_count if day in kept else 0 for day in days],
    }
    drawn = admin_layers.chart(
        id="people",
        title=_("Users by day, last {days} days").format(days=DAYS),
        summary=_in_one_sentence(kept),
        days=days,
        counts=counts,
        totals=[newest.identified_count or 0, newest.anonymous_count or 0],
    )
    return drawn if len(kept) > 1 else {**drawn, "path": ""}


def _in_one_sentence(kept: Mapping[date, PeopleCount]) -> str:
    if not kept:
        return _("Nothing is noted yet. Users are counted every hour.")
    last, totals = max(kept), {day: it.identified_count + it.anonymous_count for day, it in kept.items()}
    parts = [
        _("{users} on {day}").format(users=numbers.users(totals[last]), day=date_format(last, "DATE_FORMAT")),
        _("{share} of them identified").format(
            share=numbers.share(kept[last].identified_count, totals[last])
        ),
    ]
    if len(kept) == 1:
        return _("{counts}. The chart begins with the second day.").format(counts=" · ".join(parts))
    if (before := totals.get(last - timedelta(days=MONTH))) is not None:
        change = numbers.difference(totals[last] - before)
        parts.append(_("{difference} in {days} days").format(difference=change, days=MONTH))
    return " · ".join(parts)
