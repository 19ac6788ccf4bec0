"""Where the data points of a workspace come from: a span of days as a chart, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import allotments, usage
from accounts.allotments import Period
from accounts.days import day_of
from accounts.models import DataPointUsage, Workspace
from profiles import admin_layers, csv_cells, numbers

Source = DataPointUsage.Source
PerDay = Mapping[date, Mapping[str, int]]
# More days than this are too thin to see as bars: they are put together to months.
MAX_BARS = 100


class Span(models.TextChoices):
    """The days to look at."""

    CURRENT = "current", gettext_lazy("This period")
    PREVIOUS = "previous", gettext_lazy("Previous period")
    YEAR = "year", gettext_lazy("Last 12 months")


def chart(*, workspace: Workspace, span: Span, now: datetime) -> dict[str, Any]:
    """Return the chart of a span: a bar a day, or a month if they are many, with a layer for each source."""
    period, per_day = _span(workspace, span, now)
    bars = (
        _months(per_day, period) if _is_long(period) else {day: per_day.get(day, {}) for day in _days(period)}
    )
    counts = {str(it.label): [sources.get(it, 0) for sources in bars.values()] for it in Source}
    totals = [sum(of_source) for of_source in counts.values()]
    more: dict[str, Any] = {"is_monthly": True, "day_format": "F Y", "axis_format": "F Y"}
    return admin_layers.chart(
        id="points",
        title=_("Data points by day and source"),
        summary=_summary(bars, period) if any(totals) else _("No data points in this time."),
        days=list(bars),
        counts=counts,
        totals=totals,
        **(more if _is_long(period) else {}),
    )


def csv_file(*, workspace: Workspace, span: Span, now: datetime) -> tuple[str, str]:
    """Return name and content of a CSV file: a line a day up to today, a column for each source, and the sum."""
    period, per_day = _span(workspace, span, now)
    lines = [csv_cells.line(["day", *Source.values, "total"])]
    for day in _days(Period(period.first, min(period.last, day_of(now)))):
        counts = [per_day.get(day, {}).get(source, 0) for source in Source]
        lines.append(csv_cells.line([day.isoformat(), *map(str, counts), str(sum(counts))]))
    return f"data-points-{period.first}-{period.last}.csv", "".join(lines)


def _span(workspace: Workspace, span: Span, now: datetime) -> tuple[Period, PerDay]:
    allotment, today = allotments.of(workspace=workspace), day_of(now)
    period = allotments.period_at(allotment=allotment, day=today)
    if span == Span.PREVIOUS:
        period = allotments.period_at(allotment=allotment, day=period.first - allotments.DAY)
    elif span == Span.YEAR:
        # From the first of the month after this one, a year ago: twelve months, of which this one is the last.
        next_month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
        period = Period(next_month.replace(year=next_month.year - 1), today)
    return period, usage.per_day(workspace_id=workspace.pk, since=period.first, until=period.last)


def _is_long(period: Period) -> bool:
    return (period.last - period.first).days >= MAX_BARS


def _days(period: Period) -> Sequence[date]:
    return [period.first + timedelta(days=ahead) for ahead in range((period.last - period.first).days + 1)]


def _months(per_day: PerDay, period: Period) -> dict[date, dict[str, int]]:
    months = groupby(_days(period), key=lambda day: day.replace(day=1))
    return {month: _sum([per_day.get(day, {}) for day in days]) for month, days in months}


def _sum(days: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {source: sum(counts.get(source, 0) for counts in days) for source in Source}


def _summary(bars: PerDay, period: Period) -> str:
    """Return the chart in one sentence."""
    totals = {day: sum(sources.values()) for day, sources in bars.items()}
    busiest = max(reversed(totals), key=lambda day: totals[day])
    return _("{total} from {first} to {last}. Most: {most} ({busiest}).").format(
        total=numbers.count(sum(totals.values())),
        first=date_format(period.first, "DATE_FORMAT"),
        last=date_format(period.last, "DATE_FORMAT"),
        most=numbers.count(totals[busiest]),
        busiest=date_format(busiest, "F Y" if _is_long(period) else "DATE_FORMAT"),
    )
