"""What is offered while somebody types: attributes with their types, frequent values, events and labels."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from profiles import events
from profiles.events import Kind, Occurrence
from segments import suggestions
from tests.profiles.factories import ProfileFactory, erase

pytestmark = pytest.mark.django_db


def suggest(workspace, type_, subject="", text=""):
    return suggestions.suggest(workspace=workspace, type_=type_, subject=subject, text=text)


def values(*args, **more):
    return [(item["id"], item["note"]) for item in suggest(*args, **more)["values"]]


def person(workspace, **attributes):
    return ProfileFactory.create(workspace=workspace, custom_attributes=attributes)


@pytest.fixture
def people(workspace, other_workspace):
    person(other_workspace, secret="theirs")
    gone = person(workspace, erased="x")
    erase(gone)
    return [
        person(workspace, plan="plus", n=1, at={"$time": "2026-01-01"}, likes=["tea", "jazz"]),
        person(workspace, plan="plus", n=2.5, ok=True, likes=["tea"], nothing=None, odd={"a": 1}),
        person(workspace, plan="Free", n="text", ok=False),
        person(workspace, plan=7),
    ]


def test_attributes_come_by_name_with_their_types_the_frequent_one_first(workspace, people):
    found = suggest(workspace, "custom_attribute")["subjects"]
    assert {item["id"]: item["types"] for item in found} == {
        "at": ["time"],
        "likes": ["list"],
        "n": ["number", "text"],
        "ok": ["boolean"],
        "plan": ["text", "number"],
    }
    assert [item["id"] for item in found] == sorted(item["id"] for item in found)
    assert [item["note"] for item in found] == [
        "time",
        "list",
        "number, text",
        "true or false",
        "text, number",
    ]


def test_values_come_by_how_often_they_are_and_with_their_share(workspace, people):
    assert values(workspace, "custom_attribute", "plan") == [("plus", "50%"), ("Free", "25%")]
    assert values(workspace, "custom_attribute", "likes") == [("tea", "50%"), ("jazz", "25%")]
    assert values(workspace, "custom_attribute", "n") == [("text", "25%")]
    for nothing in ("ok", "at", "unheard of", "secret", "erased"):
        assert values(workspace, "custom_attribute", nothing) == []


def test_what_is_typed_narrows_the_values_whatever_its_case(workspace, people):
    assert [value for value, _share in values(workspace, "custom_attribute", "plan", " FRE ")] == ["Free"]
    assert values(workspace, "custom_attribute", "plan", "zzz") == []


def test_columns_have_values_too(workspace, other_workspace):
    ProfileFactory.create_batch(3, country="FR"), ProfileFactory.create(country="DE", home_city="Bonn")
    ProfileFactory.create(country="IT", workspace=other_workspace)
    assert values(workspace, "country") == [("FR", "75%"), ("DE", "25%")]
    assert values(workspace, "home_city") == [("Bonn", "25%")]
    assert (
        values(workspace, "email") == values(workspace, "unknown") == []
    )  # an address is for nobody to read


def test_no_more_values_are_shown_than_can_be_read(workspace):
    for number in range(suggestions.SHOWN + 5):
        person(workspace, code=f"c{number}")
    assert len(values(workspace, "custom_attribute", "code")) == suggestions.SHOWN
    assert values(workspace, "custom_attribute", "code", "c24") == [("c24", "4%")]


def test_events_and_labels_are_offered_by_name(workspace, other_workspace):
    for owner, name, kind in (
        (workspace, "seen", Kind.CUSTOM),
        (workspace, "bought", Kind.CUSTOM),
        (workspace, "tea", Kind.PURCHASE),
        (other_workspace, "theirs", Kind.CUSTOM),
    ):
        who = ProfileFactory.create(workspace=owner, aliases=[(f"label of {owner.slug}", name)])
        currency = "EUR" if kind == Kind.PURCHASE else ""
        done = [Occurrence(who.pk, kind, name, currency, timezone.now() - timedelta(hours=1))]
        events.record(workspace_id=owner.pk, occurrences=done, now=timezone.now())
    assert [item["id"] for item in suggest(workspace, "custom_event")["subjects"]] == ["bought", "seen"]
    assert [item["id"] for item in suggest(workspace, "alias")["subjects"]] == ["label of default"]


def test_an_empty_workspace_offers_nothing(workspace):
    assert suggest(workspace, "custom_attribute") == {"subjects": []}
    assert suggest(workspace, "alias") == suggest(workspace, "custom_event") == {"subjects": []}
    assert suggest(workspace, "country") == {"values": []}


def test_users_are_looked_at_once_for_a_while_and_each_workspace_by_itself(
    workspace, other_workspace, people
):
    first = values(workspace, "custom_attribute", "plan")
    person(workspace, plan="new")
    assert values(workspace, "custom_attribute", "plan") == first
    assert values(other_workspace, "custom_attribute", "secret") == [("theirs", "100%")]
    assert values(other_workspace, "custom_attribute", "plan") == []
    cache.clear()
    assert ("new", "20%") in values(workspace, "custom_attribute", "plan")


def test_of_many_users_an_even_spread_is_looked_at(workspace, monkeypatch):
    monkeypatch.setattr(suggestions, "LOOKED_AT", 5)
    everybody = [person(workspace, number=f"{number}") for number in range(20)]
    live = suggestions.BitMap(it.pk for it in everybody)
    looked = list(suggestions._some(live))
    assert looked == [it.pk for it in everybody[3::4]]
    assert [share for _value, share in values(workspace, "custom_attribute", "number")] == ["20%"] * 5
