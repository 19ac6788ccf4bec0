"""The two charts of a cohort's page, drawn and in words: its size by day, and who entered and left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cohorts.history import Day
from profiles import admin_chart, numbers

HEIGHT = 120


def size(days: Sequence[Day], *, window: int) -> dict[str, Any]:
    """Return the chart of the size at the end of each day, for `rollcall/days_chart.html`."""
    sizes = [0] * (window - len(days)) + [it.size for it in days]
    return {
        **_frame(days, window),
        "id": "size-chart",
        "title": _("Users in this cohort by day, last {days} days").format(days=window),
        "columns": [_("Users")],
        "path": admin_chart.bars(sizes, height=HEIGHT),
        "most": numbers.count(max(sizes, default=0)),
        "days": [(it.day, [(_("Users"), numbers.count(it.size))]) for it in reversed(days)],
        "summary": _size_in_words(days),
    }


def moves(days: Sequence[Day], *, window: int) -> dict[str, Any]:
    """Return the chart of those who entered, above a line, and who left, below it."""
    before = [0] * (window - len(days))
    entered, left = ([*before, *counts] for counts in ([it.entered for it in days], [it.left for it in days]))
    above, below, zero = admin_chart.both_ways(entered, left, height=HEIGHT)
    busy = [it for it in reversed(days) if it.entered or it.left]
    return {
        **_frame(days, window),
        "id": "moves-chart",
        "title": _("Users who entered and left by day, last {days} days").format(days=window),
        "columns": [_("Entered"), _("Left")],
        "path": above,
        "below": below,
        "zero": zero,
        "most": numbers.count(max(entered, default=0)),
        "days": [(it.day, _moves_of(it)) for it in busy],
        "summary": _moves_in_words(days),
    }


def _frame(days: Sequence[Day], window: int) -> dict[str, Any]:
    return {
        "note": _("Days in UTC"),
        "width": window * admin_chart.WIDTH,
        "height": HEIGHT,
        "last": days[-1].day,
        "first": days[-1].day - timedelta(days=window - 1),
    }


def _moves_of(day: Day) -> list[tuple[str, str]]:
    return [(_("Entered"), numbers.count(day.entered)), (_("Left"), numbers.count(day.left))]


def _size_in_words(days: Sequence[Day]) -> str:
    """Return the chart in one sentence."""
    first, last = days[0], days[-1]
    parts = [_("{users} now").format(users=numbers.users(last.size))]
    if first != last:
        change = numbers.difference(last.size - first.size)
        parts.append(_("{difference} since {day}").format(difference=change, day=_in_words(first)))
    largest = max(days, key=lambda it: (it.size, it.day))
    if largest.size:
        most = numbers.count(largest.size)
        parts.append(_("most: {count} on {day}").format(count=most, day=_in_words(largest)))
    return " · ".join(parts)


def _moves_in_words(days: Sequence[Day]) -> str:
    entered, left = sum(it.entered for it in days), sum(it.left for it in days)
    if not entered and not left:
        return _("Nobody entered or left in these days.")
    return _("{entered} entered and {left} left in these days.").format(
        entered=numbers.users(entered), left=numbers.count(left)
    )


def _in_words(day: Day) -> str:
    return date_format(day.day, "DATE_FORMAT")
