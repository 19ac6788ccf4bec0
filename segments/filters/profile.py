"""What is known of every user: who they are, where they live, since when they are here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, timedelta
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.days import day_of
from profiles import matching, predicates
from profiles.models import Profile
from profiles.predicates import Sql, column
from profiles.selection import Table
from segments.filters import operators
from segments.filters.kinds import Asked, Filter, Kind, Known, Operator, Subject
from segments.filters.sources import Selects, where
from segments.filters.values import quoted
from segments.filters.values_measured import Day, Number, Range

MAX_AGE = 130


# --- texts -------------------------------------------------------------------------------------------------
def _of(name: str) -> Callable[[Any], Sql]:
    return lambda _subject: column(name)


def _filled(name: str) -> Callable[[Any], Sql]:
    return lambda _subject: predicates.filled(column(name))


def _value_of(name: str) -> Callable[[Known, Filter], str]:
    return lambda known, _filter: str(getattr(known.profile, name) or "")


def _text(name: str, title: Any, explanation: Any, *, is_short: bool = False) -> Kind:
    """Return the filter of a column of texts; a short one has few values, which are offered."""
    asked = operators.choices(_of(name), suggests=True) if is_short else operators.texts(_of(name))
    more = operators.blanks(_filled(name))
    return Kind(name, title, explanation, (*asked, *more), _value_of(name))


EXTERNAL_ID = _text("external_id", _("External ID"), _("The ID that identifies a user in your own systems."))
EMAIL = _text("email", _("Email"), _("The email address, exactly as it is stored."))
PHONE = _text("phone", _("Phone"), _("The phone number, exactly as it is stored."))
FIRST_NAME = _text("first_name", _("First name"), _("The first name. Upper and lower case differ."))
LAST_NAME = _text("last_name", _("Last name"), _("The last name. Upper and lower case differ."))
COUNTRY = _text("country", _("Country"), _("The country, as it was sent."), is_short=True)
LANGUAGE = _text("language", _("Language"), _("The language, as it was sent."), is_short=True)
TIME_ZONE = _text("time_zone", _("Time zone"), _("The time zone, like Europe/Paris."), is_short=True)
HOME_CITY = _text("home_city", _("Home city"), _("The city where a user lives."), is_short=True)


def _gender(known: Known, _filter: Filter) -> str:
    return known.profile.get_gender_display()


GENDER = Kind(
    "gender",
    _("Gender"),
    _("The gender, if it is known."),
    (*operators.choices(_of("gender"), Profile.Gender.choices), *operators.blanks(_filled("gender"))),
    _gender,
)


# --- times -------------------------------------------------------------------------------------------------
def _present(name: str) -> Callable[[Any], Sql]:
    return lambda _subject: predicates.present(column(name))


def _moment_of(name: str) -> Callable[[Known, Filter], str]:
    def told(known: Known, _filter: Filter) -> str:
        moment = getattr(known.profile, name)
        return date_format(moment.astimezone(UTC), "DATETIME_FORMAT") if moment else ""

    return told


CREATED_AT = Kind(
    "created_at",
    _("Created at"),
    _("When Rollcall first heard of a user. Days begin at midnight UTC."),
    operators.times(_of("created_at")),
    _moment_of("created_at"),
)
LAST_SEEN = Kind(
    "last_seen",
    _("Last seen"),
    _("When a user’s last session was. Days begin at midnight UTC."),
    (*operators.times(_of("last_session_at")), *operators.blanks(_present("last_session_at"))),
    _moment_of("last_session_at"),
)


def _birthday(condition: str, days: int) -> Callable[[Asked], Selects]:
    def select(asked: Asked) -> Selects:
        day = asked.value + timedelta(days=days)
        return where(predicates.compared(column("date_of_birth"), condition, day))

    return select


def _born(known: Known, _filter: Filter) -> str:
    day = known.profile.date_of_birth
    return date_format(day, "DATE_FORMAT") if day else ""


DATE_OF_BIRTH = Kind(
    "date_of_birth",
    _("Date of birth"),
    _("The day a user was born."),
    (
        Operator("before", _("is before"), _("{filter} is before {value}"), _birthday("<", 0), Day()),
        Operator("after", _("is after"), _("{filter} is after {value}"), _birthday(">=", 1), Day()),
        Operator("on", _("is on"), _("{filter} is on {value}"), _birthday("=", 0), Day()),
        *operators.blanks(_present("date_of_birth")),
    ),
    _born,
)


# --- age ---------------------------------------------------------------------------------------------------
def _at_least(asked: Asked, years: float) -> Sql:
    """Return who has turned so many years: they were born on that day, so many years ago, or before it."""
    born = predicates.years_before(asked.today, int(years))
    return predicates.compared(column("date_of_birth"), "<=", born)


def _younger_than(asked: Asked, years: float) -> Sql:
    born = predicates.years_before(asked.today, int(years))
    return predicates.compared(column("date_of_birth"), ">", born)


def _years(known: Known, _filter: Filter) -> str:
    born = known.profile.date_of_birth
    return number_format(age(born, day_of(known.now))) if born else ""


def age(born: date, today: date) -> int:
    """Return how many years old somebody is. Who was born on 29 February is a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


