"""What the value of a filter may be where it is measured: numbers and days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from segments.filters.values import Json, Names, ValueFaultError, all_of, items

MAX_NUMBER = 10**15
MAX_DAYS = 3_650
FIRST_YEAR, LAST_YEAR = 1_800, 2_200


@dataclass(frozen=True)
class Number(Json):
    """A number; `unit` is "days", "times", "years" or nothing."""

    least: int | None = None
    most: int | None = None
    is_whole: bool = False
    unit: str = ""

    def read(self, raw: Any) -> int | float | None:
        """Return the number."""
        if raw in (None, ""):
            return None
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise ValueFaultError(_("The value must be a number."))
        least, most = self._bounds()
        if not least <= raw <= most:
            message = _("The value must be from {least} to {most}.")
            raise ValueFaultError(message.format(least=number_format(least), most=number_format(most)))
        if self.is_whole and raw != int(raw):
            raise ValueFaultError(_("The value must be a whole number."))
        return int(raw) if raw == int(raw) else raw

    def tell(self, value: float, names: Names) -> str:
        """Return `30 days`."""
        number = number_format(value, force_grouping=True)
        return _with_unit(value, number, self.unit)

    def widget(self) -> dict[str, Any]:
        """Return a field."""
        least, most = self._bounds()
        bounds = {"min": least, "max": most, "is_whole": self.is_whole, "unit": self.unit}
        return {"widget": "number", **bounds, "label": _("Number")}

    def _bounds(self) -> tuple[int, int]:
        return (
            -MAX_NUMBER if self.least is None else self.least,
            MAX_NUMBER if self.most is None else self.most,
        )


@dataclass(frozen=True)
class Range(Json):
    """Two numbers, both included."""

    of: Number

    def read(self, raw: Any) -> tuple[float, float] | None:
        """Return the lower and the upper number."""
        numbers = [self.of.read(item) for item in items(raw)]
        if len(numbers) > 2:  # noqa: PLR2004
            raise ValueFaultError(_("The value must be two numbers."))
        if len(numbers) < 2 or None in numbers:  # noqa: PLR2004
            return None
        lower, upper = numbers
        if lower > upper:  # type: ignore[operator]
            raise ValueFaultError(_("The first number must not be above the second."))
        return lower, upper  # type: ignore[return-value]

    def tell(self, value: tuple[float, float], names: Names) -> str:
        """Return `0 and 999`."""
        lower, upper = value
        return all_of([number_format(lower, force_grouping=True), self.of.tell(upper, names)])

    def widget(self) -> dict[str, Any]:
        """Return two fields."""
        return {**self.of.widget(), "widget": "range", "labels": [_("From"), _("To")]}


class Day(Json):
    """A day (UTC)."""

    @property
    def missing(self) -> str:
        """Return what to choose."""
        return _("Choose a date.")

    def read(self, raw: Any) -> date | None:
        """Return the day."""
        if raw in (None, ""):
            return None
        try:
            day = date.fromisoformat(raw)
        except (TypeError, ValueError) as error:
            raise ValueFaultError(_("The value must be a date, like 2026-01-31.")) from error
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            message = _("The year must be from {first} to {last}.")
            raise ValueFaultError(message.format(first=FIRST_YEAR, last=LAST_YEAR))
        return day

    def dump(self, value: date | None) -> str | None:
        """Return `2026-01-31`."""
        return value.isoformat() if value else None

    def tell(self, value: date, names: Names) -> str:
        """Return the date as the language writes it."""
        return date_format(value, "DATE_FORMAT")

    def widget(self) -> dict[str, Any]:
        """Return a field."""
        return {"widget": "date", "label": _("Date")}


DAYS = Number(1, MAX_DAYS, is_whole=True, unit="days")
TIMES = Number(0, 10**9, is_whole=True, unit="times")


def _with_unit(value: float, number: str, unit: str) -> str:
    count = int(value) if value == int(value) else 2
    texts = {
        "days": ngettext("{number} day", "{number} days", count),
        "times": ngettext("{number} time", "{number} times", count),
        "years": ngettext("{number} year", "{number} years", count),
    }
    return texts.get(unit, "{number}").format(number=number)
