"""The factories write what production writes: tests of others stand on them."""

import pytest

from profiles import matching
from profiles.matching import Reason
from tests.cohorts.factories import CohortFactory, members_of
from tests.profiles.factories import ProfileFactory, erase, make_people

pytestmark = pytest.mark.django_db


def test_cohort_has_the_members_it_was_made_with(workspace):
    people = ProfileFactory.create_batch(3)
    assert members_of(CohortFactory.create(members=people)) == {person.pk for person in people}


def test_erased_profile_is_in_no_cohort(workspace):
    person, gone = ProfileFactory.create_batch(2)
    cohort = CohortFactory.create(members=[person, gone])
    erase(gone)
    assert members_of(cohort) == {person.pk}


def test_profile_is_matched_by_what_it_was_made_with(workspace):
    person = ProfileFactory.create(external_id="ann", aliases=[("crm", "1")], devices=["phone"])
    ghost = ProfileFactory.create(anonymous=True, devices=["tablet"])
    keys = [["e:ann"], ["a:crm:1"], ["d:phone"], ["d:tablet"]]
    outcomes = matching.match(workspace_id=workspace.pk, candidates=keys)
    assert outcomes == [person.pk, person.pk, Reason.IDENTIFIED, ghost.pk]


@pytest.mark.django_db(transaction=True)
def test_many_people_are_made_at_once(workspace):
    people = make_people(workspace, ["a", "b"])
    assert matching.lookup(workspace_id=workspace.pk, keys=["e:a", "e:b"]) == {
        "e:a": people["a"],
        "e:b": people["b"],
    }


@pytest.mark.django_db(transaction=True)
def test_tests_that_commit_find_what_migrations_made(workspace):
    assert workspace.slug == "default"
