"""Custom attributes of every type. One that is a number for some and a text for others is handled by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from profiles import predicates
from segments.filters import operators
from segments.filters.kinds import Asked, Filter, Kind, Known, Operator, Subject
from segments.filters.sources import Selects, where
from segments.filters.values import Texts

TEXT, NUMBER, BOOLEAN, TIME, LIST = "text", "number", "boolean", "time", "list"


def type_of(value: Any) -> str:
    """Return the type of a custom attribute's value; blank for one that no operator asks for."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, dict):
        return TIME if value.keys() == {"$time"} else ""
    types: dict[type, str] = {str: TEXT, int: NUMBER, float: NUMBER, list: LIST}
    return types.get(type(value), "")


def _is(value: bool) -> Callable[[Asked], Selects]:
    return lambda asked: where(predicates.equal(predicates.attribute_boolean(asked.subject), value))


def _list(*, is_not: bool) -> Callable[[Asked], Selects]:
    return lambda asked: where(predicates.attribute_list_has(asked.subject, asked.value), is_not=is_not)


def _list_of_all(asked: Asked) -> Selects:
    each = [where(predicates.attribute_list_has(asked.subject, [value])) for value in asked.value]
    return Selects(tuple(source for one in each for source in one.sources), is_all=True)


def _own_value(known: Known, filter_: Filter) -> str:
    value = known.profile.custom_attributes.get(filter_.subject)
    if isinstance(value, bool):
        return gettext("true") if value else gettext("false")
    if isinstance(value, int | float):
        return number_format(value, force_grouping=True)
    if type_of(value) == TIME:
        return str(value["$time"])
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


ATTRIBUTE = Kind(
    "custom_attribute",
    _("Custom attribute"),
    _("Anything your own systems or an import said of users. Upper and lower case differ."),
    (
        *operators.texts(predicates.attribute_text, suggests=True, types=(TEXT,), prefix="text_"),
        *operators.numbers(predicates.attribute_number, types=(NUMBER,), prefix="number_"),
        Operator("is_true", _("is true"), _("{filter} is true"), _is(True), types=(BOOLEAN,)),
        Operator("is_false", _("is false"), _("{filter} is false"), _is(False), types=(BOOLEAN,)),
        *operators.times(predicates.attribute_time, types=(TIME,), prefix="time_"),
        Operator(
            "list_includes",
            _("includes any of"),
            _("{filter} includes {value}"),
            _list(is_not=False),
            Texts(suggests=True),
            (LIST,),
        ),
        Operator(
            "list_includes_all_of",
            _("includes all of"),
            _("{filter} includes all of {value}"),
            _list_of_all,
            Texts(suggests=True, is_all=True),
            (LIST,),
        ),
        Operator(
            "list_does_not_include",
            _("includes none of"),
            _("{filter} does not include {value}"),
            _list(is_not=True),
            Texts(suggests=True),
            (LIST,),
        ),
        *operators.blanks(predicates.attribute_exists),
    ),
    _own_value,
    asks=Subject(_("Attribute"), _("Choose or type an attribute"), _("Name an attribute.")),
)

TITLE = _("Custom attributes")
KINDS: tuple[Kind, ...] = (ATTRIBUTE,)
