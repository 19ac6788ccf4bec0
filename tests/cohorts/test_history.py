"""Sizes of cohorts by day, and who entered and left, against plain sets: whatever happened, folded or not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from cohorts import history, membership
from cohorts.models import CohortDelta
from profiles.models import Profile
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members
from tests.cohorts.test_membership_history import compact, locked, replace_members
from tests.profiles.factories import make_people

Kind = CohortDelta.Kind
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
BEGINNING = NOW - timedelta(days=9)
WINDOW = 10
NEVER = date.max
people = st.frozensets(st.integers(0, 5))
# What happens, to whom, and how many hours after what happened before.
steps = st.lists(
    st.tuples(
        st.sampled_from([Kind.ADDED, Kind.REMOVED, Kind.REPLACED, "fold", "erase", "stage"]),
        people,
        st.integers(0, 30),
    ),
    max_size=10,
)


def live():
    return BitMap(Profile.objects.filter(deleted_at=None).values_list("pk", flat=True))


def history_of(cohort, *, days=WINDOW, now=NOW):
    return history.of(cohorts=[cohort], within=live(), days=days, now=now)[cohort.pk]


def erase_at(ids, moment):
    Profile.objects.filter(pk__in=ids, deleted_at=None).update(deleted_at=moment)


def stage(cohort, members, now):
    """Keep a page of a full sync that waits for others."""
    with transaction.atomic():
        sync = CohortSyncFactory.create(cohort=cohort, unfinished=True, started_at=now)
        page = membership.Page(number=1, digest=b"", tally=dict.fromkeys(membership.TALLY_FIELDS, 0))
        membership.stage(cohort=locked(cohort), sync=sync, members=BitMap(members), page=page, now=now)


class Model:
    """A cohort as plain sets: who was stored at the end of each day, and when who was erased."""

    def __init__(self):
        self.stored, self.days, self.erased = set(), {}, {}
        self.entered, self.left = Counter(), Counter()

    def do(self, kind, who, day):
        stored = self.stored
        if kind == "erase":
            self.erased |= {one: day for one in who if one not in self.erased}
        after = {Kind.ADDED: stored | who, Kind.REMOVED: stored - who, Kind.REPLACED: set(who)}
        self.stored = after.get(kind, stored)
        self.entered[day] += len(self.stored - stored)
        self.left[day] += len(stored - self.stored)
        self.days[day] = self.stored

    def size(self, day):
        stored = next((self.days[it] for it in sorted(self.days, reverse=True) if it <= day), set())
        return len({one for one in stored if one not in self.stored or self.erased.get(one, NEVER) > day})


def do(cohort, kind, who, moment):
    if kind == "fold":
        compact(cohort)
    elif kind == "stage":
        stage(cohort, who, moment)
    elif kind == "erase":
        erase_at(who, moment)
    elif kind == Kind.REPLACED:
        replace_members(cohort, who, moment)
    else:
        change_members(cohort, who, kind=kind, now=moment)


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_day_is_as_plain_sets_have_it(workspace, happenings):
    with transaction.atomic():
        ids = list(make_people(workspace, [f"p{n}" for n in range(6)]).values())
        cohort, model, moment = CohortFactory.create(created_at=BEGINNING), Model(), BEGINNING
        for kind, who, hours in happenings:
            moment = min(moment + timedelta(hours=hours), NOW)
            members = {ids[n] for n in who} - model.erased.keys()  # nobody erased is matched again
            do(cohort, kind, members, moment)
            model.do(kind, members, moment.date())
        found = history_of(cohort)
        for day in found.days:
            assert day == (day.day, model.size(day.day), model.entered[day.day], model.left[day.day])
        assert [day.day for day in found.days] == [
            (BEGINNING + timedelta(days=n)).date() for n in range(WINDOW)
        ]
        assert found.size == found.days[-1].size
        transaction.set_rollback(True)


def test_an_erased_member_counts_on_the_days_before(workspace):
    ann, ben, cleo = make_people(workspace, ["ann", "ben", "cleo"]).values()
    cohort = CohortFactory.create(created_at=BEGINNING)
    change_members(cohort, [ann, ben, cleo], now=BEGINNING)
    compact(cohort)
    erase_at([ann], NOW - timedelta(days=3))
    change_members(cohort, [cleo], kind=Kind.REMOVED, now=NOW - timedelta(days=1))
    found = history_of(cohort)
    assert [day.size for day in found.days] == [3, 3, 3, 3, 3, 3, 2, 2, 1, 1]
    assert found.size == 1


def test_a_merge_changes_the_size_and_is_no_coming_or_going(workspace):
    ann, ben, cleo = make_people(workspace, ["ann", "ben", "cleo"]).values()
    cohort = CohortFactory.create(created_at=NOW - timedelta(days=2))
    change_members(cohort, [ann, ben], now=NOW - timedelta(days=2))
    for is_folded in (False, True):
        with transaction.atomic():
            membership.hand_over(cohort=locked(cohort), entered=BitMap(), left=BitMap([ann]), now=NOW)
            membership.hand_over(cohort=locked(cohort), entered=BitMap([cleo]), left=BitMap([ben]), now=NOW)
            if is_folded:
                compact(cohort)
            assert [tuple(day)[1:] for day in history_of(cohort).days] == [(2, 2, 0), (2, 0, 0), (1, 0, 0)]
            transaction.set_rollback(True)


def test_days_before_the_cohort_and_before_the_history_kept_are_left_out(workspace, settings):
    cohort = CohortFactory.create(created_at=NOW - timedelta(days=2))
    assert len(history_of(cohort).days) == 3
    old = CohortFactory.create(created_at=NOW - timedelta(days=500))
    assert len(history_of(old, days=30).days) == 30
    settings.DELTA_RETENTION_DAYS = 7
    assert len(history_of(old, days=30).days) == 7


def test_what_came_before_the_window_counts_as_size_alone(workspace):
    people = make_people(workspace, ["ann", "ben"]).values()
    cohort = CohortFactory.create(created_at=NOW - timedelta(days=60))
    change_members(cohort, people, now=NOW - timedelta(days=50))
    compact(cohort)
    assert {(day.size, day.entered, day.left) for day in history_of(cohort).days} == {(2, 0, 0)}


@pytest.mark.parametrize("hour", [0, 23])
def test_days_are_those_of_utc(workspace, hour):
    moment = datetime(2026, 6, 9, hour, 30, tzinfo=UTC)
    cohort = CohortFactory.create(created_at=BEGINNING)
    change_members(cohort, make_people(workspace, ["ann"]).values(), now=moment)
    for _folded in range(2):
        assert [day.day for day in history_of(cohort).days if day.entered] == [moment.date()]
        compact(cohort)


def test_no_cohort_is_mixed_up_with_another_and_many_cost_the_same(workspace):
    ids = list(make_people(workspace, [f"p{n}" for n in range(5)]).values())
    cohorts = [CohortFactory.create(created_at=BEGINNING, members=ids[: n + 1]) for n in range(4)]
    compact(cohorts[0])
    erase_at(ids[:1], NOW)
    one, many = CaptureQueriesContext(connection), CaptureQueriesContext(connection)
    within = live()
    with many:
        found = history.of(cohorts=cohorts, within=within, days=WINDOW, now=NOW)
    with one:
        history.of(cohorts=cohorts[:1], within=within, days=WINDOW, now=NOW)
    assert [found[cohort.pk].size for cohort in cohorts] == [0, 1, 2, 3]
    assert len(many) == len(one)


def test_nothing_is_asked_about_no_cohort():
    assert history.of(cohorts=[], within=BitMap(), days=30, now=NOW) == {}  # this test may use no database
