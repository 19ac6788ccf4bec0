"""Since when a user is in a cohort, against a plain dictionary: whatever happened, folded or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from cohorts import membership, membership_history
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import bitmaps
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members

Kind = CohortDelta.Kind
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = range(1, 5)
people = st.frozensets(st.sampled_from(PEOPLE), min_size=1)
steps = st.one_of(
    st.tuples(st.sampled_from([Kind.ADDED, Kind.REMOVED]), people),
    st.tuples(st.just(Kind.REPLACED), st.frozensets(st.sampled_from(PEOPLE))),
    st.tuples(st.just("compact"), st.just(frozenset())),
)


def locked(cohort):
    return membership.lock(cohort.workspace_id, cohort.partner, cohort.partner_cohort_id)


def replace_members(cohort, members, now):
    with transaction.atomic():
        sync = CohortSyncFactory.create(cohort=cohort, action=CohortSync.Action.MEMBERS)
        page = membership.Page(number=1, digest=b"", tally=dict.fromkeys(membership.TALLY_FIELDS, 0))
        found = locked(cohort)
        membership.stage(cohort=found, sync=sync, members=BitMap(members), page=page, now=now)
        membership.swap(cohort=found, sync=sync, now=now)


def compact(cohort):
    with transaction.atomic():
        membership.compact(cohort=locked(cohort))


def since(profile_id, *cohorts):
    stays = membership_history.since(profile_id=profile_id, cohort_ids=[cohort.pk for cohort in cohorts])
    return [stays[cohort.pk].entered_at if cohort.pk in stays else "not in it" for cohort in cohorts]


def apply(cohort, model, kind, who, now):
    """Do one thing to a cohort, and to the dictionary of its members by the time they entered."""
    if kind == "compact":
        compact(cohort)
        return model
    if kind == Kind.REPLACED:
        replace_members(cohort, who, now)
        return {one: model.get(one, now) for one in who}
    change_members(cohort, who, kind=kind, now=now)
    if kind == Kind.REMOVED:
        return {one: moment for one, moment in model.items() if one not in who}
    return {**dict.fromkeys(who, now), **model}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=st.lists(steps, max_size=12))
def test_moment_is_when_the_present_stay_began_whatever_happened(workspace, happened):
    # A day for each, for what one sync does in one day is one step of history.
    cohort: Cohort = CohortFactory.create()
    model: dict[int, datetime] = {}
    for number, (kind, who) in enumerate(happened):
        model = apply(cohort, model, kind, who, BEGINNING + timedelta(days=number))
    assert [since(one, cohort) for one in PEOPLE] == [[model.get(one, "not in it")] for one in PEOPLE]


def test_who_entered_before_the_history_that_is_kept_is_in_it_since_nobody_knows_when(workspace):
    cohort = CohortFactory.create()
    change_members(cohort, [1], now=BEGINNING)
    compact(cohort)
    CohortDelta.objects.filter(cohort=cohort).delete()
    assert since(1, cohort) == [None]
    change_members(cohort, [1, 2], now=BEGINNING)
    assert (since(1, cohort), since(2, cohort)) == ([None], [BEGINNING])


def test_no_more_history_is_looked_at_than_is_worth_it(workspace, monkeypatch):
    monkeypatch.setattr(membership_history, "MAX_DELTAS", 2)
    cohort = CohortFactory.create()
    for one in (1, 2, 3, 4):
        change_members(cohort, [one], now=BEGINNING + timedelta(days=one))
    compact(cohort)
    assert since(1, cohort) == [None]
    assert since(4, cohort) == [BEGINNING + timedelta(days=4)]


def test_cohorts_are_looked_at_all_at_once_and_each_by_itself(workspace, monkeypatch):
    asked = []
    fetch = bitmaps.fetch
    monkeypatch.setattr(bitmaps, "fetch", lambda *sql: asked.append(sql) or fetch(*sql))
    cohorts = CohortFactory.create_batch(3)
    change_members(cohorts[0], [1], now=BEGINNING)
    change_members(cohorts[2], [1, 2], now=BEGINNING + timedelta(hours=1))
    asked.clear()
    assert since(1, *cohorts) == [BEGINNING, "not in it", BEGINNING + timedelta(hours=1)]
    assert len(asked) == 1


def test_no_cohorts_are_no_question():
    assert membership_history.since(profile_id=1, cohort_ids=[]) == {}
