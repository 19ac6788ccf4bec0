"""What one profile did, day by day: from the totals that `profiles/events.py` keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.days import day_of
from profiles.models import CustomEvent, EventName, Profile

DAYS = 90
MAX_NAMES = 1_000


@dataclass(frozen=True)
class Happening:
    """One thing a profile did: `per_day` is how often on each of the last DAYS days, the oldest first."""

    name: str
    currency: str
    is_purchase: bool
    count: int
    first_at: datetime
    last_at: datetime
    per_day: Sequence[int]
    quantity: int
    revenue: Decimal

    @property
    def recent_count(self) -> int:
        """How often in the last DAYS days."""
        return sum(self.per_day)


@dataclass(frozen=True)
class Timeline:
    """All that a profile did, what it did last first; the days (UTC) are those of `Happening.per_day`."""

    days: Sequence[date]
    happenings: Sequence[Happening]
    is_cut: bool

    @property
    def per_day(self) -> list[int]:
        """How many events of all kinds on each day."""
        return [sum(it.per_day[index] for it in self.happenings) for index in range(len(self.days))]

    @property
    def revenue(self) -> dict[str, Decimal]:
        """The revenue of all purchases, by currency."""
        totals: dict[str, Decimal] = {}
        for it in self.happenings:
            if it.is_purchase:
                totals[it.currency] = totals.get(it.currency, Decimal(0)) + it.revenue
        return dict(sorted(totals.items()))


def of(*, profile: Profile, now: datetime) -> Timeline:
    """Return what a profile did, in one query: the MAX_NAMES things it did last, if there are more."""
    today = day_of(now)
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    totals = CustomEvent.objects.filter(profile=profile, name__workspace=profile.workspace_id)
    rows = list(totals.select_related("name").order_by("-last_at", "name_id")[: MAX_NAMES + 1])
    happenings = [_happening(row, [day.isoformat() for day in days]) for row in rows[:MAX_NAMES]]
    return Timeline(days, happenings, is_cut=len(rows) > MAX_NAMES)


def _happening(row: CustomEvent, days: Sequence[str]) -> Happening:
    return Happening(
        name=row.name.name,
        currency=row.name.currency,
        is_purchase=row.name.kind == EventName.Kind.PURCHASE,
        count=row.count,
        first_at=row.first_at,
        last_at=row.last_at,
        per_day=[row.days.get(day, 0) for day in days],
        quantity=row.quantity,
        revenue=row.revenue,
    )
