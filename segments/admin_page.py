"""What stands below the builder on a segment's page: its size over time, channels, what uses it, its versions.

Sizes are those noted by `segments/sizes.py`: the builder itself counts anew, which no page has to wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.days import day_of
from profiles import admin_chart, admin_uses, numbers
from segments import silent_cohorts, sizes, uses, wording
from segments.admin_forms import SegmentForm
from segments.models import Segment, SegmentSize

DAYS, WEEK, CHART_HEIGHT = 90, 7, 120
VERSIONS_SHOWN = 20


class Channel(NamedTuple):
    """A channel, how many users of the segment it reaches, and which share of them that is."""

    name: str
    reached: str
    share: str


def context(*, segment: Segment, form: SegmentForm, now: datetime) -> dict[str, Any]:
    """Return what the templates of the page need beside the form."""
    more: dict[str, Any] = {
        "around": _around(segment, form, now),
        "silent_cohorts": silent_cohorts.of(workspace=segment.workspace, definition=form.shown, now=now),
        "show_delete": False,
    }  # there is a button above
    if form.conflict and set(form.errors) == {"seen_at"}:
        more["errors"] = None  # nothing below is to be corrected
    return more


def _around(segment: Segment, form: SegmentForm, now: datetime) -> dict[str, Any]:
    """Return what stands below the form, and give the form its words, looked up with those of the versions."""
    today = day_of(now)
    kept = sizes.by_day(segment_ids=[segment.pk], since=today - timedelta(days=DAYS - 1))[segment.pk]
    newest = kept[max(kept)] if kept else None
    return {
        "chart": _chart(kept, today),
        "newest_size": newest,
        "channels": _channels(newest) if newest else [],
        "users": admin_uses.links(uses.of(segment=segment)),
        **_versions(segment, form),
    }


# --- size over time ------------------------------------------------------------------------------------------
def _chart(kept: Mapping[date, SegmentSize], today: date) -> dict[str, Any]:
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    per_day = [kept[day].total_count if day in kept else 0 for day in days]
    return {
        "title": _("Users in this segment by day, last {days} days").format(days=DAYS),
        "note": _("Days in UTC"),
        "columns": [_("Users"), _("Email"), _("Push")],
        "path": admin_chart.bars(per_day, height=CHART_HEIGHT) if len(kept) > 1 else "",
        "width": DAYS * admin_chart.WIDTH,
        "height": CHART_HEIGHT,
        "first": days[0],
        "last": today,
        "most": numbers.count(max(per_day)),
        "days": [(day, _cells(kept[day])) for day in sorted(kept, reverse=True)],
        "summary": _in_one_sentence(kept),
    }


def _cells(size: SegmentSize) -> list[tuple[str, str]]:
    """Return the cells of one day, each with the heading that a phone shows beside it."""
    counts = {_("Users"): size.total_count, _("Email"): size.email_count, _("Push"): size.push_count}
    return [(label, numbers.count(count)) for label, count in counts.items()]


def _in_one_sentence(kept: Mapping[date, SegmentSize]) -> str:
    """Return the chart in words."""
    if not kept:
        return _("No size is noted yet. It is noted after each save and every night.")
    last, totals = max(kept), {day: size.total_count for day, size in kept.items()}
    parts = [_("{users} on {day}").format(users=numbers.users(totals[last]), day=_day(last))]
    if len(kept) == 1:
        return _("{size}. The chart begins with the second day.").format(size=parts[0])
    if (before := totals.get(last - timedelta(days=WEEK))) is not None:
        change = numbers.difference(totals[last] - before)
        parts.append(_("{difference} in {days} days").format(difference=change, days=WEEK))
    largest = max(totals, key=lambda day: (totals[day], day))
    parts.append(_("most: {count} on {day}").format(count=numbers.count(totals[largest]), day=_day(largest)))
    return " · ".join(parts)


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


# --- channels ------------------------------------------------------------------------------------------------
def _channels(size: SegmentSize) -> list[Channel]:
    reached = {_("Email"): size.email_count, _("Push"): size.push_count}
    return [
        Channel(name, numbers.count(count), numbers.share(count, size.total_count))
        for name, count in reached.items()
    ]


# --- versions ------------------------------------------------------------------------------------------------
def _versions(segment: Segment, form: SegmentForm) -> dict[str, Any]:
    """Return the newest versions, each with its sentence."""
    found = list(segment.versions.select_related("saved_by").order_by("-number")[: VERSIONS_SHOWN + 1])
    shown = found[:VERSIONS_SHOWN]
    definitions = [form.shown, *(version.definition for version in shown)]
    form.words, *words = wording.of(workspace=segment.workspace, definitions=definitions)
    return {
        "versions": [(version, it.sentence) for version, it in zip(shown, words, strict=True)],
        "are_more": len(found) > VERSIONS_SHOWN,
        "newest": shown[0].number if shown else 0,
    }
