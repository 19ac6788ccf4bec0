"""Totals of events: the same, however the events are split, ordered and repeated, as counted one by one in Python."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles import changes, events
from profiles.events import Kind, Occurrence
from profiles.models import CustomEvent, EventName
from tests.profiles.factories import ProfileFactory
from tests.profiles.questions import changed_since

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# Totals and mark go past Django's cursor on PostgreSQL.
WRITES = 0 if connection.vendor == "postgresql" else 2
FIRST_DAY = date(2026, 8, 24)


def at(profile_id: int, when: datetime, name: str = "Song Played", **more: Any) -> Occurrence:
    return Occurrence(profile_id, Kind.CUSTOM, name, "", when, **more)


def record(workspace, *occurrences: Occurrence, now: datetime = NOW) -> set[int]:
    with transaction.atomic():
        return set(events.record(workspace_id=workspace.pk, occurrences=occurrences, now=now))


def stored() -> dict[tuple[str, str, str, int], tuple[Any, ...]]:
    rows = CustomEvent.objects.select_related("name")
    return {
        (row.name.kind, row.name.name, row.name.currency, row.profile_id): (
            row.count,
            row.first_at,
            row.last_at,
            row.days,
            row.quantity,
            row.revenue,
        )
        for row in rows
    }


def counted(occurrences: Iterable[Occurrence]) -> dict[tuple[str, str, str, int], tuple[Any, ...]]:
    """The naive model: one event after the other."""
    totals: dict[tuple[str, str, str, int], list[Any]] = {}
    for it in occurrences:
        when = min(it.at, NOW)
        total = totals.setdefault(
            (it.kind, it.name, it.currency, it.profile_id), [0, when, when, {}, 0, Decimal(0)]
        )
        total[0] += it.count
        total[1:3] = [min(total[1], when), max(total[2], when)]
        if when.date() >= FIRST_DAY:
            total[3][str(when.date())] = total[3].get(str(when.date()), 0) + it.count
        total[4] += it.quantity
        total[5] += it.revenue
    return {key: tuple(total) for key, total in totals.items()}


LONG_AGO, LATER = datetime(2010, 1, 1), datetime(2027, 1, 1)  # noqa: DTZ001
RECENTLY = datetime(2026, 8, 20)  # noqa: DTZ001
MOMENTS = st.one_of(st.datetimes(since, LATER, timezones=st.just(UTC)) for since in (LONG_AGO, RECENTLY))
OCCURRENCES = st.builds(
    Occurrence,
    profile_id=st.integers(0, 2),
    kind=st.sampled_from([Kind.CUSTOM, Kind.PURCHASE]),
    name=st.sampled_from(["a", "A", "a ", "ä", "a\"'\\", "%s"]),
    currency=st.just(""),
    at=MOMENTS,
    count=st.integers(1, 5),
    quantity=st.integers(0, 100),
    revenue=st.decimals(-1000, 1000, places=4),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=st.lists(st.lists(OCCURRENCES, max_size=8), max_size=5))
def test_totals_are_those_of_counting_one_by_one(workspace, batches):
    CustomEvent.objects.all().delete()
    people = [profile.pk for profile in ProfileFactory.create_batch(3)]
    batches = [[it._replace(profile_id=people[it.profile_id]) for it in batch] for batch in batches]
    for batch in batches:
        assert record(workspace, *batch) == {it.profile_id for it in batch}
    assert stored() == counted(it for batch in batches for it in batch)


def test_days_that_are_over_go_when_a_new_one_comes(workspace):
    person = ProfileFactory.create().pk
    record(workspace, at(person, NOW - timedelta(days=90)), at(person, NOW - timedelta(days=89)))
    record(workspace, at(person, NOW + timedelta(days=1)), now=NOW + timedelta(days=1))
    assert CustomEvent.objects.get().days == {"2026-08-25": 1, "2026-11-23": 1}


def test_an_event_of_the_future_happens_now(workspace):
    record(workspace, at(ProfileFactory.create().pk, NOW + timedelta(days=400)))
    row = CustomEvent.objects.get()
    assert (row.first_at, row.last_at, row.days) == (NOW, NOW, {"2026-11-22": 1})


def test_currencies_and_kinds_of_one_name_are_counted_apart(workspace):
    person = ProfileFactory.create().pk
    record(
        workspace,
        Occurrence(person, Kind.CUSTOM, "shoe", "", NOW),
        Occurrence(person, Kind.PURCHASE, "shoe", "EUR", NOW, quantity=2, revenue=Decimal("10.50")),
        Occurrence(person, Kind.PURCHASE, "shoe", "USD", NOW, quantity=1, revenue=Decimal(7)),
    )
    record(
        workspace,
        Occurrence(person, Kind.PURCHASE, "shoe", "EUR", NOW, quantity=1, revenue=Decimal("0.0001")),
    )
    assert {key[:3]: (row[0], row[4], row[5]) for key, row in stored().items()} == {
        ("custom", "shoe", ""): (1, 0, 0),
        ("purchase", "shoe", "EUR"): (2, 3, Decimal("10.5001")),
        ("purchase", "shoe", "USD"): (1, 1, Decimal(7)),
    }


def test_who_has_new_events_is_marked_as_changed(workspace):
    people = [profile.pk for profile in ProfileFactory.create_batch(3)]
    changes.ProfileChange.objects.all().delete()
    record(workspace, at(people[0], NOW), at(people[2], NOW))
    mark = changes.ProfileChange.objects.get()
    assert mark.kind == changes.Kind.EVENTS
    marked = changed_since(workspace, changes.as_of(), changes.Kind.EVENTS)
    assert marked == {people[0], people[2]}


def test_nothing_is_asked_for_no_events(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not events.record(workspace_id=workspace.pk, occurrences=[], now=NOW)


@pytest.mark.parametrize("number", [1, 200])
def test_queries_do_not_grow_with_the_events(workspace, number, django_assert_num_queries):
    people = [profile.pk for profile in ProfileFactory.create_batch(4)]
    occurrences = [at(people[it % 4], NOW, f"event {it}") for it in range(number)]
    # Look for names, make those missing, look again, upsert; mark.
    with transaction.atomic(), django_assert_num_queries(3 + WRITES):
        events.record(workspace_id=workspace.pk, occurrences=occurrences, now=NOW)


def test_workspaces_have_names_of_their_own(workspace, other_workspace):
    record(workspace, at(ProfileFactory.create().pk, NOW))
    record(other_workspace, at(ProfileFactory.create(workspace=other_workspace).pk, NOW))
    assert set(EventName.objects.values_list("workspace_id", "name")) == {
        (workspace.pk, "Song Played"),
        (other_workspace.pk, "Song Played"),
    }


@pytest.mark.django_db(transaction=True)
def test_a_name_that_was_rolled_back_is_made_again(workspace):
    person = ProfileFactory.create().pk

    with transaction.atomic():
        events.record(workspace_id=workspace.pk, occurrences=[at(person, NOW)], now=NOW)
        transaction.set_rollback(True)
    assert not EventName.objects.exists()
    record(workspace, at(person, NOW))
    assert CustomEvent.objects.get().name.name == "Song Played"


@pytest.mark.django_db(transaction=True)
def test_a_name_that_is_known_is_not_looked_for_again(workspace, django_assert_num_queries):
    person = ProfileFactory.create().pk
    record(workspace, at(person, NOW))
    with transaction.atomic(), django_assert_num_queries(WRITES):
        events.record(workspace_id=workspace.pk, occurrences=[at(person, NOW)], now=NOW)