_AGE = Number(0, MAX_AGE, is_whole=True, unit="years")
AGE = Kind(
    "age",
    _("Age"),
    _("The age in years, from the date of birth. Users without one are never selected."),
    (
        Operator(
            "at_least",
            _("is at least"),
            _("{filter} is at least {value}"),
            lambda asked: where(_at_least(asked, asked.value)),
            _AGE,
        ),
        Operator(
            "under",
            _("is under"),
            _("{filter} is under {value}"),
            lambda asked: where(_younger_than(asked, asked.value)),
            _AGE,
        ),
        Operator(
            "between",
            _("is between"),
            _("{filter} is between {value}"),
            lambda asked: where(
                predicates.both(_at_least(asked, asked.value[0]), _younger_than(asked, asked.value[1] + 1))
            ),
            Range(_AGE),
        ),
    ),
    _years,
)


# --- identity ----------------------------------------------------------------------------------------------
def _is_identified(*, is_not: bool) -> Callable[[Asked], Selects]:
    return lambda _asked: where(predicates.present(column("external_id")), is_not=is_not)


def _identified(known: Known, _filter: Filter) -> str:
    return gettext("identified") if known.profile.external_id else gettext("anonymous")


IDENTITY = Kind(
    "identity",
    _("Identified or anonymous"),
    _("Identified users have an external ID, anonymous ones have none."),
    (
        Operator("identified", _("is identified"), _("is identified"), _is_identified(is_not=False)),
        Operator("anonymous", _("is anonymous"), _("is anonymous"), _is_identified(is_not=True)),
    ),
    _identified,
)


def _keys(*prefixes: str) -> Sql:
    """Return the identifiers whose keys begin so. A prefix ends with a colon, after which a semicolon follows."""
    text = " OR ".join("(i.key >= %s AND i.key < %s)" for _prefix in prefixes)
    return Sql(text, tuple(bound for prefix in prefixes for bound in (prefix, f"{prefix[:-1]};")))


def _has_alias(*, is_not: bool) -> Callable[[Asked], Selects]:
    def select(asked: Asked) -> Selects:
        return where(_keys(matching.alias_key(asked.subject, "")), is_not=is_not, table=Table.IDENTIFIERS)

    return select


def _aliases(known: Known, filter_: Filter) -> str:
    aliases = [matching.alias_of(key) for key in known.keys if key.startswith("a:")]
    return ", ".join(quoted(name) for label, name in aliases if label == filter_.subject)


ALIAS = Kind(
    "alias",
    _("Alias"),
    _("Users who have an alias of a certain label."),
    (
        Operator("has", _("has one"), _("has an alias of the label {filter}"), _has_alias(is_not=False)),
        Operator("has_not", _("has none"), _("has no alias of the label {filter}"), _has_alias(is_not=True)),
    ),
    _aliases,
    asks=Subject(_("Label"), _("Choose or type a label"), _("Name the alias’s label.")),
)


def _has_device(*, is_not: bool) -> Callable[[Asked], Selects]:
    return lambda _asked: where(_keys("d:", "i:"), is_not=is_not, table=Table.IDENTIFIERS)


def _devices(known: Known, _filter: Filter) -> str:
    return number_format(sum(key.startswith(("d:", "i:")) for key in known.keys))


DEVICE = Kind(
    "device",
    _("Device"),
    _("Users of whom a device is known."),
    (
        Operator("has", _("has one"), _("has a device"), _has_device(is_not=False)),
        Operator("has_not", _("has none"), _("has no device"), _has_device(is_not=True)),
    ),
    _devices,
)

TITLE = _("Profile")
KINDS: tuple[Kind, ...] = (
    EXTERNAL_ID,
    EMAIL,
    PHONE,
    FIRST_NAME,
    LAST_NAME,
    COUNTRY,
    LANGUAGE,
    TIME_ZONE,
    HOME_CITY,
    GENDER,
    DATE_OF_BIRTH,
    AGE,
    CREATED_AT,
    LAST_SEEN,
    IDENTITY,
    ALIAS,
    DEVICE,
)
