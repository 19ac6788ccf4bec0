"""What stands below the builder on a segment's page: its size over time, channels, what uses it, its versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from profiles import admin_chart, numbers
from segments import audience, sizes, uses, wording
from segments.admin_words import difference, links
from segments.audience import Summary
from segments.models import Segment, SegmentSize, SegmentVersion

DAYS, WEEK, CHART_HEIGHT = 90, 7, 120
VERSIONS_SHOWN = 20


class Channel(NamedTuple):
    """A channel, how many users of the segment it reaches, and which share of them that is."""

    name: str
    reached: str
    share: str


def context(*, segment: Segment, now: datetime) -> dict[str, Any]:
    """Return what the templates of the page show."""
    (summary,) = audience.summaries(workspace=segment.workspace, segments=[segment], now=now)
    return {
        "chart": _chart(segment, summary, sizes.day_of(now)),
        "channels": _channels(summary),
        "reach": summary,
        "users": links(uses.of(segment=segment)),
        **_versions(segment),
    }


# --- size over time ------------------------------------------------------------------------------------------
def _chart(segment: Segment, summary: Summary, today: date) -> dict[str, Any]:
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    kept = sizes.by_day(segment_ids=[segment.pk], since=days[0])[segment.pk]
    counts = {day: size.total_count for day, size in kept.items()}
    if summary.size is not None:
        counts[today] = summary.size
    per_day = [counts.get(day, 0) for day in days]
    return {
        "title": _("Users in this segment by day, last {days} days").format(days=DAYS),
        "note": _("Days in UTC, gaps: not counted"),
        "columns": [_("Users"), _("Email"), _("Push")],
        "path": admin_chart.bars(per_day, height=CHART_HEIGHT) if len(counts) > 1 else "",
        "width": DAYS * admin_chart.WIDTH,
        "height": CHART_HEIGHT,
        "first": days[0],
        "last": today,
        "most": numbers.count(max(per_day)),
        "days": [(day, _cells(day, counts, kept, summary, today)) for day in reversed(days) if day in counts],
        "summary": _in_one_sentence(counts, today),
    }


def _cells(
    day: date, counts: dict[date, int], kept: dict[date, SegmentSize], summary: Summary, today: date
) -> list[tuple[str, str]]:
    is_now = day == today and summary.size is not None
    email = summary.email if is_now else kept[day].email_count
    push = summary.push if is_now else kept[day].push_count
    return [(_("Users"), numbers.count(counts[day])), (_("Email"), _known(email)), (_("Push"), _known(push))]


def _known(value: int | None) -> str:
    return "–" if value is None else numbers.count(value)


def _in_one_sentence(counts: dict[date, int], today: date) -> str:
    """Return the chart in words."""
    if today not in counts:
        return _("The size is not known: a filter needs attention.")
    if len(counts) == 1:
        return _(
            "{users} now. The size is noted every night and after each save; days appear here from the second on."
        ).format(users=numbers.users(counts[today]))
    parts = [_("{users} now").format(users=numbers.users(counts[today]))]
    if (before := counts.get(today - timedelta(days=WEEK))) is not None:
        parts.append(
            _("{difference} in {days} days").format(difference=difference(counts[today] - before), days=WEEK)
        )
    day, most = max(counts.items(), key=lambda it: (it[1], it[0]))
    parts.append(
        _("most on {day}: {count}").format(day=date_format(day, "DATE_FORMAT"), count=numbers.count(most))
    )
    return " · ".join(parts)


# --- channels ------------------------------------------------------------------------------------------------
def _channels(summary: Summary) -> list[Channel]:
    """Return how many users each channel reaches; nothing where that is not known."""
    known = [(_("Email"), summary.email), (_("Push"), summary.push)]
    return [
        Channel(name, numbers.count(count), numbers.share(count, summary.size))
        for name, count in known
        if count is not None and summary.size is not None
    ]


# --- versions ------------------------------------------------------------------------------------------------
def _versions(segment: Segment) -> dict[str, Any]:
    """Return the newest versions, each with its sentence."""
    found = segment.versions.select_related("saved_by").order_by("-number")[: VERSIONS_SHOWN + 1]
    shown: Sequence[SegmentVersion] = list(found)
    definitions = [version.definition for version in shown[:VERSIONS_SHOWN]]
    sentences = wording.sentences(workspace=segment.workspace, definitions=definitions)
    return {
        "versions": list(zip(shown, sentences, strict=False)),
        "are_more": len(shown) > VERSIONS_SHOWN,
        "newest": shown[0].number if shown else 0,
    }
