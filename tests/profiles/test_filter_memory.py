"""What a process remembers of filter bitmaps: never more than it may, never what may be rolled back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pyroaring import BitMap

from profiles import bitmaps, filter_bitmaps
from profiles.filter_bitmaps import WEIGHT_OF_QUERY, Kept
from profiles.models import FilterBitmap, Profile
from profiles.selection import Query
from tests.profiles.factories import ProfileFactory, erase
from tests.profiles.questions import ALL, EVERYBODY, FRENCH, all_kept, kept, truth

NOW = timezone.now()


@pytest.fixture
def memory():
    return filter_bitmaps._Memory()


@pytest.fixture
def read(monkeypatch):
    """How often bitmaps were read from the database."""
    found: list = []
    fetch = bitmaps.fetch

    def noted(sql, params):
        if "profiles_filterbitmap" in sql:
            found.append(sql)
        return fetch(sql, params)

    monkeypatch.setattr(bitmaps, "fetch", noted)
    return found


def known(*ids, size=1_000, ago=0):
    moment = NOW - timedelta(seconds=ago)
    return Kept(BitMap(ids), size, moment, moment)


def query(number):
    return Query(f"p.id = {number}")


@pytest.mark.django_db(transaction=True)
def test_what_was_read_outside_transactions_is_remembered(workspace, read):
    person = ProfileFactory.create(country="FR")
    assert kept(workspace, FRENCH) == {person.pk}
    read.clear()
    assert kept(workspace, FRENCH) == {person.pk}
    assert read == []
    FilterBitmap.objects.all().delete()
    assert all_kept(workspace, FRENCH, EVERYBODY) == {FRENCH: {person.pk}, EVERYBODY: {person.pk}}
    assert len(read) == 1  # for the one that was not known
    filter_bitmaps.forget()
    read.clear()
    assert kept(workspace, FRENCH) == {person.pk}
    assert len(read) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("threshold", [1, 1_000])
def test_what_is_remembered_is_repaired_like_what_is_stored(workspace, monkeypatch, threshold):
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", threshold)
    people = ProfileFactory.create_batch(3, country="FR", devices=[])
    for person in people:
        all_kept(workspace, *ALL)
        with transaction.atomic():
            erase(person)
        assert all_kept(workspace, *ALL) == {query: truth(workspace, query) for query in ALL}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("knew_before", [True, False])
def test_what_is_rolled_back_was_never_remembered_or_stored(workspace, monkeypatch, knew_before):
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 1)
    person = ProfileFactory.create(country="FR")
    if knew_before:
        kept(workspace, FRENCH)
    with transaction.atomic():
        erase(person)
        other = ProfileFactory.create(country="FR")
        assert kept(workspace, FRENCH) == {other.pk}
        transaction.set_rollback(True)
    for _ in range(2):
        assert kept(workspace, FRENCH) == {person.pk} == truth(workspace, FRENCH)
        filter_bitmaps.forget()


@pytest.mark.django_db
def test_nothing_is_remembered_inside_a_transaction(memory):
    memory.remember(1, {FRENCH: known(1)})
    assert memory.recall(1, [FRENCH]) == {}
    assert memory.size == 0


def test_memory_is_bounded_and_what_was_used_last_stays(memory, settings):
    settings.FILTER_MEMORY_MB = 1
    each = 100_000
    most = 1024**2 // (each + WEIGHT_OF_QUERY)
    for number in range(most):
        memory.remember(1, {query(number): known(size=each)})
    assert len(memory.kept) == most
    memory.remember(1, {query(0): known(size=each)})
    memory.remember(1, {query(most): known(size=each)})
    assert memory.recall(1, [query(0), query(1), query(most)]).keys() == {query(0), query(most)}
    assert memory.size == sum(it.weight for it in memory.kept.values()) <= 1024**2


def test_bitmaps_of_nobody_are_not_for_nothing(memory, settings):
    settings.FILTER_MEMORY_MB = 1
    for number in range(1_000):
        memory.remember(1, {query(number): known(size=0)})
    assert len(memory.kept) == 1024**2 // WEIGHT_OF_QUERY


def test_what_is_larger_than_the_memory_is_not_kept(memory, settings):
    settings.FILTER_MEMORY_MB = 1
    memory.remember(1, {FRENCH: known(size=1024**2)})
    assert (len(memory.kept), memory.size) == (0, 0)


def test_memory_counts_what_replaces_another_once(memory):
    memory.remember(1, {FRENCH: known(size=5_000, ago=2)})
    memory.remember(1, {FRENCH: known(size=70, ago=1)})
    assert memory.size == 70 + WEIGHT_OF_QUERY
    memory.clear()
    assert (len(memory.kept), memory.size) == (0, 0)


def test_a_slow_reader_does_not_replace_what_a_faster_one_remembers(memory):
    memory.remember(1, {FRENCH: known(1, ago=5)})
    memory.remember(1, {FRENCH: known(2, size=9, ago=60)})
    assert set(memory.recall(1, [FRENCH])[FRENCH].members) == {1}
    assert memory.size == 1_000 + WEIGHT_OF_QUERY


def test_workspaces_do_not_mix(memory):
    memory.remember(1, {FRENCH: known(1)})
    assert memory.recall(2, [FRENCH]) == {}


@pytest.mark.django_db(transaction=True)
def test_a_bitmap_in_memory_is_not_changed_by_its_repair(workspace):
    first = ProfileFactory.create(country="FR")
    before = filter_bitmaps.members(workspace_id=workspace.pk, queries=[FRENCH])[FRENCH]
    Profile.objects.filter(pk=first.pk).update(country="")
    ProfileFactory.create(country="FR")
    kept(workspace, FRENCH)
    assert set(before) == {first.pk}
