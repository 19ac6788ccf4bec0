"""Whom a tracking request reaches, what is counted and marked, and that it is all or nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from profiles import addresses, changes, matching, statements
from profiles.models import CustomEvent, Identifier, Profile, ProfileChange
from profiles.tracking_objects import Array
from tests.profiles.factories import ProfileFactory, add_identifiers, erase
from tests.profiles.questions import changed_since
from tests.profiles.trackers import AT, CRM, STANDARD, custom, event, of, points, reasons, tracker_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def track(workspace):
    """A function that tracks."""
    return tracker_of(workspace)


@pytest.mark.parametrize(
    ("named", "key"),
    [({"external_id": "new"}, "e:new"), ({"device_id": "new"}, "d:new"), ({"user_alias": CRM}, "a:crm:7")],
)
@pytest.mark.parametrize("update_only", [None, True, False])
def test_unknown_user_is_made_as_the_flag_and_the_identifier_say(track, named, key, update_only):
    flag = {} if update_only is None else {"_update_existing_only": update_only}
    result = track(named | flag | {"first_name": "Ann"})
    made = update_only is False or (update_only is None and "user_alias" not in named)
    assert (result.processed[Array.ATTRIBUTES], reasons(result)) == (int(made), [])
    assert list(Identifier.objects.values_list("key", flat=True)) == ([key] if made else [])
    assert [it.external_id for it in Profile.objects.all()] == ([named.get("external_id")] if made else [])


@pytest.mark.parametrize("contact", ["email", "phone"])
@pytest.mark.parametrize("update_only", [None, True, False])
def test_unknown_contact_makes_an_anonymous_user_only_if_the_flag_is_false(track, contact, update_only):
    track({contact: "x", "_update_existing_only": update_only, "first_name": "Ann"})
    assert list(Profile.objects.values_list(contact, "first_name", "external_id")) == (
        [("x", "Ann", None)] if update_only is False else []
    )
    track(events=[{contact: "y", "_update_existing_only": update_only, "name": "seen", "time": AT}])
    assert Profile.objects.filter(**{contact: "y"}).exists() is (update_only is False)


def test_every_identifier_reaches_its_user(track):
    ann = ProfileFactory.create(external_id="ann", email="ann@x.example", phone="+1", aliases=[("crm", "7")])
    anonymous = ProfileFactory.create(anonymous=True, email="", devices=["d1"])
    result = track(
        {"external_id": "ann", "a": 1},
        {"user_alias": CRM, "b": 2},
        {"profile_id": ann.pk, "c": 3},
        {"braze_id": str(ann.pk), "d": 4},
        {"email": "ann@x.example", "e": 5},
        {"phone": "+1", "f": 6},
        {"device_id": "d1", "g": 7},
    )
    assert (result.processed[Array.ATTRIBUTES], result.refusals) == (7, [])
    assert custom() == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}
    anonymous.refresh_from_db()
    assert anonymous.custom_attributes == {"g": 7}
    assert Profile.objects.count() == 2


def test_device_of_an_identified_user_is_refused_whoever_has_it(track):
    ProfileFactory.create(external_id="ann", devices=["d1"])
    result = track({"device_id": "d1", "first_name": "Eve", "_update_existing_only": False})
    assert reasons(result) == ["This device is an identified user's: name the external_id."]
    assert of("ann").first_name == ""


def test_email_names_an_identified_user_first_and_then_the_one_changed_last(track):
    shared = {"email": "family@x.example"}
    old, new = ProfileFactory.create(**shared), ProfileFactory.create(**shared)
    ProfileFactory.create(anonymous=True, **shared)
    Profile.objects.filter(pk=old.pk).update(changed_at=timezone.now() - timedelta(days=1))
    track(shared | {"is_it": True})
    assert [it.pk for it in Profile.objects.filter(custom_attributes__is_it=True)] == [new.pk]
    Profile.objects.filter(pk=new.pk).update(changed_at=timezone.now() - timedelta(days=2))
    track(shared | {"now": True})
    assert [it.pk for it in Profile.objects.filter(custom_attributes__now=True)] == [old.pk]


def test_erased_user_is_nobody(track):
    ann = ProfileFactory.create(external_id="ann", email="a@x.example")
    erase(ann)
    result = track({"profile_id": ann.pk}, {"email": "a@x.example", "x": 1})
    assert reasons(result) == [f"There is no user with the id {ann.pk}."]
    track({"external_id": "ann"})
    assert of("ann").pk != ann.pk


def test_email_beside_an_identifier_is_an_attribute(track):
    ProfileFactory.create(external_id="ben", email="shared@x.example")
    track({"external_id": "ann", "email": "shared@x.example", "phone": "+1"})
    assert (of("ann").email, of("ann").phone) == ("shared@x.example", "+1")


def test_events_alone_change_no_attribute_and_lock_who_did_them(track):
    before = ProfileFactory.create(external_id="ann").changed_at
    track(events=[event()])
    assert of("ann").changed_at == before
    assert not ProfileChange.objects.filter(kind=changes.Kind.ATTRIBUTES).exists()


def test_every_attribute_event_and_purchase_that_was_applied_is_a_data_point(track):
    track(
        {"external_id": "ann", "email": "a@x.example", "plan": "pro", "old": None, "_merge_objects": True},
        {"external_id": "ben", "gender": "X", "plan": "pro"},
        {"external_id": "cleo", "_update_existing_only": True, "plan": "pro"},
        events=[event(), event(time="2009-01-01")],
        purchases=[event(product_id="tea", currency="EUR", price=1, quantity=9)],
    )
    assert points() == 3 + 1 + 1


def test_who_was_made_and_who_changed_is_marked_and_nobody_else(track, workspace):
    start = changes.as_of()
    ben, cleo = (
        ProfileFactory.create(external_id="ben"),
        ProfileFactory.create(external_id="cleo", first_name="C"),
    )
    ProfileChange.objects.all().delete()
    track(
        {"external_id": "ann"},
        {"external_id": "ben", "x": 1},
        {"external_id": "cleo", "first_name": "C"},
        events=[event(external_id="cleo")],
    )

    def marked(kind: changes.Kind) -> set[int]:
        return changed_since(workspace, start, kind)

    assert marked(changes.Kind.EXISTENCE) == {of("ann").pk}
    assert marked(changes.Kind.ATTRIBUTES) == {of("ann").pk, ben.pk}
    assert marked(changes.Kind.EVENTS) == {of("ann").pk, cleo.pk}


def test_request_that_changes_nothing_writes_no_row(track):
    track({"external_id": "ann", "n": 1, "tags": ["b", "a"], "dob": "1990-12-31"} | STANDARD)
    before = list(Profile.objects.values())
    marks = ProfileChange.objects.count()
    track({"external_id": "ann", "n": 1, "tags": {"add": ["a"]}, "dob": "1990-12-31"} | STANDARD)
    assert (list(Profile.objects.values()), ProfileChange.objects.count()) == (before, marks)
    track({"external_id": "ann", "n": True})
    assert custom()["n"] is True


def test_who_loses_the_race_for_an_identifier_finds_the_winner(track, monkeypatch):
    insert, tries = statements.insert_identifiers, []

    def lose_the_first_race(**rows: Any) -> None:
        tries.append(rows)
        if len(tries) == 1:
            raise IntegrityError
        insert(**rows)

    monkeypatch.setattr(statements, "insert_identifiers", lose_the_first_race)
    look_up = matching.lookup

    def winner_commits(**arguments: Any) -> dict[str, int]:
        if len(tries) == 1 and not Profile.objects.filter(external_id="ann").exists():
            add_identifiers(
                ProfileFactory.create(external_id="ann", email="", own_identifier=False), ["e:ann"]
            )
        return look_up(**arguments)

    monkeypatch.setattr(matching, "lookup", winner_commits)
    track({"external_id": "ann", "n": {"inc": 1}}, events=[event()])
    assert (Profile.objects.count(), custom(), points()) == (1, {"n": 1}, 2)
    assert CustomEvent.objects.get().count == 1


def test_user_erased_between_look_up_and_lock_is_looked_up_again(track, monkeypatch):
    ProfileFactory.create(external_id="ann")
    lock, tries = statements.lock_profiles, []

    def erased_meanwhile(**arguments: Any) -> dict[int, dict[str, Any]]:
        tries.append(arguments)
        return {} if len(tries) == 1 else lock(**arguments)

    monkeypatch.setattr(statements, "lock_profiles", erased_meanwhile)
    result = track({"external_id": "ann", "x": 1}, events=[event()])
    assert (len(tries), custom(), result.processed) == (2, {"x": 1}, {Array.ATTRIBUTES: 1, Array.EVENTS: 1})


@pytest.mark.parametrize("contact", ["email", "phone"])
def test_user_whose_address_changes_between_look_up_and_lock_is_looked_up_again(track, monkeypatch, contact):
    before, now = ProfileFactory.create(**{contact: "y"}), ProfileFactory.create(**{contact: "x"})
    look_up, tries = addresses.holders, []

    def changed_since(**arguments: Any) -> dict[addresses.Address, int]:
        tries.append(arguments)
        found = look_up(**arguments)
        return dict.fromkeys(found, before.pk) if len(tries) == 1 else found

    monkeypatch.setattr(addresses, "holders", changed_since)
    track({contact: "x", "n": {"inc": 1}}, events=[{contact: "x", "name": "seen", "time": AT}])
    assert [it.pk for it in Profile.objects.filter(custom_attributes__n=1)] == [now.pk]
    assert CustomEvent.objects.get().profile_id == now.pk
