"""Custom events: what users did, how often, when first and when last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from profiles import changes, predicates
from profiles.predicates import Sql
from profiles.selection import Query, Table
from segments.filters import operators
from segments.filters.kinds import Asked, Filter, Kind, Known, Operator, Subject
from segments.filters.sources import Selects
from segments.filters.values_measured import DAYS, TIMES, Day

COUNT, FIRST, LAST = Sql("e.count"), Sql("e.first_at"), Sql("e.last_at")
EVER, NEVER = Sql("TRUE"), Sql("FALSE")


def _did(event: str, condition: Sql, *, is_not: bool = False) -> Selects:
    """Return who did something, and how. Who never did it is among the others."""
    query = Query(condition.text, condition.params, Table.EVENTS, changes.Kind.EVENTS, event)
    return Selects((query,), is_not=is_not)


def _at_least(asked: Asked) -> Selects:
    if not asked.value:  # everybody did it no times or more
        return _did(asked.subject, NEVER, is_not=True)
    return _did(asked.subject, predicates.compared(COUNT, ">=", asked.value))


def _at_most(asked: Asked) -> Selects:
    return _did(asked.subject, predicates.compared(COUNT, ">", asked.value), is_not=True)


def _exactly(asked: Asked) -> Selects:
    if not asked.value:
        return _did(asked.subject, EVER, is_not=True)
    return _did(asked.subject, predicates.compared(COUNT, "=", asked.value))


def _when(moment: Sql, condition: str) -> Callable[[Asked], Selects]:
    return lambda asked: _did(asked.subject, operators.TIME_CONDITIONS[condition](moment, asked))


# Whole sentences, so that they can be translated as such.
_FIRST_TEXTS = {
    "before": (_("first done before"), _("first did {filter} before {value}")),
    "after": (_("first done after"), _("first did {filter} after {value}")),
    "in_last_days": (_("first done in the last … days"), _("first did {filter} in the last {value}")),
    "more_than_days_ago": (
        _("first done more than … days ago"),
        _("first did {filter} more than {value} ago"),
    ),
}
_LAST_TEXTS = {
    "before": (_("last done before"), _("last did {filter} before {value}")),
    "after": (_("last done after"), _("last did {filter} after {value}")),
    "in_last_days": (_("last done in the last … days"), _("last did {filter} in the last {value}")),
    "more_than_days_ago": (
        _("last done more than … days ago"),
        _("last did {filter} more than {value} ago"),
    ),
}


def _times(prefix: str, moment: Sql, texts: dict[str, tuple[Any, Any]]) -> Iterator[Operator]:
    for condition, (name, sentence) in texts.items():
        value = DAYS if condition.endswith(("_days", "_ago")) else Day()
        yield Operator(f"{prefix}_{condition}", name, sentence, _when(moment, condition), value)


def _how_often(known: Known, filter_: Filter) -> str:
    event = known.events.get(filter_.subject)
    if event is None:
        return gettext("never")
    text = ngettext("{count} time, last on {day}", "{count} times, last on {day}", event.count)
    day = date_format(event.last_at.astimezone(UTC), "DATE_FORMAT")
    return text.format(count=number_format(event.count, force_grouping=True), day=day)


EVENT = Kind(
    "custom_event",
    _("Custom event"),
    _("What users did, how often, and when. Days begin at midnight UTC."),
    (
        Operator("has_done", _("has done"), _("has done {filter}"), lambda asked: _did(asked.subject, EVER)),
        Operator(
            "has_not_done",
            _("has not done"),
            _("has not done {filter}"),
            lambda asked: _did(asked.subject, EVER, is_not=True),
        ),
        Operator("at_least", _("done at least"), _("has done {filter} at least {value}"), _at_least, TIMES),
        Operator("at_most", _("done at most"), _("has done {filter} at most {value}"), _at_most, TIMES),
        Operator("exactly", _("done exactly"), _("has done {filter} exactly {value}"), _exactly, TIMES),
        *_times("first", FIRST, _FIRST_TEXTS),
        *_times("last", LAST, _LAST_TEXTS),
    ),
    _how_often,
    asks=Subject(_("Event"), _("Choose or type an event"), _("Name an event.")),
)

TITLE = _("Custom events")
KINDS: tuple[Kind, ...] = (EVENT,)
