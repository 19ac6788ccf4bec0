"""Values that are numbers: one, or a range of them, with their units. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from segments.filters.values import Json, Names, ValueFaultError, a_list, all_of

MAX_NUMBER = 10**15
MAX_DAYS = 3_650


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
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
            raise ValueFaultError(_("The value must be a number."))
        if self.is_whole and raw != int(raw):
            raise ValueFaultError(_("The value must be a whole number."))
        least, most = self._bounds()
        if not least <= raw <= most:
            message = _("The value must be from {least} to {most}.")
            raise ValueFaultError(message.format(least=number_format(least), most=number_format(most)))
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
        items = [self.of.read(item) for item in a_list(raw)]
        if len(items) > 2:  # noqa: PLR2004
            raise ValueFaultError(_("The value must be two numbers."))
        if len(items) < 2 or None in items:  # noqa: PLR2004
            return None
        lower, upper = items
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
