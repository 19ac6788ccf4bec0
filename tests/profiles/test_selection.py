"""Whom a condition selects: among everybody and among a few alike, and never of another workspace."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from profiles import events, selection
from profiles.changes import Kind
from profiles.events import Occurrence
from profiles.models import Profile
from profiles.selection import Query, Table
from tests.accounts.factories import WorkspaceFactory
from tests.profiles.event_data import NOW
from tests.profiles.factories import ProfileFactory, erase
from tests.profiles.questions import ALL, BUYERS, EVERYBODY, FRENCH, REGULARS, WITH_DEVICE, computed, truth

pytestmark = pytest.mark.django_db
COLUMNS = {"country": ["", "FR", "DE"], "language": ["", "fr", "de"]}
conditions = st.recursive(
    st.one_of(
        st.sampled_from(
            [
                ("TRUE", ()),
                ("FALSE", ()),
                ("NULL", ()),
                ("p.external_id IS NULL", ()),
                ("p.email LIKE '%%1%%'", ()),
            ]
        ),
        st.builds(
            lambda column, place: (f"p.{column} = %s", (COLUMNS[column][place],)),
            st.sampled_from(sorted(COLUMNS)),
            st.integers(0, 2),
        ),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda join, left, right: (f"({left[0]}) {join} ({right[0]})", left[1] + right[1]),
            st.sampled_from(["AND", "OR"]),
            inner,
            inner,
        ),
        inner.map(lambda it: (f"NOT ({it[0]})", it[1])),
    ),
    max_leaves=5,
)
of_profiles = conditions.map(lambda it: Query(it[0], it[1]))
of_events = st.builds(
    lambda least, name: Query("e.count >= %s", (least,), Table.EVENTS, Kind.EVENTS, name),
    st.integers(0, 3),
    st.sampled_from(["bought", "seen", "never"]),
)
of_identifiers = st.sampled_from(["e:", "i:", "d:", "a:crm:"]).map(
    lambda prefix: Query("i.key >= %s AND i.key < %s", (prefix, f"{prefix[:-1]};"), Table.IDENTIFIERS)
)
queries = st.lists(st.one_of(of_profiles, of_events, of_identifiers), max_size=6)
people = st.lists(
    st.tuples(
        st.sampled_from(COLUMNS["country"]),
        st.sampled_from(COLUMNS["language"]),
        st.booleans(),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


def populate(workspace, sketches):
    found = [
        ProfileFactory.create(
            workspace=workspace,
            country=country,
            language=language,
            anonymous=is_anonymous,
            devices=[f"{workspace.pk}-{place}"][: place % 2],
            aliases=[("crm", f"{place}")][: place % 3],
        )
        for place, (country, language, is_anonymous, _times) in enumerate(sketches)
    ]
    done = [
        Occurrence(person.pk, events.Kind.CUSTOM, name, "", NOW)
        for person, (*_columns, times) in zip(found, sketches, strict=True)
        for name in ("bought", "seen")[:times]
        for _ in range(times)
    ]
    events.record(workspace_id=workspace.pk, occurrences=done, now=NOW)
    return found


@given(people, people, queries, st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_among_a_few_and_among_everybody_the_same_are_selected(here, there, asked, data):
    workspace, other = WorkspaceFactory.create(), WorkspaceFactory.create()
    own, foreign = populate(workspace, here), populate(other, there)
    chosen = data.draw(st.sets(st.sampled_from([it.pk for it in [*own, *foreign]])), label="chosen")
    found = selection.among(workspace_id=workspace.pk, queries=asked, profile_ids=BitMap(chosen))
    assert found.keys() == set(asked)
    for query in asked:
        everywhere = computed(workspace, query)
        assert everywhere == truth(workspace, query)
        assert set(found[query]) == everywhere & chosen


@pytest.mark.parametrize("size", [1, 2, 7, 1_000_000])
def test_ranges_of_ids_give_the_same_as_the_whole_table(workspace, monkeypatch, size):
    populate(
        workspace, [("FR", "fr", False, 3), ("", "", True, 0), ("FR", "", True, 1), ("DE", "", False, 2)]
    )
    expected = {query: truth(workspace, query) for query in ALL}
    assert all(expected[query] for query in (FRENCH, BUYERS, REGULARS, WITH_DEVICE, EVERYBODY))
    monkeypatch.setattr(selection, "RANGE", size)
    assert {query: computed(workspace, query) for query in ALL} == expected


def test_more_conditions_than_one_statement_takes_are_asked_in_several(workspace, monkeypatch):
    populate(workspace, [("FR", "fr", False, 3), ("DE", "", True, 1)])
    asked = [Query("p.country = %s", (name,)) for name in ("FR", "DE", "IT", "ES", "")]
    ids = BitMap(Profile.objects.values_list("pk", flat=True))
    whole = selection.among(workspace_id=workspace.pk, queries=asked, profile_ids=ids)
    monkeypatch.setattr(selection, "COLUMNS", 2)
    assert selection.among(workspace_id=workspace.pk, queries=asked, profile_ids=ids) == whole
    assert [len(whole[query]) for query in asked] == [1, 1, 0, 0, 0]


def test_as_many_conditions_as_a_segment_may_have_fit_into_one_statement(workspace):
    person = ProfileFactory.create(country="FR")
    texts = tuple(f"{number}" for number in range(99))
    asked = [
        Query(f"p.country IN ({', '.join(['%s'] * 100)})", (*texts, f"{number}" if number % 2 else "FR"))
        for number in range(selection.COLUMNS)
    ]
    found = selection.among(workspace_id=workspace.pk, queries=asked, profile_ids=BitMap([person.pk]))
    assert sum(map(len, found.values())) == len([query for query in set(asked) if "FR" in query.params])


def test_nobody_is_asked_about_in_no_statement(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        found = selection.among(workspace_id=workspace.pk, queries=[FRENCH, BUYERS], profile_ids=BitMap())
        assert found == {FRENCH: BitMap(), BUYERS: BitMap()}
        assert selection.among(workspace_id=workspace.pk, queries=[], profile_ids=BitMap([1])) == {}


def test_an_empty_workspace_has_nobody(workspace):
    assert {query: computed(workspace, query) for query in ALL} == {query: set() for query in ALL}


def test_who_was_erased_is_selected_by_no_condition_on_profiles(workspace):
    gone, stays = populate(workspace, [("FR", "fr", False, 3), ("FR", "fr", False, 3)])
    erase(gone)
    assert computed(workspace, FRENCH) == computed(workspace, EVERYBODY) == {stays.pk}
    ids = BitMap([gone.pk, stays.pk])
    found = selection.among(workspace_id=workspace.pk, queries=[FRENCH], profile_ids=ids)
    assert set(found[FRENCH]) == {stays.pk}


def test_an_event_of_the_same_name_in_another_workspace_or_a_purchase_is_another_one(
    workspace, other_workspace
):
    ann, foreigner = ProfileFactory.create(), ProfileFactory.create(workspace=other_workspace)
    for person, kind, currency in (
        (ann, events.Kind.PURCHASE, "EUR"),
        (foreigner, events.Kind.CUSTOM, ""),
    ):
        done = [Occurrence(person.pk, kind, "bought", currency, NOW)]
        events.record(workspace_id=person.workspace_id, occurrences=done, now=NOW)
    assert computed(workspace, BUYERS) == set()
    ids = BitMap([ann.pk, foreigner.pk])
    assert not selection.among(workspace_id=workspace.pk, queries=[BUYERS], profile_ids=ids)[BUYERS]
    assert computed(other_workspace, BUYERS) == {foreigner.pk}


def test_a_generator_is_finished_for_what_it_returns():
    def work():
        yield 1
        yield 2
        return "done"

    assert selection.finish(work()) == "done"


def test_the_digest_differs_by_every_part_of_the_question():
    base = Query("p.x = %s", (1, "a"), Table.EVENTS, Kind.EVENTS, "seen")
    others = [
        replace(base, where="p.y = %s"),
        replace(base, params=("a", 1)),
        replace(base, params=(1, "a", None)),
        replace(base, params=("1", "a")),
        replace(base, params=(1.5, "a")),
        replace(base, params=(True, "a")),
        replace(base, table=Table.PROFILES),
        replace(base, kind=Kind.ATTRIBUTES),
        replace(base, event="bought"),
        replace(base, where="p.x = %s' 'a", params=()),
        replace(base, params=(NOW.date(), "a")),
    ]
    assert len({query.digest for query in [base, *others]}) == 1 + len(others)
    assert all(len(query.digest) == 16 for query in others)
    assert replace(base).digest == base.digest


@pytest.mark.parametrize("ids", [0, 1, selection.RANGE - 1])
def test_however_long_a_small_table_takes_no_pace_is_learned_from_it(ids):
    pace = selection._Pace()
    pace.note(ids, 60.0)
    assert pace.seconds_per_id == selection._Pace.seconds_per_id


def test_the_pace_is_that_of_the_last_large_table():
    pace = selection._Pace()
    pace.note(1_000_000, 2.0)
    assert pace.seconds_per_id == 2e-6
