"""Allotments: how many data points a workspace means to use in a period, and how it stands. Never stops an import.

Days are days of UTC, as those of data points. A workspace without an allotment is counted by calendar months.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from accounts import audit, usage
from accounts.days import day_of
from accounts.models import Allotment, User, Workspace

MONTHS = {Allotment.Period.MONTH: 1, Allotment.Period.QUARTER: 3, Allotment.Period.YEAR: 12}
PACE_DAYS = 28  # whole weeks, so that no weekday counts more than another
WARNING_PERCENT = 80
DAY = timedelta(days=1)
_SOME_FIRST_DAY = date(2000, 1, 1)
_MONTHS_A_YEAR = 12


class Period(NamedTuple):
    """The days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Standing:
    """How a workspace stands in its current period.

    `pace` is the average a day of the last `pace_days` whole days: PACE_DAYS, or as many as the workspace has seen;
    on its first day what has come so far. `projected` is what the period will end with at that pace.
    """

    allotment: Allotment | None
    period: Period
    used: int
    pace: int
    pace_days: int
    projected: int

    @property
    def limit(self) -> int:
        """The data points of the allotment; 0 without one."""
        return self.allotment.data_points if self.allotment else 0

    @property
    def percent(self) -> int:
        """The whole percents of the allotment that are used; 0 without one."""
        return 100 * self.used // self.limit if self.limit else 0

    @property
    def is_past(self) -> bool:
        """Whether all of the allotment is used."""
        return bool(self.limit) and self.used >= self.limit

    @property
    def will_be_past(self) -> bool:
        """Whether the period will end with more than the allotment, at this pace."""
        return bool(self.limit) and self.projected > self.limit

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look at it: much is used, or will be too much."""
        return self.percent >= WARNING_PERCENT or self.will_be_past


def period_at(*, allotment: Allotment | None, day: date) -> Period:
    """Return the period that a day is in. Periods follow each other without a gap, before the first one too.

    One that begins on the 31st begins on the last day of months that are shorter.
    """
    first, step = (
        (allotment.starts_on, MONTHS[Allotment.Period(allotment.period)])
        if allotment
        else (_SOME_FIRST_DAY, MONTHS[Allotment.Period.MONTH])
    )
    months = (day.year - first.year) * _MONTHS_A_YEAR + day.month - first.month
    number = months // step
    if _later(first, number * step) > day:
        number -= 1
    return Period(_later(first, number * step), _later(first, (number + 1) * step) - DAY)


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + months, _MONTHS_A_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def of(*, workspace: Workspace) -> Allotment | None:
    """Return the allotment of a workspace, if it has one; a workspace that knows it already is not asked again."""
    return getattr(workspace, "allotment", None)


def standing(*, workspace: Workspace, now: datetime) -> Standing:
    """Return how a workspace stands in the period that `now` is in. Two queries."""
    allotment, today = of(workspace=workspace), day_of(now)
    period = period_at(allotment=allotment, day=today)
    since = min(period.first, today - PACE_DAYS * DAY)
    per_day = usage.per_day(workspace_id=workspace.pk, since=since, until=today)
    totals = {day: sum(sources.values()) for day, sources in per_day.items()}
    used = sum(count for day, count in totals.items() if day >= period.first)
    pace_days = _days_seen(totals, born=day_of(workspace.created_at), today=today)
    pace = _pace(totals, since=today - pace_days * DAY, today=today)
    projected = used + pace * (period.last - today).days
    return Standing(allotment, period, used, round(pace), pace_days, round(projected))


def _days_seen(totals: Mapping[date, int], *, born: date, today: date) -> int:
    """Return how many whole days a workspace has seen, PACE_DAYS at most; its first one counts as such."""
    return min((today - min([born, *totals])).days, PACE_DAYS)


def _pace(totals: Mapping[date, int], *, since: date, today: date) -> float:
    if since == today:
        return totals.get(today, 0)
    return sum(count for day, count in totals.items() if since <= day < today) / (today - since).days


def change(
    *,
    workspace: Workspace,
    data_points: int | None,
    period: str,
    starts_on: date,
    by: User,
    address: str | None = None,
    now: datetime,
) -> None:
    """Give a workspace an allotment, or take it away (`data_points` is None). Owns its transaction."""
    given = {"data_points": data_points, "period": period, "starts_on": starts_on}
    with transaction.atomic():
        if data_points is None:
            Allotment.objects.filter(workspace=workspace).delete()
        else:
            Allotment.objects.update_or_create(workspace=workspace, defaults=given)
        audit.record(
            workspace_id=workspace.pk,
            action=audit.Action.ALLOTMENT_CHANGED,
            subject="allotment",
            actor=by,
            address=address,
            detail={**given, "starts_on": starts_on.isoformat()} if data_points else {},
            now=now,
        )
    workspace.refresh_from_db()  # it knew the former one
