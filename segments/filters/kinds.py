"""What a filter is made of: its name, help and operators, each with its value, its sentence and whom it selects.

A filter of the catalogue is a `Kind`, written down in one module beside this one. In a definition it is

    {"type": "custom_attribute", "subject": "plan", "operator": "text_is", "value": "plus"}

with a subject only if the kind has one, and a value only if the operator takes one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.days import day_of
from cohorts.models import Cohort
from profiles.models import CustomEvent, Profile
from segments.filters.sources import Selects
from segments.filters.values import Names, Nothing, Value, ValueFaultError, quoted

MAX_SUBJECT = 255


@dataclass(frozen=True)
class Asked:
    """What is asked of users: about which subject, which value, and on which day."""

    subject: Any
    value: Any
    now: datetime

    @property
    def today(self) -> date:
        """The day. All days of Rollcall are those of UTC: of data points, of events, of sizes."""
        return day_of(self.now)

    @property
    def first_day(self) -> date:
        """The first of the last `value` days, today among them.

        Days count whole: an answer holds until midnight, and "in the last 7 days" does not depend on the hour.
        """
        return self.today - timedelta(days=self.value - 1)


def start_of(day: date) -> datetime:
    """Return the midnight with which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What is known of one user, to say why a filter selects them or does not."""

    profile: Profile
    keys: Sequence[str]
    events: Mapping[str, CustomEvent]
    cohort_ids: Collection[int]
    segment_ids: Collection[int]
    names: Names
    now: datetime


@dataclass(frozen=True)
class There:
    """What a workspace has that filters may mention: partner and name of cohorts by id, names of segments by id."""

    cohorts: Mapping[int, Cohort]
    segments: Mapping[int, str]

    @property
    def names(self) -> Names:
        """The names, for sentences."""
        return Names({pk: cohort.name for pk, cohort in self.cohorts.items()}, self.segments)


@dataclass(frozen=True, eq=False)
class Operator:
    """What may be asked. `sentence` has `{filter}` and `{value}`; `types` are those of custom attributes."""

    code: str
    name: Any
    sentence: Any
    select: Callable[[Asked], Selects]
    value: Value = field(default_factory=Nothing)
    types: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Subject:
    """What a kind asks about: which of all attributes, events, aliases, cohorts."""

    label: Any
    placeholder: Any
    missing: Any

    def read(self, raw: Any) -> Any:
        """Return the subject, None if it is still to be chosen. Raises ValueFaultError."""
        if raw in (None, ""):
            return None
        if not isinstance(raw, str) or "\x00" in raw or any("\ud800" <= it <= "\udfff" for it in raw):
            raise ValueFaultError(str(self.missing))
        if len(raw) > MAX_SUBJECT:
            raise ValueFaultError(_("The name has {limit} characters at most.").format(limit=MAX_SUBJECT))
        return raw

    def widget(self) -> dict[str, Any]:
        """Return how the builder asks for it: a field with suggestions."""
        asks = {"label": str(self.label), "placeholder": str(self.placeholder)}
        return {**asks, "choices": None, "is_free": True}


@dataclass(frozen=True, eq=False)
class Kind:
    """A filter of the catalogue. `known` says a user's own value in words; blank if there is none."""

    type: str
    name: Any
    help: Any
    operators: Sequence[Operator]
    known: Callable[[Known, Filter], str]
    asks: Subject | None = None

    def operator(self, code: Any) -> Operator | None:
        """Return the operator of a code; None if there is none."""
        return next((operator for operator in self.operators if operator.code == code), None)

    def title(self, subject: Any, names: Names) -> str:
        """Return what the filter is called in a sentence."""
        return quoted(str(subject)) if self.asks else str(self.name)

    def faults(self, filter_: Filter, there: There) -> Mapping[str, str]:
        """Return what is wrong with things a filter mentions, by the field of its node: they are gone, say."""
        return {}


@dataclass(frozen=True)
class Filter:
    """A leaf of a definition. Without a value, or without a subject where one is asked for, it is unfinished."""

    kind: Kind
    operator: Operator
    subject: Any = None
    value: Any = None

    @property
    def is_finished(self) -> bool:
        """Whether it says something: an unfinished filter selects nobody and joins with nothing."""
        return self.value is not None and (self.kind.asks is None or self.subject is not None)

    def selects(self, now: datetime) -> Selects:
        """Return whom a finished filter selects at a moment."""
        return self.operator.select(Asked(self.subject, self.value, now))

    def sentence(self, names: Names) -> str:
        """Return a finished filter in words."""
        value = self.operator.value.tell(self.value, names)
        return str(self.operator.sentence).format(filter=self.kind.title(self.subject, names), value=value)
