"""Evaluates definitions as a child would: a dictionary for each person, one filter after another.

The rules are those of the catalogue, written a second time without SQL and without bitmaps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from profiles.predicates import bucket


@dataclass
class Person:
    """All that is known of one person."""

    pk: int
    columns: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    events: dict[str, list[datetime]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    cohorts: set[int] = field(default_factory=set)


class World:
    """People, other segments by id, and the moment."""

    def __init__(
        self, people: list[Person], now: datetime, segments: dict[int, dict[str, Any]] | None = None
    ):
        self.people, self.now, self.segments = people, now, segments or {}

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    def members(self, definition: dict[str, Any]) -> set[int]:
        """Return who a definition selects."""
        return {person.pk for person in self.people if self.holds(definition["root"], person)}

    def holds(self, node: dict[str, Any], person: Person) -> bool:
        if node["type"] == "group":
            answers = [self.holds(child, person) for child in node["children"]]
            joined = any(answers) if node["operator"] == "or" else all(answers)
            return joined != node["exclude"]
        return bool(getattr(self, f"_{node['type']}", self._column)(person, **_parts(node)))

    # --- filters -------------------------------------------------------------------------------------------
    def _cohort(self, person, subject, operator, value):
        named = [it in person.cohorts for it in value]
        return {
            "includes": any(named),
            "does_not_include": not any(named),
            "includes_all_of": all(named),
        }[operator]

    def _segment(self, person, subject, operator, value):
        is_in = any(self.holds(self.segments[it]["root"], person) for it in value)
        return is_in == (operator == "in")

    def _random_bucket(self, person, subject, operator, value):
        return value[0] <= bucket(person.pk) <= value[1]

    def _column(self, person, subject, operator, value, type_):
        return _text(person.columns.get(type_) or "", operator, value)

    def _identity(self, person, subject, operator, value):
        return bool(person.columns.get("external_id")) == (operator == "identified")

    def _alias(self, person, subject, operator, value):
        return any(key.startswith(f"a:{subject}:") for key in person.keys) == (operator == "has")

    def _device(self, person, subject, operator, value):
        return any(key[:2] in ("d:", "i:") for key in person.keys) == (operator == "has")

    def _email_address(self, person, subject, operator, value):
        return bool(person.columns.get("email")) == (operator == "has")

    def _push_token(self, person, subject, operator, value):
        return bool(person.columns.get("push_tokens")) == (operator == "has")

    def _created_at(self, person, subject, operator, value):
        return self._time(person.columns["created_at"], operator, value)

    def _last_seen(self, person, subject, operator, value):
        moment = person.columns.get("last_session_at")
        if operator.endswith("blank"):
            return (moment is None) == (operator == "is_blank")
        return self._time(moment, operator, value)

    def _date_of_birth(self, person, subject, operator, value):
        born = person.columns.get("date_of_birth")
        if operator.endswith("blank"):
            return (born is None) == (operator == "is_blank")
        day = date.fromisoformat(value)
        return born is not None and {"before": born < day, "after": born > day, "on": born == day}[operator]

    def _age(self, person, subject, operator, value):
        born = person.columns.get("date_of_birth")
        if born is None:
            return False
        years = self.today.year - born.year
        if (self.today.month, self.today.day) < (born.month, born.day):
            years -= 1
        if operator == "between":
            return value[0] <= years <= value[1]
        return years >= value if operator == "at_least" else years < value

    def _custom_attribute(self, person, subject, operator, value):
        own = person.attributes.get(subject)
        if operator in ("is_blank", "is_not_blank"):
            return (own in (None, "")) == (operator == "is_blank")
        if operator in ("is_true", "is_false"):
            return own is (operator == "is_true")
        type_, _, asked = operator.partition("_")
        if type_ == "text":
            return _text(own if isinstance(own, str) else None, asked, value)
        if type_ == "number":
            return isinstance(own, int | float) and not isinstance(own, bool) and _number(own, asked, value)
        if type_ == "time":
            is_time = isinstance(own, dict)
            return is_time and self._time(datetime.fromisoformat(own["$time"]), asked, value)
        mine = set(own) if isinstance(own, list) else set()
        return {
            "includes": bool(mine & set(value)),
            "includes_all_of": set(value) <= mine,
            "does_not_include": not mine & set(value),
        }[asked]

    def _custom_event(self, person, subject, operator, value):
        times = person.events.get(subject, [])
        counts = {
            "has_done": bool(times),
            "has_not_done": not times,
            "at_least": len(times) >= value if operator == "at_least" else None,
            "at_most": len(times) <= value if operator == "at_most" else None,
            "exactly": len(times) == value if operator == "exactly" else None,
        }
        if operator in counts:
            return counts[operator]
        which, _, asked = operator.partition("_")
        if not times:
            return False
        return self._time(min(times) if which == "first" else max(times), asked, value)

    def _time(self, moment, operator, value):
        if moment is None:
            return False
        day = moment.astimezone(UTC).date()
        if operator in ("before", "after"):
            asked = date.fromisoformat(value)
            return day < asked if operator == "before" else day > asked
        first = self.today - timedelta(days=value - 1)
        return first <= day <= self.today if operator == "in_last_days" else day < first


def _parts(node):
    parts = {"subject": node.get("subject"), "operator": node["operator"], "value": node.get("value")}
    if not hasattr(World, f"_{node['type']}"):
        parts["type_"] = node["type"]
    return parts


def _text(own, operator, value):
    """Answer an operator of texts; `own` is None for whoever has no text."""
    if operator in ("is_blank", "is_not_blank"):
        return (not own) == (operator == "is_blank")
    has = own is not None
    return {
        "is": lambda: own == value,
        "is_not": lambda: own != value,
        "is_one_of": lambda: own in value,
        "is_none_of": lambda: own not in value,
        "contains": lambda: has and value in own,
        "does_not_contain": lambda: not (has and value in own),
        "starts_with": lambda: has and own.startswith(value),
        "ends_with": lambda: has and own.endswith(value),
        "matches": lambda: has and bool(re.search(value, own, re.DOTALL | re.ASCII)),
    }[operator]()


def _number(own, operator, value):
    return {
        "equals": lambda: own == value,
        "above": lambda: own > value,
        "below": lambda: own < value,
        "between": lambda: value[0] <= own <= value[1],
    }[operator]()
