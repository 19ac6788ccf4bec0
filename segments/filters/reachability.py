"""Whether a user can be reached by a channel, and wants to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from profiles import predicates
from profiles.models import Profile
from profiles.predicates import Sql, column
from profiles.selection import Query
from segments.filters import operators
from segments.filters.kinds import Asked, Filter, Kind, Known, Operator
from segments.filters.sources import Selects, where

HAS_EMAIL = predicates.filled(column("email"))


def has_push_token() -> Sql:
    """Return whether a user has a push token."""
    return Sql(
        "p.push_tokens <> '[]'::jsonb" if connection.vendor == "postgresql" else "p.push_tokens <> '[]'"
    )


def _wants(name: str) -> Sql:
    """Return whether a user has not said no to a channel: who said nothing may be asked."""
    return Sql(f"p.{name} <> %s", (Profile.Subscription.UNSUBSCRIBED.value,))


def reachable_by_email() -> Query:
    """Return who has an email address and did not unsubscribe."""
    both = predicates.both(HAS_EMAIL, _wants("email_subscribe"))
    return Query(where=both.text, params=both.params)


def reachable_by_push() -> Query:
    """Return who has a push token and did not unsubscribe."""
    both = predicates.both(has_push_token(), _wants("push_subscribe"))
    return Query(where=both.text, params=both.params)


def _subscription(name: str, title: Any, explanation: Any) -> Kind:
    of: Callable[[Any], Sql] = lambda _subject: column(name)  # noqa: E731 - its type is the point
    blank = operators.blanks(lambda _subject: predicates.filled(column(name)))
    offered = operators.choices(of, Profile.Subscription.choices)
    return Kind(name, title, explanation, (*offered, *blank), _state(name))


def _state(name: str) -> Callable[[Known, Filter], str]:
    return lambda known, _filter: str(getattr(known.profile, f"get_{name}_display")())


def _has(condition: Callable[[], Sql], *, is_not: bool) -> Callable[[Asked], Selects]:
    return lambda _asked: where(condition(), is_not=is_not)


EMAIL_SUBSCRIPTION = _subscription(
    "email_subscribe",
    _("Email subscription"),
    _("Whether users opted in to emails, are subscribed, or unsubscribed."),
)
PUSH_SUBSCRIPTION = _subscription(
    "push_subscribe",
    _("Push subscription"),
    _("Whether users opted in to push messages, are subscribed, or unsubscribed."),
)
EMAIL_ADDRESS = Kind(
    "email_address",
    _("Email address"),
    _("Whether there is an email address to write to."),
    (
        Operator("has", _("has one"), _("has an email address"), _has(lambda: HAS_EMAIL, is_not=False)),
        Operator("has_not", _("has none"), _("has no email address"), _has(lambda: HAS_EMAIL, is_not=True)),
    ),
    lambda known, _filter: known.profile.email,
)
PUSH_TOKEN = Kind(
    "push_token",
    _("Push token"),
    _("Whether there is an app on a device that push messages can be sent to."),
    (
        Operator("has", _("has one"), _("has a push token"), _has(has_push_token, is_not=False)),
        Operator("has_not", _("has none"), _("has no push token"), _has(has_push_token, is_not=True)),
    ),
    lambda known, _filter: gettext("has one") if known.profile.push_tokens else gettext("has none"),
)

TITLE = _("Reachability")
KINDS: tuple[Kind, ...] = (EMAIL_SUBSCRIPTION, PUSH_SUBSCRIPTION, EMAIL_ADDRESS, PUSH_TOKEN)
