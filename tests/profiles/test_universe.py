"""The set of all live profiles is exact at every moment, and repaired instead of recomputed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles import bitmaps, changes, universe
from profiles.models import Profile, ProfileChange, Universe
from tests.profiles.factories import ProfileFactory, erase, make_people, mark_existence

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[1, 1_000], ids=["stores", "looks again"])
def every_path(request, monkeypatch):
    """Repairs that are stored at once, and repairs that are not."""
    monkeypatch.setattr(universe, "STORE_AFTER_CHANGES", request.param)


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


def test_caller_may_change_the_bitmap(workspace, every_path):
    ProfileFactory.create()
    universe.live(workspace_id=workspace.pk).clear()
    assert live(workspace) == truth(workspace) != set()


def test_enough_changes_are_stored_and_few_are_not(workspace):
    make_people(workspace, [f"p{n}" for n in range(universe.STORE_AFTER_CHANGES)])
    assert live(workspace) == truth(workspace)
    stored = Universe.objects.get()
    assert len(bitmaps.unpack(stored.members)) == universe.STORE_AFTER_CHANGES
    assert stored.as_of <= timezone.now()


def test_stored_universe_is_the_starting_point(workspace, monkeypatch):
    """What changed long ago is not looked at again: a row that says so without a new mark stays unseen."""
    monkeypatch.setattr(universe, "STORE_AFTER_CHANGES", 1)
    old = ProfileFactory.create()
    ProfileChange.objects.update(changed_at=timezone.now() - timedelta(days=1))
    assert live(workspace) == {old.pk}
    Profile.objects.update(deleted_at=Now())
    assert live(workspace) == {old.pk}
    mark_existence(old)
    assert live(workspace) == set()


def test_universe_older_than_the_marks_is_computed_anew(workspace, monkeypatch):
    monkeypatch.setattr(universe, "STORE_AFTER_CHANGES", 1)
    old = ProfileFactory.create()
    assert live(workspace) == {old.pk}
    ProfileChange.objects.all().delete()
    Universe.objects.update(as_of=timezone.now() - changes.RETENTION - timedelta(hours=1))
    Profile.objects.update(deleted_at=Now())
    assert live(workspace) == set()


def test_more_changes_than_are_worth_a_repair_are_not_repaired(workspace, monkeypatch):
    monkeypatch.setattr(universe, "MAX_REPAIR", 1)
    monkeypatch.setattr(universe, "STORE_AFTER_CHANGES", 1)
    ProfileFactory.create()
    assert live(workspace) == truth(workspace)
    ProfileFactory.create_batch(3)
    assert live(workspace) == truth(workspace)


def test_slow_reader_does_not_undo_a_faster_one(workspace):
    now = timezone.now()
    universe._store(workspace.pk, bitmaps.BitMap([1, 2]), now)
    universe._store(workspace.pk, bitmaps.BitMap([1]), now - timedelta(seconds=1))
    assert set(bitmaps.unpack(Universe.objects.get().members)) == {1, 2}


# --- transactions that are open while others read ------------------------------------------------------------
@contextmanager
def open_transaction(work) -> Iterator[None]:
    """Do `work` in another connection, and commit it only when the block ends."""
    done, leave = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                leave.wait(20)
        finally:
            done.set()
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert done.wait(20)
    yield
    leave.set()
    writer.join(20)
    assert not writer.is_alive()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_writer_whose_transaction_is_open_while_a_reader_repairs_is_not_forgotten(workspace, monkeypatch):
    monkeypatch.setattr(universe, "STORE_AFTER_CHANGES", 1)
    monkeypatch.setattr(changes, "REPORTING_DELAY", timedelta(0))
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
def test_profile_changed_early_in_a_long_transaction_is_seen_after_it(workspace, monkeypatch):
    monkeypatch.setattr(universe, "STORE_AFTER_CHANGES", 1)
    person = ProfileFactory.create()
    with open_transaction(lambda: erase(person)):
        for _ in range(3):
            ProfileFactory.create()
            live(workspace)
            assert person.pk in live(workspace)
    assert person.pk not in live(workspace)
