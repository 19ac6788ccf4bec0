"""A user's timeline in words and pictures: figures, one chart of all events, a line for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from profiles import admin_chart, numbers
from profiles.timeline import DAYS, Happening, Timeline

MAX_ROWS = 100
CHART_HEIGHT, SPARK_HEIGHT = 120, 24
CENTS = 2


class Row(NamedTuple):
    """An event or a purchase of a user, with its bars of the last days."""

    happening: Happening
    times: str
    quantity: str
    revenue: str
    spark: str
    recent: str


def in_words(timeline: Timeline) -> dict[str, Any]:
    """Return what the template of a user's events shows."""
    shown = [_row(happening) for happening in timeline.happenings[:MAX_ROWS]]
    return {
        "events": [row for row in shown if not row.happening.is_purchase],
        "purchases": [row for row in shown if row.happening.is_purchase],
        "chart": _chart(timeline),
        "revenue": [_money(amount, currency) for currency, amount in timeline.revenue.items()],
        "is_cut": timeline.is_cut or len(timeline.happenings) > MAX_ROWS,
        "limit": MAX_ROWS,
    }


def _row(happening: Happening) -> Row:
    return Row(
        happening,
        times=numbers.count(happening.count),
        quantity=numbers.count(happening.quantity),
        revenue=_money(happening.revenue, happening.currency),
        spark=admin_chart.bars(happening.per_day, height=SPARK_HEIGHT),
        recent=numbers.count(happening.recent_count),
    )


def _chart(timeline: Timeline) -> dict[str, Any]:
    per_day = timeline.per_day
    active = [(day, count) for day, count in zip(timeline.days, per_day, strict=False) if count]
    return {
        "title": _("Events per day, last 90 days"),
        "note": _("Days in UTC"),
        "columns": [_("Events")],
        "path": admin_chart.bars(per_day, height=CHART_HEIGHT),
        "width": DAYS * admin_chart.WIDTH,
        "height": CHART_HEIGHT,
        "spark_height": SPARK_HEIGHT,
        "days": [(day, [(_("Events"), numbers.count(count))]) for day, count in reversed(active)],
        "first": timeline.days[0],
        "last": timeline.days[-1],
        "most": numbers.count(max(per_day, default=0)),
        "summary": _summary(active),
    }


def _summary(active: Sequence[tuple[date, int]]) -> str:
    """Return the chart in one sentence."""
    if not active:
        return _("Nothing in the last {days} days.").format(days=DAYS)
    total = sum(count for _day, count in active)
    # The latest of the busiest days.
    busiest, most = max(reversed(active), key=lambda it: it[1])
    text = ngettext(
        "{total} event on {active} of the last {days} days. Busiest: {busiest}, with {most}.",
        "{total} events on {active} of the last {days} days. Busiest: {busiest}, with {most}.",
        total,
    )
    return text.format(
        total=numbers.count(total),
        days=DAYS,
        active=len(active),
        busiest=date_format(busiest, "DATE_FORMAT"),
        most=numbers.count(most),
    )


def _money(amount: Decimal, currency: str) -> str:
    """Return `1,234.50 EUR`: to the cent, finer only if there are fractions of it."""
    digits = CENTS if amount == round(amount, CENTS) else None
    number = number_format(
        amount.normalize() if digits is None else amount, digits, use_l10n=True, force_grouping=True
    )
    return f"{number} {currency}"
