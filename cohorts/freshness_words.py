"""How fresh a cohort is, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from cohorts.freshness import Freshness, State

_BEGINNING = datetime(2001, 1, 1, tzinfo=UTC)


def every(expected: timedelta) -> str:
    """Return an interval as `20 minutes` or `1 hour, 30 minutes`: machines are a second early or late."""
    minutes = round(expected / timedelta(minutes=1))
    return timesince(_BEGINNING, _BEGINNING + timedelta(minutes=minutes))


def explained(it: Freshness) -> str:
    """Return why a cohort is in its state: what is expected of it, and since when that did not come."""
    known = {
        "interval": every(it.expected) if it.expected else "",
        "since": date_format(localtime(it.since), "DATETIME_FORMAT") if it.since else "",
    }
    return _sentences()[it.state].format(**known)


def _sentences() -> dict[State, str]:
    return {
        State.FRESH: _("Syncs come as often as expected. Interval: {interval}"),
        State.LATE: _("Late since {since}: no sync came for twice the expected interval of {interval}"),
        State.STALE: _(
            "Out of date since {since}: no sync came for four times the expected interval of {interval}"
        ),
        State.ONE_TIME: _("The partner sent this cohort once, or now and then by hand: it is never late"),
        State.NEVER: _("The partner named this cohort and has not sent its members yet"),
        State.OFF: _("Its syncs are not accepted: the integration is off, or the cohort was deleted here"),
    }
