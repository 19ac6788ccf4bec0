"""What a user did, day by day: the window of days, and what is added up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from profiles import events, timeline
from profiles.events import Kind, Occurrence
from tests.profiles.factories import ProfileFactory

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


def did(profile, name, *ago, kind=Kind.CUSTOM, currency="", quantity=0, revenue="0"):
    """Let a user do something so many days ago, once each."""
    events.record(
        workspace_id=profile.workspace_id,
        occurrences=[
            Occurrence(
                profile.pk, kind, name, currency, NOW - timedelta(days=n), 1, quantity, Decimal(revenue)
            )
            for n in ago
        ],
        now=NOW,
    )


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create()


def test_days_are_the_last_ninety_with_today_last(ada):
    did(ada, "opened", 0, 0, 1, 89, 90, 400)
    found = timeline.of(profile=ada, now=NOW)
    assert (found.days[0], found.days[-1], len(found.days)) == (date(2026, 8, 25), date(2026, 11, 22), 90)
    (opened,) = found.happenings
    assert (opened.per_day[0], opened.per_day[-2], opened.per_day[-1]) == (1, 1, 2)
    assert (opened.recent_count, opened.count) == (4, 6)
    assert opened.first_at == NOW - timedelta(days=400)


def test_days_are_those_of_utc(ada):
    did(ada, "opened", 0)
    lisbon = NOW.astimezone()
    assert timeline.of(profile=ada, now=lisbon).per_day[-1] == 1


def test_events_add_up_per_day_and_what_was_done_last_comes_first(ada):
    did(ada, "opened", 3, 2)
    did(ada, "closed", 2)
    found = timeline.of(profile=ada, now=NOW)
    assert sorted(it.name for it in found.happenings) == ["closed", "opened"]
    assert found.per_day[-4:] == [1, 2, 0, 0]
    did(ada, "returned", 1)
    assert timeline.of(profile=ada, now=NOW).happenings[0].name == "returned"


def test_revenue_adds_up_by_currency_and_of_purchases_only(ada):
    did(ada, "opened", 1)
    for name, currency, revenue in [("tea", "EUR", "9.99"), ("cake", "EUR", "0.01"), ("tea", "USD", "5")]:
        did(ada, name, 1, kind=Kind.PURCHASE, currency=currency, quantity=2, revenue=revenue)
    found = timeline.of(profile=ada, now=NOW)
    assert found.revenue == {"EUR": Decimal(10), "USD": Decimal(5)}
    assert [it.is_purchase for it in found.happenings].count(True) == 3


def test_nobody_else_is_in_it(ada):
    did(ProfileFactory.create(), "opened", 1)
    found = timeline.of(profile=ada, now=NOW)
    assert (found.happenings, found.revenue, found.is_cut) == ([], {}, False)
    assert found.per_day == [0] * 90


def test_very_many_names_are_cut_and_said_to_be(ada, monkeypatch):
    monkeypatch.setattr(timeline, "MAX_NAMES", 2)
    for number in range(3):
        did(ada, f"event-{number}", 10 - number)
    found = timeline.of(profile=ada, now=NOW)
    assert [it.name for it in found.happenings] == ["event-2", "event-1"]
    assert found.is_cut


def test_timeline_is_one_query_whatever_was_done(ada, django_assert_num_queries):
    for number in range(20):
        did(ada, f"event-{number}", 1)
    with django_assert_num_queries(1):
        timeline.of(profile=ada, now=NOW)
