"""What objects of a tracking request may say, and what is answered to those that say something else."""

from __future__ import annotations

import pytest

from profiles.models import Profile
from profiles.tracking_objects import Array, RequestError
from tests.profiles.trackers import event, reasons, tracker_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def track(workspace):
    """A function that tracks."""
    return tracker_of(workspace)


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ({}, "One of external_id, user_alias, device_id, profile_id, email or phone must name the user."),
        ({"external_id": None, "email": ""}, "One of external_id, user_alias, device_id, profile_id, email or phone must name the user."),
        ({"external_id": "a", "device_id": "b"}, "external_id and device_id both name the user: one must."),
        ({"profile_id": 1, "braze_id": "1"}, "profile_id and braze_id both name the user: one must."),
        ({"external_id": 5}, "external_id must be a string."),
        ({"external_id": "null"}, "external_id is “null”, which stands for nobody."),
        ({"external_id": "  "}, "external_id is “  ”, which stands for nobody."),
        ({"device_id": "x" * 256}, "device_id has 256 characters; 255 are allowed."),
        ({"user_alias": "x"}, "user_alias must be an object with alias_name and alias_label."),
        ({"user_alias": {"alias_name": "x"}}, "user_alias.alias_label must be a string."),
        ({"profile_id": "x"}, "profile_id must be the id of a user: a whole number."),
        ({"profile_id": True}, "profile_id must be the id of a user: a whole number."),
        ({"profile_id": 2**31}, "profile_id 2147483648 is no user's."),
        ({"profile_id": 2**31 - 1}, "There is no user with the id 2147483647."),
        ({"external_id": "a", "_update_existing_only": "no"}, "_update_existing_only must be true or false."),
        ({"external_id": "a", "_merge_objects": 1}, "_merge_objects must be true or false."),
    ],
)  # fmt: skip
def test_object_that_names_nobody_rightly_is_refused(track, named, reason):
    result = track(named | {"first_name": "Ann"})
    assert (reasons(result), result.processed) == ([reason], {Array.ATTRIBUTES: 0})
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "The name of a custom attribute must not be blank."),
        (" ", "The name of a custom attribute must not be blank."),
        ("$add", "“$add” must not begin with $: that is for operations."),
        ("x" * 256, "The name of a custom attribute has 256 characters; 255 are allowed."),
    ],
)
def test_name_that_is_not_allowed_refuses_the_object(track, name, reason):
    assert reasons(track({"external_id": "ann", name: 1})) == [reason]


@pytest.mark.parametrize(
    ("array", "change", "reason"),
    [
        ("events", {"name": None}, "name is required."),
        ("events", {"name": " "}, "name must not be blank."),
        ("events", {"name": "x" * 256}, "name has 256 characters; 255 are allowed."),
        ("events", {"time": None}, "time is required."),
        ("events", {"time": 1_700_000_000}, "time must be a string."),
        ("events", {"time": "noon"}, "time must be a time in ISO 8601, like 2026-01-31T09:30:00Z."),
        ("events", {"time": "0001-01-01T00:00:00+14:00"}, "time must be a time in ISO 8601, like 2026-01-31T09:30:00Z."),
        ("events", {"properties": []}, "properties must be an object."),
        ("purchases", {"product_id": ""}, "product_id must not be blank."),
        ("purchases", {"currency": "EURO"}, "currency must be a code of three letters, like EUR (ISO 4217)."),
        ("purchases", {"currency": "€€€"}, "currency must be a code of three letters, like EUR (ISO 4217)."),
        ("purchases", {"price": "2"}, "price must be a number, at most 1,000,000,000."),
        ("purchases", {"price": True}, "price must be a number, at most 1,000,000,000."),
        ("purchases", {"price": 1e12}, "price must be a number, at most 1,000,000,000."),
        ("purchases", {"quantity": 0}, "quantity must be a whole number from 1 to 100."),
        ("purchases", {"quantity": 101}, "quantity must be a whole number from 1 to 100."),
        ("purchases", {"quantity": 1.0}, "quantity must be a whole number from 1 to 100."),
    ],
)  # fmt: skip
def test_event_at_fault_is_refused_and_makes_nobody(track, array, change, reason):
    item = event(product_id="tea", currency="EUR", price=1, quantity=1) | change
    result = track(**{array: [item]})
    assert reasons(result) == [reason]
    assert not Profile.objects.exists()


def test_senseless_request_applies_nothing(track):
    with pytest.raises(RequestError):
        track({"external_id": "ann"}, events="x")
    assert not Profile.objects.exists()


def test_object_that_is_refused_makes_nobody(track):
    result = track(
        {"external_id": "ann", "gender": "X"},
        {"external_id": "ben", "x": {"add": [[1]]}},
        {"external_id": "c"},
    )
    assert (len(result.refusals), [it.external_id for it in Profile.objects.all()]) == (2, ["c"])
