"""The standard attributes as people read them: grouped, named, and with values in words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from profiles import attributes, numbers
from profiles.models import Profile
from profiles.templatetags.moments import ago

GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (_("Person"), ("first_name", "last_name", "gender", "dob", "home_city")),
    (_("Contact"), ("email", "email_subscribe", "phone", "push_subscribe", "push_tokens")),
    (_("Region"), ("country", "language", "time_zone")),
    (_("Sessions"), ("date_of_first_session", "date_of_last_session")),
)


class Fact(NamedTuple):
    """An attribute's title and its value in words; "" for none."""

    title: str
    value: str


def groups(profile: Profile) -> list[tuple[Promise, list[Fact]]]:
    """Return the standard attributes of a profile, in the groups of its page."""
    return [(title, [Fact(name_of(it), _shown(profile, it)) for it in names]) for title, names in GROUPS]


def name_of(name: str) -> str:
    """Return the title of a standard attribute."""
    field = Profile._meta.get_field(attributes.STANDARD[name].column)  # noqa: SLF001
    return capfirst(str(field.verbose_name))  # type: ignore[union-attr]


def choices_of(name: str) -> list[tuple[str, str]]:
    """Return what a standard attribute may be, with its words; nothing if it may be any text."""
    field: Any = Profile._meta.get_field(attributes.STANDARD[name].column)  # noqa: SLF001
    return [(value, str(words)) for value, words in field.choices or ()]


def in_words(name: str, value: Any) -> str:
    """Return a column's value of a standard attribute in words; "" for none."""
    match value:
        case datetime():
            return ago(value)
        case date():
            return date_format(value, "DATE_FORMAT")
        case list():
            if not (count := len(value)):
                return ""
            return ngettext("{count} device", "{count} devices", count).format(count=numbers.count(count))
    return dict(choices_of(name)).get(value, value) or ""


def _shown(profile: Profile, name: str) -> str:
    return in_words(name, getattr(profile, attributes.STANDARD[name].column))
