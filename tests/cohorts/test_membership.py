"""Members, folded from deltas, against plain Python sets; and the history that folding writes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pyroaring import BitMap

from accounts.models import DataPointUsage
from cohorts import membership
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import bitmaps
from tests.cohorts.factories import CohortFactory, change_members, members_of
from tests.cohorts.history import effective_changes
from tests.profiles.factories import ProfileFactory, erase

pytestmark = pytest.mark.django_db
Kind = CohortDelta.Kind
EVERYBODY = BitMap(range(1_000))


@pytest.fixture
def cohort(workspace) -> Cohort:
    return CohortFactory.create()


def fresh(cohort: Cohort) -> Cohort:
    return Cohort.objects.get(pk=cohort.pk)


def read(cohort: Cohort, within: BitMap = EVERYBODY) -> set[int]:
    return set(membership.members(cohort_ids=[cohort.pk], within=within)[cohort.pk])


def test_no_cohort_asked_for_costs_no_query(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert membership.members(cohort_ids=[], within=EVERYBODY) == {}


def test_cohort_without_changes_is_empty(cohort):
    assert read(cohort) == set()


def test_unknown_cohort_is_empty(db):
    assert membership.members(cohort_ids=[4711], within=EVERYBODY) == {4711: BitMap()}


def test_several_cohorts_are_read_at_once(workspace):
    cohorts = [CohortFactory.create() for _ in range(3)]
    for number, cohort in enumerate(cohorts):
        change_members(cohort, [number, 10 + number])
    read = membership.members(cohort_ids=[it.pk for it in cohorts], within=EVERYBODY)
    assert read == {it.pk: BitMap([n, 10 + n]) for n, it in enumerate(cohorts)}


def test_only_live_profiles_are_members(cohort):
    change_members(cohort, [1, 2, 3])
    assert read(cohort, within=BitMap([2, 3, 4])) == {2, 3}


def test_reader_sees_the_same_before_and_after_compaction(cohort):
    change_members(cohort, [1, 2, 3])
    change_members(cohort, [2, 9], kind=Kind.REMOVED)
    change_members(cohort, [4, 3])
    before = read(cohort)
    membership.compact(cohort=fresh(cohort))
    assert read(cohort) == before == {1, 3, 4}
    assert fresh(cohort).snapshot_sequence == 3
    assert set(bitmaps.unpack(fresh(cohort).snapshot)) == before


def test_compacting_twice_changes_nothing(cohort):
    change_members(cohort, [1, 2])
    for _ in range(3):
        membership.compact(cohort=fresh(cohort))
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 2
    assert read(cohort) == {1, 2}


def test_deltas_are_folded_by_themselves_every_so_often(cohort, settings):
    settings.COMPACT_EVERY_DELTAS = 3
    for number in range(7):
        change_members(cohort, [number])
    assert fresh(cohort).snapshot_sequence == 6
    assert read(cohort) == set(range(7))


def test_folding_keeps_what_each_delta_really_changed(cohort):
    change_members(cohort, [1, 2])
    change_members(cohort, [2, 3])
    change_members(cohort, [1, 9], kind=Kind.REMOVED)
    membership.compact(cohort=fresh(cohort))
    assert effective_changes(cohort) == [({1, 2}, set()), ({3}, set()), (set(), {1})]


def test_who_enters_leaves_and_enters_is_three_changes(cohort):
    change_members(cohort, [1])
    change_members(cohort, [1], kind=Kind.REMOVED)
    change_members(cohort, [1])
    membership.compact(cohort=fresh(cohort))
    assert effective_changes(cohort) == [({1}, set()), (set(), {1}), ({1}, set())]
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 3


def test_changes_are_counted_for_the_day_they_came(cohort):
    now = timezone.now()
    change_members(cohort, [1, 2], now=now - timedelta(days=1))
    change_members(cohort, [1], kind=Kind.REMOVED, now=now)
    membership.compact(cohort=fresh(cohort))
    days = dict(DataPointUsage.objects.values_list("day", "count"))
    assert days == {(now - timedelta(days=1)).date(): 2, now.date(): 1}


def test_syncs_know_how_many_they_added_and_removed(cohort):
    added = change_members(cohort, [1, 2, 3])
    removed = change_members(cohort, [3, 4], kind=Kind.REMOVED)
    membership.compact(cohort=fresh(cohort))
    counts = CohortSync.objects.values_list("entered_count", "left_count")
    assert counts.get(pk=added.pk) == (3, 0)
    assert counts.get(pk=removed.pk) == (0, 1)


def test_idle_cohorts_are_compacted_and_busy_ones_left(cohort, workspace):
    busy = CohortFactory.create()
    now = timezone.now()
    change_members(cohort, [1], now=now - timedelta(minutes=5))
    change_members(busy, [1], now=now - timedelta(minutes=5))
    change_members(busy, [2], now=now)
    assert membership.compact_idle(idle=timedelta(seconds=30), now=now) == 1
    assert fresh(cohort).snapshot_sequence == 1
    assert fresh(busy).snapshot_sequence == 0
    assert membership.compact_idle(idle=timedelta(seconds=30), now=now) == 0


def test_sequence_goes_on_after_history_was_forgotten(cohort):
    change_members(cohort, [1])
    change_members(cohort, [2])
    membership.compact(cohort=fresh(cohort))
    CohortDelta.objects.all().delete()
    change_members(cohort, [3])
    assert CohortDelta.objects.get().sequence == 3
    assert read(cohort) == {1, 2, 3}


def test_change_after_the_newest_history_was_forgotten_is_not_lost(cohort):
    """`now` is taken before a request waits for the lock: a later sequence may bear an earlier time."""
    change_members(cohort, [1])
    change_members(cohort, [2])
    membership.compact(cohort=fresh(cohort))
    CohortDelta.objects.filter(sequence=2).delete()
    change_members(cohort, [3])
    assert read(cohort) == {1, 2, 3}


def test_lock_returns_nothing_for_a_cohort_that_is_not_there(workspace):
    with transaction.atomic():
        assert membership.lock(workspace.pk, "mixpanel", "nope") is None


def test_erased_profile_leaves_every_cohort_at_once(cohort, workspace):
    people = ProfileFactory.create_batch(3)
    others = CohortFactory.create(members=people)
    change_members(cohort, people)
    membership.compact(cohort=fresh(cohort))
    erase(people[0])
    for it in (cohort, others):
        assert members_of(it) == {person.pk for person in people[1:]}
