"""What becomes of the users of a tracking request, object by object."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from profiles.models import CustomEvent, Profile
from profiles.tracking_objects import Array
from tests.profiles.factories import ProfileFactory
from tests.profiles.trackers import AT, CRM, STANDARD, custom, event, of, reasons, tracker_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def track(workspace):
    """A function that tracks."""
    return tracker_of(workspace)


def test_standard_attributes_are_kept_in_their_columns_and_null_empties_them(track):
    track({"external_id": "new"} | STANDARD)
    ProfileFactory.create(external_id="old", email="")
    track({"external_id": "old"} | STANDARD)
    for person in (of("new"), of("old")):
        assert (person.first_name, person.home_city, person.gender, person.email_subscribe) == (
            *("Ann", "Lyon", "F", "opted_in"),
        )
        assert (person.date_of_birth, person.push_tokens) == (
            date(1990, 12, 31),
            [{"app_id": "a", "token": "t"}],
        )
        assert person.first_session_at == datetime(2026, 1, 1, 9, tzinfo=UTC)
        assert person.last_session_at == datetime(2026, 1, 31, 9, 30, 0, 250_000, tzinfo=UTC)
        assert person.custom_attributes == {}
    track({"external_id": "new"} | dict.fromkeys(STANDARD))
    emptied = of("new")
    for name in ("first_name", "email", "phone", "home_city", "gender", "email_subscribe", "push_subscribe"):
        assert getattr(emptied, name) == ""
    assert (emptied.date_of_birth, emptied.first_session_at, emptied.push_tokens) == (None, None, [])


def test_times_that_were_tracked_compare_with_those_that_were_not(track):
    """SQLite compares times as texts: one in another form would be before or after all others."""
    track({"external_id": "ann", "date_of_last_session": AT})
    ProfileFactory.create(external_id="ben", last_session_at=datetime(2026, 1, 31, 9, 30, 1, tzinfo=UTC))
    assert [it.external_id for it in Profile.objects.order_by("last_session_at")] == ["ann", "ben"]
    assert Profile.objects.filter(last_session_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC)).count() == 1


def test_all_other_names_are_custom_attributes_except_those_of_the_request(track):
    reserved = {"_merge_objects": True, "_update_existing_only": False, "push_token_import": False}
    track({"external_id": "ann", "plan": "pro", "app": {"os": "x"}, "tags": ["a"]} | reserved)
    assert custom() == {"plan": "pro", "app": {"os": "x"}, "tags": ["a"]}
    track(
        {"external_id": "ann", "plan": None, "app": {"v": 1}, "tags": {"add": ["b"]}, "_merge_objects": True}
    )
    assert custom() == {"app": {"os": "x", "v": 1}, "tags": ["a", "b"]}
    track({"external_id": "ann", "app": {"v": 2}})
    assert custom()["app"] == {"v": 2}


def test_several_objects_of_one_user_add_up_and_the_last_wins(track):
    ann = ProfileFactory.create(external_id="ann")
    track(
        {"external_id": "ann", "n": {"inc": 1}, "last": 1},
        {"profile_id": ann.pk, "n": {"inc": 2}, "last": 2},
        {"external_id": "ann", "n": {"inc": 4}, "tags": {"add": ["a"]}},
    )
    assert custom() == {"n": 7, "last": 2, "tags": ["a"]}


def test_object_whose_operation_fails_changes_nothing_of_its_user(track):
    track({"external_id": "ann", "plan": "pro", "n": 1})
    result = track(
        {"external_id": "ann", "n": {"inc": 1}, "plan": {"inc": 1}, "first_name": "Ann"},
        {"external_id": "ann", "n": {"inc": 5}},
    )
    assert reasons(result) == ["plan is no number: inc cannot change it."]
    assert (custom(), of("ann").first_name) == ({"plan": "pro", "n": 6}, "")


def test_number_of_custom_attributes_is_bounded_and_none_that_is_there_is_lost(track, settings):
    settings.MAX_CUSTOM_ATTRIBUTES = 2
    ProfileFactory.create(external_id="ann", custom_attributes={"a": 1, "b": 1, "c": 1})
    result = track(
        {"external_id": "ann", "d": 1},
        {"external_id": "ann", "a": 2},
        {"external_id": "ben", "a": 1, "b": 1, "c": 1},
    )
    assert reasons(result) == [
        "The user would have 4 custom attributes; 2 are allowed.",
        "The user would have 3 custom attributes; 2 are allowed.",
    ]
    assert custom() == {"a": 2, "b": 1, "c": 1}
    assert not Profile.objects.filter(external_id="ben").exists()


def test_events_and_purchases_are_added_to_their_totals(track):
    track(
        events=[event(), event(time="2026-01-30T09:30:00+02:00"), event("other", properties={"a": 1})],
        purchases=[
            event(product_id="tea", currency="eur", price=2.5, quantity=3),
            event(product_id="tea", currency="EUR", price=-0.5),
        ],
        now=datetime(2026, 2, 1, tzinfo=UTC),
    )
    seen = CustomEvent.objects.get(name__name="seen")
    assert (seen.count, seen.first_at, seen.days) == (
        2,
        datetime(2026, 1, 30, 7, 30, tzinfo=UTC),
        {"2026-01-30": 1, "2026-01-31": 1},
    )
    tea = CustomEvent.objects.get(name__name="tea", name__currency="EUR")
    assert (tea.name.kind, tea.count, tea.quantity, tea.revenue) == ("purchase", 2, 4, Decimal(7))


def test_event_of_the_future_happens_now(track):
    now = datetime(2026, 2, 1, tzinfo=UTC)
    track(events=[event(time="2999-01-01T00:00:00Z")], now=now)
    assert CustomEvent.objects.get().last_at == now


def test_user_made_by_an_object_is_there_for_those_after_it(track):
    result = track(
        {"external_id": "ann", "email": "ann@x.example"},
        {"email": "ann@x.example", "x": 1},
        {"user_alias": CRM, "_update_existing_only": False},
        {"user_alias": CRM, "y": 2},
        events=[event(_update_existing_only=True), {"email": "ann@x.example", "name": "seen", "time": AT}],
    )
    assert result.processed == {Array.ATTRIBUTES: 4, Array.EVENTS: 2}
    assert custom() == {"x": 1}
    assert CustomEvent.objects.get(profile=of("ann")).count == 2
    assert Profile.objects.count() == 2
