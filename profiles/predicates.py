"""What filters ask of a profile in SQL, in the words of the database in use.

An expression is a value of a profile: NULL where there is none, or where it is of another type. So an attribute that
is a number for some and a text for others is never an error: a condition on NULL holds for nobody. Texts compare
case-sensitively and byte by byte, as identifiers do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from profiles import changes, iso_times, patterns


@dataclass(frozen=True)
class Sql:
    """A piece of SQL, with `%s` for each of its parameters."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class AttributeText(Sql):
    """A custom attribute as text on PostgreSQL, whatever its type. Conditions look at its type last."""

    name: str = ""


@dataclass(frozen=True)
class AttributeTime(Sql):
    """A custom attribute that is a time on PostgreSQL: its text, and how it is compared as a time if need be."""


@dataclass(frozen=True)
class AttributeNumber(Sql):
    """A custom attribute that is a number on PostgreSQL, where conditions are paths: twice as fast as a cast."""

    name: str = ""


def column(name: str) -> Sql:
    """Return a column of profiles."""
    return Sql(f"p.{name}")


def _dialect(postgresql: str, sqlite: str) -> str:
    return postgresql if connection.vendor == "postgresql" else sqlite


# --- custom attributes -------------------------------------------------------------------------------------
_ELEMENT = "p.custom_attributes->%s"
# SQLite's paths cannot name every key, so the keys are looked through.
_EACH = "FROM json_each(p.custom_attributes) a WHERE a.key = %s AND a.type"


def attribute_text(name: str) -> Sql:
    """Return a custom attribute that is a text."""
    if connection.vendor == "postgresql":
        return AttributeText("p.custom_attributes->>%s", (name,), name)
    return Sql(f"(SELECT a.value {_EACH} = 'text')", (name,))


def attribute_number(name: str) -> Sql:
    """Return a custom attribute that is a number."""
    if connection.vendor == "postgresql":
        return AttributeNumber("", (), name)
    return Sql(f"(SELECT a.value {_EACH} IN ('integer', 'real'))", (name,))


def attribute_boolean(name: str) -> Sql:
    """Return a custom attribute that is true or false."""
    if connection.vendor == "postgresql":
        return AttributeText("", (), name)
    return Sql(f"(SELECT a.type = 'true' {_EACH} IN ('true', 'false'))", (name,))


def attribute_time(name: str) -> Sql:
    """Return a custom attribute that is a time, `{"$time": ...}`, as the database compares times."""
    if connection.vendor == "postgresql":
        return AttributeTime(f"({_ELEMENT}->>'$time')", (name,))
    stored = "json_extract(a.value, '$.\"$time\"')"
    return Sql(f"(SELECT {iso_times.FUNCTION}({stored}) {_EACH} = 'object')", (name,))


def attribute_exists(name: str) -> Sql:
    """Return whether there is a custom attribute of that name at all, a blank text excepted."""
    postgresql = f"coalesce({_ELEMENT}, '\"\"') NOT IN ('\"\"', 'null')"
    sqlite = f"EXISTS (SELECT 1 {_EACH} <> 'null' AND a.value IS NOT '')"
    return Sql(_dialect(postgresql, sqlite), (name,))


def attribute_list_has(name: str, values: Iterable[str]) -> Sql:
    """Return whether a custom attribute is a list that holds one of the texts."""
    wanted = tuple(values)
    places = ", ".join("%s" for _ in wanted)
    if connection.vendor == "postgresql":
        text = f"{_ELEMENT} ?| ARRAY[{places}]::text[] AND jsonb_typeof({_ELEMENT}) = 'array'"
        return Sql(text, (name, *wanted, name))
    # Only an array is opened: an object's values are no list.
    opened = "json_each(CASE WHEN a.type = 'array' THEN a.value ELSE '[]' END) e"
    text = (
        f"EXISTS (SELECT 1 FROM json_each(p.custom_attributes) a, {opened}"  # noqa: S608 - placeholders only
        f" WHERE a.key = %s AND e.type = 'text' AND e.value IN ({places}))"
    )
    return Sql(text, (name, *wanted))


# --- conditions --------------------------------------------------------------------------------------------
def equal(value: Sql, *others: Any) -> Sql:
    """Return whether a value is one of others."""
    if isinstance(value, AttributeText):
        held = tuple(json.dumps({value.name: other}) for other in others)
        return Sql(" OR ".join("p.custom_attributes @> %s::jsonb" for _ in held), held)
    return _typed(value, f"{value.text} IN ({', '.join('%s' for _ in others)})", *others)


def filled(text: Sql) -> Sql:
    """Return whether a text is not blank."""
    return _typed(text, f"{text.text} <> ''")


def present(value: Sql) -> Sql:
    """Return whether there is a value."""
    return Sql(f"{value.text} IS NOT NULL", value.params)


