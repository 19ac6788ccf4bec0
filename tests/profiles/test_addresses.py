"""Who has an address: what the database chooses is what plain Python would."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import addresses
from profiles.addresses import Address, Priority
from profiles.models import Profile
from tests.profiles.factories import ProfileFactory, erase
from tests.profiles.plans import plan_of

pytestmark = pytest.mark.django_db
CHOICES = [
    frozenset(chosen)
    for count in range(3)
    for chosen in combinations(Priority, count)
    if set(chosen) not in ({Priority.IDENTIFIED, Priority.UNIDENTIFIED}, {Priority.NEWEST, Priority.OLDEST})
]


def holders(workspace, *asked: Address) -> dict[Address, int]:
    return addresses.holders(workspace_id=workspace.pk, addresses=asked)


def chosen(people: list[Profile], priorities: frozenset[Priority]) -> int | None:
    """Return who is meant by the rules."""
    left = sorted(people, key=lambda it: (it.changed_at, it.pk))
    if not priorities:
        left.sort(key=lambda it: it.external_id is not None)
    if Priority.IDENTIFIED in priorities:
        left = [it for it in left if it.external_id is not None]
    if Priority.UNIDENTIFIED in priorities:
        left = [it for it in left if it.external_id is None]
    if Priority.OLDEST in priorities:
        left = left[:1]
    elif Priority.NEWEST in priorities or not priorities:
        left = left[-1:]
    return left[0].pk if len(left) == 1 else None


def test_every_choice_among_every_family_is_the_rules(workspace):
    for family, years in enumerate(
        [(), (1,), (-1,), (1, -1), (2, 2), (-2, -2), (1, 2, -3), (-1, -2, 3), (2, 1)]
    ):
        for year in years:  # a negative one is of somebody without external id
            anonymous = {"external_id": None} if year < 0 else {}
            person = ProfileFactory.create(phone=str(family), **anonymous)
            Profile.objects.filter(pk=person.pk).update(
                changed_at=datetime(2020 + abs(year), 1, 1, tzinfo=UTC)
            )
    asked = [Address("phone", str(family), choice) for family in range(9) for choice in CHOICES]
    people = {family: list(Profile.objects.filter(phone=str(family))) for family in range(9)}
    expected = {address: chosen(people[int(address.value)], address.priorities) for address in asked}
    assert holders(workspace, *asked) == {it: profile_id for it, profile_id in expected.items() if profile_id}


def test_holders_are_live_ones_of_the_workspace(workspace, other_workspace):
    ProfileFactory.create(workspace=other_workspace, email="a", phone="1")
    erase(ProfileFactory.create(email="a", phone="1"))
    ProfileFactory.create(email="", phone="")
    asked = [Address("email", "a"), Address("email", ""), Address("phone", "1"), Address("phone", "a")]
    assert holders(workspace, *asked) == {}
    one, two = ProfileFactory.create(anonymous=True, email="a"), ProfileFactory.create(email="", phone="1")
    assert holders(workspace, *asked) == {Address("email", "a"): one.pk, Address("phone", "1"): two.pk}


def test_nobody_is_asked_for_without_a_query(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert holders(workspace, Address("email", "")) == {}


@pytest.mark.parametrize("column", ["email", "phone"])
@pytest.mark.parametrize("choice", CHOICES)
def test_holders_are_found_by_the_index_of_their_addresses(workspace, column, choice):
    with CaptureQueriesContext(connection) as captured:
        holders(workspace, Address(column, "a", choice))
    assert f"profile_{column}" in plan_of(captured[0]["sql"])
