"""The set of all live profiles is exact at every moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from profiles import changes, filter_bitmaps, universe
from profiles.models import FilterBitmap, Profile
from tests.profiles.factories import ProfileFactory, erase, make_people
from tests.profiles.open_transactions import open_transaction

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[1, 1_000], ids=["stores", "looks again"])
def every_path(request, monkeypatch):
    """Repairs that are stored at once, and repairs that are not."""
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", request.param)


def live(workspace) -> set[int]:
    return set(universe.live(workspace_id=workspace.pk))


def truth(workspace) -> set[int]:
    return set(Profile.objects.live().for_workspace(workspace).values_list("id", flat=True))


def test_empty_workspace_has_nobody(workspace, every_path):
    assert live(workspace) == set()


def test_created_changed_and_erased_profiles_are_seen_at_once(workspace, every_path):
    first, second = ProfileFactory.create_batch(2)
    assert live(workspace) == {first.pk, second.pk}
    third = ProfileFactory.create()
    assert live(workspace) == {first.pk, second.pk, third.pk}
    erase(first)
    assert live(workspace) == {second.pk, third.pk}
    Profile.objects.filter(pk=second.pk).update(first_name="Kim")
    assert live(workspace) == {second.pk, third.pk} == truth(workspace)


def test_workspaces_do_not_mix(workspace, other_workspace, every_path):
    here, there = make_people(workspace, ["a", "b"]), make_people(other_workspace, ["a", "c"])
    for _ in range(2):
        assert live(workspace) == set(here.values())
        assert live(other_workspace) == set(there.values())


def test_what_somebody_was_given_stays_as_it_was(workspace, every_path):
    first = ProfileFactory.create()
    before = universe.live(workspace_id=workspace.pk)
    ProfileFactory.create()
    erase(first)
    assert live(workspace) == truth(workspace)
    assert set(before) == {first.pk}


def test_dense_ids_take_next_to_no_space(workspace):
    make_people(workspace, [f"p{number}" for number in range(300)])
    assert len(live(workspace)) == 300
    assert FilterBitmap.objects.get().size_bytes < 100


# --- transactions that are open while others read ------------------------------------------------------------
@pytest.fixture
def strict(monkeypatch):
    """Every repair is stored, and nobody waits for PostgreSQL to report a transaction: no margin hides a fault."""
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 1)
    monkeypatch.setattr(changes, "REPORTING_DELAY", timedelta(0))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_writer_whose_transaction_is_open_while_a_reader_repairs_is_not_forgotten(workspace, strict):
    gone = ProfileFactory.create()

    def write() -> None:
        ProfileFactory.create(external_id="late")
        erase(gone)

    with open_transaction(write):
        for name in ("x", "y"):
            ProfileFactory.create(external_id=name)
            assert live(workspace) == truth(workspace)
    assert live(workspace) == truth(workspace)
    assert gone.pk not in live(workspace)
    assert Profile.objects.get(external_id="late").pk in live(workspace)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_profile_changed_early_in_a_long_transaction_is_seen_after_it(workspace, strict):
    person = ProfileFactory.create()
    with open_transaction(lambda: erase(person)):
        for _ in range(3):
            ProfileFactory.create()
            live(workspace)
            assert person.pk in live(workspace)
    assert person.pk not in live(workspace)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("remembers", [True, False])
def test_bitmap_computed_while_a_writer_is_open_sees_it_later(workspace, strict, remembers):
    """The first evaluation of all: there is nothing to repair, and what it misses must be looked at next time."""
    person = ProfileFactory.create()
    with open_transaction(lambda: erase(person)):
        assert live(workspace) == {person.pk}
    if not remembers:
        filter_bitmaps.forget()
    assert live(workspace) == set()
