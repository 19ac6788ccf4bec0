"""A sample of whom a definition selects: members only, at random, and how many there are in all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from segments import audience, filters, people
from tests.profiles.factories import ProfileFactory, erase
from tests.segments.definitions import definition, leaf

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sample(workspace, *nodes):
    tree = filters.parse(definition(*nodes), is_draft=True)
    return people.sample(question=audience.ask(workspace=workspace, tree=tree, now=NOW))


def test_all_are_shown_if_there_are_few(workspace, other_workspace):
    ann = ProfileFactory.create(
        external_id="u-1", first_name="Ann", last_name="Lee", email="a@x.example", country="FR", language="fr"
    )
    somebody = ProfileFactory.create(anonymous=True, email="", country="FR")
    ProfileFactory.create(country="DE"), ProfileFactory.create(country="FR", workspace=other_workspace)
    erase(ProfileFactory.create(country="FR"))
    found = sample(workspace, leaf("country", "is_one_of", ["FR"]))
    assert found["note"] == "These are all."
    assert found["people"] == [
        {
            "id": ann.pk,
            "name": "Ann Lee",
            "url": f"/admin/profiles/profile/{ann.pk}/change/",
            "facts": ["u-1", "a@x.example", "FR", "fr"],
        },
        {
            "id": somebody.pk,
            "name": str(somebody),
            "url": f"/admin/profiles/profile/{somebody.pk}/change/",
            "facts": ["FR"],
        },
    ]


def test_of_many_some_are_chosen_at_random(workspace):
    members = {person.pk for person in ProfileFactory.create_batch(people.SAMPLE + 15, country="FR")}
    ProfileFactory.create_batch(5)
    seen = set()
    for _ in range(15):
        found = sample(workspace, leaf("country", "is_one_of", ["FR"]))
        ids = [person["id"] for person in found["people"]]
        assert len(set(ids)) == people.SAMPLE
        assert ids == sorted(ids)
        assert set(ids) <= members
        seen |= set(ids)
    assert found["note"] == "20 of 35 users, chosen at random."
    assert len(seen) > people.SAMPLE  # not always the same


def test_nobody_is_said_so(workspace):
    ProfileFactory.create()
    for nodes in ([], [leaf("country", "is_one_of", ["FR"])]):
        assert sample(workspace, *nodes) == {"people": [], "note": "Nobody is in this segment now."}
