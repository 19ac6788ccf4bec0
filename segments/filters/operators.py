"""What can be asked of a text, a number and a time, whatever it is that holds them. `of` gives its SQL by subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from profiles import patterns, predicates
from profiles.predicates import Sql
from segments.filters.kinds import Asked, Operator, start_of
from segments.filters.sources import Selects, where
from segments.filters.values import Text, Texts, Value, ValueFaultError
from segments.filters.values_measured import DAYS, Day, Number, Range

Of = Callable[[Any], Sql]
Condition = Callable[[Sql, Any], Sql]


class Pattern(Text):
    """A regular expression that both databases read alike."""

    def read(self, raw: Any) -> str | None:
        """Return the pattern."""
        text = super().read(raw)
        try:
            if text:
                patterns.portable(text)
        except patterns.PatternError as error:
            raise ValueFaultError(str(error)) from error
        return text


def _asks(of: Of, condition: Condition, *, is_not: bool = False) -> Callable[[Asked], Selects]:
    def select(asked: Asked) -> Selects:
        return where(condition(of(asked.subject), asked.value), is_not=is_not)

    return select


def texts(of: Of, *, suggests: bool = False, types: tuple[str, ...] = (), prefix: str = "") -> list[Operator]:
    """Return the operators of a text. Case-sensitive; whoever has no text is among those who do not match."""
    one, several = Text(suggests), Texts(suggests=suggests)
    rows: Sequence[tuple[str, Any, Any, Value, Condition, bool]] = [
        ("is", _("is"), _("{filter} is {value}"), one, predicates.equal, False),
        ("is_not", _("is not"), _("{filter} is not {value}"), one, predicates.equal, True),
        ("is_one_of", _("is one of"), _("{filter} is {value}"), several, _one_of, False),
        ("is_none_of", _("is none of"), _("{filter} is not {value}"), several, _one_of, True),
        ("contains", _("contains"), _("{filter} contains {value}"), one, predicates.containing, False),
        (
            "does_not_contain",
            _("does not contain"),
            _("{filter} does not contain {value}"),
            one,
            predicates.containing,
            True,
        ),
        ("starts_with", _("starts with"), _("{filter} starts with {value}"), one, predicates.starting, False),
        ("ends_with", _("ends with"), _("{filter} ends with {value}"), one, predicates.ending, False),
        ("matches", _("matches regex"), _("{filter} matches the regex {value}"), Pattern(), _matching, False),
    ]
    return [
        Operator(f"{prefix}{code}", name, sentence, _asks(of, condition, is_not=is_not), value, types)
        for code, name, sentence, value, condition, is_not in rows
    ]


def _one_of(text: Sql, values: tuple[str, ...]) -> Sql:
    return predicates.equal(text, *values)


def _matching(text: Sql, pattern: str) -> Sql:
    return predicates.matching(text, patterns.portable(pattern))


def blanks(is_there: Callable[[Any], Sql]) -> list[Operator]:
    """Return the operators that ask whether there is anything at all."""
    return [
        Operator(
            "is_blank",
            _("is blank"),
            _("{filter} is blank"),
            lambda asked: where(is_there(asked.subject), is_not=True),
        ),
        Operator(
            "is_not_blank",
            _("is not blank"),
            _("{filter} is not blank"),
            lambda asked: where(is_there(asked.subject)),
        ),
    ]


def choices(of: Of, offered: Sequence[tuple[str, Any]] = (), *, suggests: bool = False) -> list[Operator]:
    """Return the operators of a text of which there are few."""
    value = Texts(choices=offered, suggests=suggests)
    return [
        Operator("is_one_of", _("is one of"), _("{filter} is {value}"), _asks(of, _one_of), value),
        Operator(
            "is_none_of",
            _("is none of"),
            _("{filter} is not {value}"),
            _asks(of, _one_of, is_not=True),
            value,
        ),
    ]


# --- numbers -----------------------------------------------------------------------------------------------
def numbers(
    of: Of, *, value: Number | None = None, types: tuple[str, ...] = (), prefix: str = ""
) -> list[Operator]:
    """Return the operators of a number."""
    one = value or Number()
    rows: Sequence[tuple[str, Any, Any, Value, Condition]] = [
        ("equals", _("is exactly"), _("{filter} is exactly {value}"), one, _compares("=")),
        ("above", _("is above"), _("{filter} is above {value}"), one, _compares(">")),
        ("below", _("is below"), _("{filter} is below {value}"), one, _compares("<")),
        ("between", _("is between"), _("{filter} is between {value}"), Range(one), _between),
    ]
    return [
        Operator(f"{prefix}{code}", name, sentence, _asks(of, condition), it, types)
        for code, name, sentence, it, condition in rows
    ]


def _compares(operator: str) -> Condition:
    return lambda number, value: predicates.compared(number, operator, value)


def _between(number: Sql, bounds: tuple[float, float]) -> Sql:
    return predicates.between(number, *bounds)


# --- times -------------------------------------------------------------------------------------------------
def times(of: Of, *, types: tuple[str, ...] = (), prefix: str = "") -> list[Operator]:
    """Return the operators of a time. Days begin at midnight UTC; whoever has no time is selected by none."""
    rows: Sequence[tuple[str, Any, Any, Value, Callable[[Sql, Asked], Sql]]] = [
        ("before", _("is before"), _("{filter} is before {value}"), Day(), _before),
        ("after", _("is after"), _("{filter} is after {value}"), Day(), _after),
        (
            "in_last_days",
            _("in the last … days"),
            _("{filter} is in the last {value}"),
            DAYS,
            _in_last_days,
        ),
        (
            "more_than_days_ago",
            _("more than … days ago"),
            _("{filter} is more than {value} ago"),
            DAYS,
            _more_than_days_ago,
        ),
    ]
    return [
        Operator(f"{prefix}{code}", name, sentence, of_time(of, condition), value, types)
        for code, name, sentence, value, condition in rows
    ]


def of_time(of: Of, condition: Callable[[Sql, Asked], Sql]) -> Callable[[Asked], Selects]:
    """Return what selects profiles by a condition on one of their times."""
    return lambda asked: where(condition(of(asked.subject), asked))


def _before(moment: Sql, asked: Asked) -> Sql:
    return predicates.compared(moment, "<", start_of(asked.value))


def _after(moment: Sql, asked: Asked) -> Sql:
    return predicates.compared(moment, ">=", start_of(asked.value + timedelta(days=1)))


def _in_last_days(moment: Sql, asked: Asked) -> Sql:
    """Today and the days before it; what is said to happen later is not in the past."""
    return predicates.both(
        predicates.compared(moment, ">=", start_of(asked.first_day)),
        predicates.compared(moment, "<", start_of(asked.today + timedelta(days=1))),
    )


def _more_than_days_ago(moment: Sql, asked: Asked) -> Sql:
    return predicates.compared(moment, "<", start_of(asked.first_day))


TIME_CONDITIONS = {
    "before": _before,
    "after": _after,
    "in_last_days": _in_last_days,
    "more_than_days_ago": _more_than_days_ago,
}