def containing(text: Sql, part: str) -> Sql:
    """Return whether a text holds a part."""
    return _typed(text, _dialect("strpos({}, %s) > 0", "instr({}, %s) > 0").format(text.text), part)


def starting(text: Sql, beginning: str) -> Sql:
    """Return whether a text begins with another."""
    if connection.vendor == "postgresql":
        return _typed(text, f"starts_with({text.text}, %s)", beginning)
    return _typed(text, f"substr({text.text}, 1, length(%s)) = %s", beginning, beginning)


def ending(text: Sql, end: str) -> Sql:
    """Return whether a text ends with another."""
    sql = _dialect("right({}, length(%s::text)) = %s", "substr({}, -length(%s)) = %s")
    return _typed(text, sql.format(text.text), end, end)


def matching(text: Sql, pattern: str) -> Sql:
    """Return whether a text matches a portable pattern."""
    if connection.vendor == "postgresql":
        return _typed(text, f"{text.text} ~ %s", pattern)
    return Sql(f"{patterns.FUNCTION}(%s, {text.text})", (pattern, *text.params))


def compared(value: Sql, operator: str, other: Any) -> Sql:
    """Return how a number, date or time compares: `operator` is one of < <= > >= =."""
    if isinstance(value, AttributeNumber):
        return _path(value, [(operator, other)])
    if isinstance(value, AttributeTime):
        return _compared_time(value, operator, other)
    bound = changes.stamp(other) if isinstance(other, datetime) else other
    return Sql(f"{value.text} {operator} %s", (*value.params, bound))


def _compared_time(value: AttributeTime, operator: str, bound: datetime) -> Sql:
    """Return how a custom attribute compares to a whole second.

    Nearly all are written as `2026-01-31T09:30:00Z`, which sort as texts: a cast takes twice as long. Others are cast
    if PostgreSQL can read them, which it cannot what Python reads as the day of a week.
    """
    text = f"""
        CASE WHEN {value.text} LIKE '____-__-__T__:__:__Z' THEN {value.text} COLLATE "C" {operator} %s
        WHEN {value.text} ~ '{iso_times.PATTERN}' THEN {value.text}::timestamptz {operator} %s END
    """
    own, told = value.params, bound.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Sql(text, (*own, *own, told, *own, *own, bound))


def between(value: Sql, least: Any, most: Any) -> Sql:
    """Return whether a number is between two others, these included."""
    if isinstance(value, AttributeNumber):
        return _path(value, [(">=", least), ("<=", most)])
    return Sql(f"{value.text} BETWEEN %s AND %s", (*value.params, least, most))


def _typed(value: Sql, condition: str, *params: Any) -> Sql:
    """Return a condition on a value, which may be of another type than it looks."""
    if isinstance(value, AttributeText):
        is_text = f" AND jsonb_typeof({_ELEMENT}) = 'string'"
        return Sql(condition + is_text, (*value.params, *params, value.name))
    return Sql(condition, (*value.params, *params))


def _path(value: AttributeNumber, bounds: Iterable[tuple[str, Any]]) -> Sql:
    """Return a condition on a number as a path. In strict mode nothing else compares, and nothing raises."""
    attribute = f"$.{json.dumps(value.name)}"
    equals = {"=": "=="}
    conditions = (f"{attribute} {equals.get(operator, operator)} {number}" for operator, number in bounds)
    return Sql("p.custom_attributes @@ %s::jsonpath", (f"strict {' && '.join(conditions)}",))


def years_before(day: date, years: int) -> date:
    """Return the day so many years before, on which somebody was born who reaches that age on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February, in a year that has none
        return day.replace(year=day.year - years, day=28)


def both(*conditions: Sql) -> Sql:
    """Return whether all conditions hold."""
    text = " AND ".join(f"({condition.text})" for condition in conditions)
    return Sql(text, tuple(param for condition in conditions for param in condition.params))


# --- random bucket -----------------------------------------------------------------------------------------
BUCKETS = 10_000
# x -> x^5 is a permutation of the numbers below this prime, 2^31 - 1; all steps stay below 2^63.
_PRIME, _FACTOR, _SHIFT = 2_147_483_647, 1_103_515_245, 12_345


def bucket(profile_id: int) -> int:
    """Return the random bucket of a profile, 0 to 9,999: the same for ever, whatever happens to the others."""
    mixed: int = pow((profile_id * _FACTOR + _SHIFT) % _PRIME, 5, _PRIME)
    return mixed * BUCKETS // _PRIME


def bucket_sql() -> Sql:
    """Return the same in SQL, which both databases read alike."""
    wide = _dialect("p.id::bigint", "p.id")
    x = f"(({wide} * {_FACTOR} + {_SHIFT}) %% {_PRIME})"
    square = f"({x} * {x} %% {_PRIME})"
    fifth = f"(({square} * {square} %% {_PRIME}) * {x} %% {_PRIME})"
    return Sql(f"({fifth} * {BUCKETS} / {_PRIME})")
