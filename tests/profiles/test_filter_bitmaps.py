"""Filter bitmaps are exact, and looked up anew only where something changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from profiles import bitmaps, changes, events, filter_bitmaps, selection
from profiles.changes import Kind
from profiles.events import Occurrence
from profiles.models import FilterBitmap, Profile, ProfileChange
from profiles.selection import Query, Table
from tests.profiles.factories import ProfileFactory, erase, make_people
from tests.profiles.questions import (
    ALL,
    BUYERS,
    EVERYBODY,
    FRENCH,
    LYONNAIS,
    REGULARS,
    WITH_DEVICE,
    all_kept,
    kept,
    truth,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def looked(monkeypatch):
    """Who was looked at: "all" for a whole table, else the table and the ids of each statement."""
    found: list = []
    everywhere, answers = selection.everywhere, selection._answers

    def whole(**asked):
        found.append("all")
        return everywhere(**asked)

    def some(workspace_id, table, queries, profile_ids):
        found.append((table, set(profile_ids)))
        return answers(workspace_id, table, queries, profile_ids)

    monkeypatch.setattr(selection, "everywhere", whole)
    monkeypatch.setattr(selection, "_answers", some)
    return found


@pytest.fixture
def stores(monkeypatch):
    """Every repair is stored."""
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 1)


def write(person, **columns):
    """Change a profile without telling anybody."""
    Profile.objects.filter(pk=person.pk).update(**columns)


def tell(person, kind=Kind.ATTRIBUTES):
    changes.record(workspace_id=person.workspace_id, kind=kind, profile_ids=[person.pk])


def long_ago(**more):
    """Let all that was recorded be of yesterday."""
    ProfileChange.objects.update(changed_at=timezone.now() - timedelta(days=1))


def buy(person, times=1):
    done = [Occurrence(person.pk, events.Kind.CUSTOM, "bought", "", timezone.now()) for _ in range(times)]
    events.record(workspace_id=person.workspace_id, occurrences=done, now=timezone.now())


def stored(query):
    return FilterBitmap.objects.get(digest=query.digest)


# --- what is looked at again -----------------------------------------------------------------------------------
def test_only_changes_of_a_filters_kind_are_looked_at_again(workspace, stores):
    ann, ben = ProfileFactory.create_batch(2)
    assert kept(workspace, FRENCH) == set()
    long_ago()
    write(ann, country="FR"), write(ben, country="FR")
    assert kept(workspace, FRENCH) == set()  # nobody told
    tell(ann, Kind.EVENTS)
    assert kept(workspace, FRENCH) == set()  # nothing that a country depends on
    tell(ann)
    assert kept(workspace, FRENCH) == {ann.pk}  # and Ben is not looked at
    tell(ben, Kind.EXISTENCE)
    assert kept(workspace, FRENCH) == {ann.pk, ben.pk}  # whoever came or went concerns every filter


def test_filters_of_events_are_repaired_by_events_alone(workspace, stores, looked):
    ann = ProfileFactory.create()
    assert kept(workspace, BUYERS) == set()
    long_ago()
    looked.clear()
    tell(ann)
    assert kept(workspace, BUYERS) == set()
    assert looked == []
    buy(ann)
    assert kept(workspace, BUYERS) == {ann.pk}
    assert looked == [(Table.EVENTS, {ann.pk})]


def test_several_filters_are_repaired_by_one_statement_for_each_table(workspace, looked):
    ann, ben = ProfileFactory.create_batch(2, country="FR", devices=[])
    all_kept(workspace, *ALL)
    long_ago()
    looked.clear()
    write(ann, country="", home_city="Lyon")
    tell(ann), buy(ben, times=3)
    found = all_kept(workspace, *ALL)
    assert found == {query: truth(workspace, query) for query in ALL}
    assert (found[LYONNAIS], found[REGULARS]) == ({ann.pk}, {ben.pk})
    assert sorted(table.name for table, _ids in looked) == ["EVENTS", "IDENTIFIERS", "PROFILES"]


def test_filters_of_different_age_are_each_repaired_from_their_own_time(workspace, stores):
    ann, ben = ProfileFactory.create_batch(2)
    long_ago()
    kept(workspace, FRENCH)
    write(ann, country="FR", home_city="Lyon"), tell(ann)
    FilterBitmap.objects.update(as_of=timezone.now() - timedelta(hours=30))
    kept(workspace, LYONNAIS)
    write(ben, country="FR", home_city="Lyon"), tell(ben)
    assert all_kept(workspace, FRENCH, LYONNAIS) == {FRENCH: {ann.pk, ben.pk}, LYONNAIS: {ann.pk, ben.pk}}


def test_nothing_is_looked_at_or_stored_when_nothing_changed(workspace, stores, looked):
    ProfileFactory.create(country="FR")
    before = all_kept(workspace, *ALL)
    long_ago()
    rows = list(FilterBitmap.objects.order_by("pk").values())
    looked.clear()
    assert all_kept(workspace, *ALL) == before
    assert looked == []
    assert list(FilterBitmap.objects.order_by("pk").values()) == rows


def test_a_filter_asked_twice_at_once_is_looked_up_once(workspace, looked):
    ann = ProfileFactory.create(country="FR")
    assert all_kept(workspace, FRENCH, FRENCH, replace(FRENCH)) == {FRENCH: {ann.pk}}
    assert looked == ["all"]


def test_nobody_asked_for_nothing(workspace, looked):
    assert all_kept(workspace) == {}
    assert looked == []


def test_workspaces_do_not_mix(workspace, other_workspace, stores):
    here, there = (
        ProfileFactory.create(country="FR"),
        ProfileFactory.create(country="FR", workspace=other_workspace),
    )
    for _ in range(2):
        assert kept(workspace, FRENCH) == {here.pk}
        assert kept(other_workspace, FRENCH) == {there.pk}
    write(there, country=""), tell(there)
    assert (kept(workspace, FRENCH), kept(other_workspace, FRENCH)) == ({here.pk}, set())


def test_who_was_erased_leaves_every_filter(workspace, stores):
    ann = ProfileFactory.create(country="FR", home_city="Lyon", devices=["phone"])
    assert all(all_kept(workspace, FRENCH, LYONNAIS, WITH_DEVICE, EVERYBODY).values())
    erase(ann)
    assert not any(all_kept(workspace, FRENCH, LYONNAIS, WITH_DEVICE, EVERYBODY).values())


# --- when it is stored, and when computed anew -----------------------------------------------------------------
def test_few_changes_are_not_stored_and_enough_are(workspace, monkeypatch):
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 3)
    kept(workspace, FRENCH)
    people = ProfileFactory.create_batch(3, country="FR")
    ProfileChange.objects.all().delete()
    FilterBitmap.objects.update(as_of=changes.as_of() - timedelta(minutes=1))
    for count, is_stored in ((1, False), (2, False), (3, True)):
        tell(people[count - 1])
        assert len(kept(workspace, FRENCH)) == count
        assert len(bitmaps.unpack(stored(FRENCH).members)) == (count if is_stored else 0)


def test_few_changes_are_stored_after_a_while(workspace):
    kept(workspace, FRENCH)
    ann = ProfileFactory.create(country="FR")
    FilterBitmap.objects.update(as_of=changes.as_of() - filter_bitmaps.STORE_AFTER - timedelta(seconds=5))
    assert kept(workspace, FRENCH) == {ann.pk}
    assert set(bitmaps.unpack(stored(FRENCH).members)) == {ann.pk}


def test_what_is_stored_says_its_size_and_when_it_was_exact(workspace, stores):
    before = changes.as_of()
    make_people(workspace, ["a", "b"])
    kept(workspace, EVERYBODY)
    row = stored(EVERYBODY)
    assert row.size_bytes == len(row.members)
    assert before <= row.as_of <= timezone.now()
    assert row.used_at == row.as_of


def test_more_changes_than_are_worth_a_repair_are_computed_anew(workspace, monkeypatch, looked):
    monkeypatch.setattr(filter_bitmaps, "MAX_REPAIR", 2)
    kept(workspace, FRENCH), kept(workspace, BUYERS)
    long_ago()
    looked.clear()
    people = ProfileFactory.create_batch(3)
    ProfileChange.objects.filter(kind=Kind.EXISTENCE).delete()
    for person in people:
        write(person, country="FR"), tell(person)
    tell(people[0], Kind.EVENTS)
    assert all_kept(workspace, FRENCH, BUYERS) == {FRENCH: {it.pk for it in people}, BUYERS: set()}
    assert sorted(looked, key=str) == [(Table.EVENTS, {people[0].pk}), "all"]


def test_what_is_older_than_the_records_is_computed_anew(workspace, looked):
    ann = ProfileFactory.create(country="FR")
    kept(workspace, FRENCH)
    ProfileChange.objects.all().delete()
    write(ann, country="")
    FilterBitmap.objects.update(as_of=timezone.now() - changes.RETENTION + timedelta(hours=1))
    assert kept(workspace, FRENCH) == {ann.pk}  # nobody told
    FilterBitmap.objects.update(as_of=timezone.now() - changes.RETENTION - timedelta(hours=1))
    looked.clear()
    assert kept(workspace, FRENCH) == set()
    assert looked == ["all"]
    assert stored(FRENCH).as_of > timezone.now() - timedelta(hours=1)


def test_a_slow_reader_does_not_undo_what_a_faster_one_stored(workspace, monkeypatch):
    times = iter([timezone.now() - timedelta(minutes=5), timezone.now() - timedelta(minutes=3)])
    monkeypatch.setattr(changes, "as_of", lambda: next(times))
    ann = ProfileFactory.create(country="FR")
    everywhere = selection.everywhere

    def slowly(**asked):
        monkeypatch.setattr(selection, "everywhere", everywhere)
        assert kept(workspace, FRENCH) == {ann.pk}  # a faster one begins later, and ends before
        write(ann, country="")
        return (yield from everywhere(**asked))

    monkeypatch.setattr(selection, "everywhere", slowly)
    assert kept(workspace, FRENCH) == set()
    faster = stored(FRENCH)
    assert timezone.now() - faster.as_of < timedelta(minutes=4)
    assert set(bitmaps.unpack(faster.members)) == {ann.pk}


def test_a_look_up_that_is_given_up_leaves_nothing(workspace, monkeypatch):
    monkeypatch.setattr(selection, "RANGE", 1)
    ProfileFactory.create_batch(3)
    work = filter_bitmaps.fetch(workspace_id=workspace.pk, queries=[slow(), LYONNAIS])
    next(work)
    work.close()
    assert not FilterBitmap.objects.exists()
    assert kept(workspace, EVERYBODY) == truth(workspace, EVERYBODY)


def slow():
    """Return a query that takes so long on PostgreSQL that it tells of its progress."""
    return Query("pg_sleep(0.15)::text <> ''") if connection.vendor == "postgresql" else FRENCH


def test_progress_goes_from_nothing_towards_all_of_it_over_several_filters(workspace, monkeypatch):
    monkeypatch.setattr(selection, "RANGE", 1)
    ProfileFactory.create_batch(2)
    asked = [slow(), LYONNAIS]
    steps = list(filter_bitmaps.fetch(workspace_id=workspace.pk, queries=asked))
    assert steps == sorted(steps)
    assert len(steps) > 1
    assert list(filter_bitmaps.fetch(workspace_id=workspace.pk, queries=asked)) == []
