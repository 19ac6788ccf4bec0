"""Identifiers in, profile ids out."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from profiles import matching
from profiles.matching import Reason
from tests.profiles.factories import ProfileFactory, add_identifiers, erase, make_people

ODD = [
    "",
    " ",
    "a b",
    "ünï",
    "🎉",
    '"',
    "\\",
    "a:b",
    "%",
    "%3A",
    "\n",
    "'",
    "a" * 2_000,
    "e:x",
    "null",
    "\u2028",
]


def match(workspace, *candidates):
    return matching.match(workspace_id=workspace.pk, candidates=candidates)


@pytest.mark.django_db
@pytest.mark.parametrize("value", ODD)
def test_any_text_is_matched_exactly(workspace, value):
    person = ProfileFactory.create()
    add_identifiers(person, [f"e:{value}"])
    assert match(workspace, [f"e:{value}"], [f"e:{value} "], [f"e:{value}x"]) == [
        person.pk,
        Reason.UNKNOWN,
        Reason.UNKNOWN,
    ]


@pytest.mark.django_db
def test_case_matters(workspace):
    person = ProfileFactory.create(external_id="Ann")
    assert match(workspace, ["e:Ann"], ["e:ann"], ["e:ANN"]) == [person.pk, Reason.UNKNOWN, Reason.UNKNOWN]


@pytest.mark.django_db
def test_composed_and_decomposed_letters_are_different_ids(workspace):
    ProfileFactory.create(external_id="caf\u00e9")
    assert match(workspace, ["e:cafe\u0301"]) == [Reason.UNKNOWN]


@pytest.mark.django_db
def test_outcomes_come_in_the_order_of_the_members(workspace):
    ids = make_people(workspace, [f"p{n}" for n in range(50)])
    wanted = [f"p{n}" for n in range(60, -1, -1)]
    assert match(workspace, *([f"e:{name}"] for name in wanted)) == [
        ids.get(name, Reason.UNKNOWN) for name in wanted
    ]


@pytest.mark.django_db
def test_first_candidate_that_matches_wins(workspace):
    ann, ben = ProfileFactory.create(external_id="ann"), ProfileFactory.create(external_id="ben")
    assert match(workspace, ["e:x", "e:ben", "e:ann"], ["e:ann", "e:ben"]) == [ben.pk, ann.pk]


@pytest.mark.django_db
def test_member_without_candidates_is_invalid(workspace):
    assert match(workspace, [], []) == [Reason.INVALID, Reason.INVALID]


@pytest.mark.django_db
def test_device_of_an_identified_profile_says_why_it_does_not_match(workspace):
    ProfileFactory.create(devices=["hers"])
    ghost = ProfileFactory.create(anonymous=True, devices=["a-ghosts"])
    outcomes = match(workspace, ["d:hers"], ["d:a-ghosts"], ["e:x", "d:hers"], ["d:nobodys"])
    assert outcomes == [Reason.IDENTIFIED, ghost.pk, Reason.IDENTIFIED, Reason.UNKNOWN]


@pytest.mark.django_db
def test_later_candidate_matches_although_a_device_is_identified(workspace):
    ProfileFactory.create(devices=["hers"])
    ann = ProfileFactory.create(external_id="ann")
    assert match(workspace, ["d:hers", "e:ann"]) == [ann.pk]


@pytest.mark.django_db
def test_other_workspaces_profiles_are_never_matched(workspace, other_workspace):
    make_people(other_workspace, ["ann"])
    assert match(workspace, ["e:ann"]) == [Reason.UNKNOWN]
    here = make_people(workspace, ["ann"])
    assert match(workspace, ["e:ann"]) == [here["ann"]]


@pytest.mark.django_db
def test_erased_profile_is_not_matched(workspace):
    person = ProfileFactory.create(external_id="ann")
    erase(person)
    assert match(workspace, ["e:ann"]) == [Reason.UNKNOWN]


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 1_000])
@pytest.mark.parametrize(("known", "queries"), [(True, 1), (False, 2)])
def test_one_query_and_one_more_if_some_stayed_unmatched(workspace, monkeypatch, size, known, queries):
    asked = []
    real = matching.lookup
    monkeypatch.setattr(matching, "lookup", lambda **kwargs: asked.append(kwargs["keys"]) or real(**kwargs))
    names = [f"p{n}" for n in range(size)]
    make_people(workspace, names if known else [])
    match(workspace, *([f"e:{name}", f"a:l:{name}"] for name in names))
    assert len(asked) == queries


@pytest.mark.django_db
def test_no_members_cost_no_query(workspace, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert match(workspace) == []
        assert match(workspace, []) == [Reason.INVALID]


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_two_aliases_never_share_a_key(one, other):
    assert (matching.alias_key(*one) == matching.alias_key(*other)) == (one == other)


@given(st.text())
def test_kinds_of_identifiers_never_share_a_key(text):
    keys = {
        matching.external_id_key(text),
        matching.alias_key("", text),
        matching.device_key(text),
        matching.device_key(text, identified=True),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "NULL",
        "None",
        "\t\n",
        "0",
        "-1",
        "N/A",
        "<NIL>",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_nobody_is_nobody(value):
    assert matching.is_nobody(value)


@pytest.mark.parametrize(
    "value", ["00", "1", "-2", "nobody", "nulls", "anonymous-7", "0" * 32, "a" * 100, "{ }", " null"]
)
def test_others_are_somebody(value):
    assert not matching.is_nobody(value)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_matching_compares_bytes_in_an_index_that_covers_the_profile():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'profiles_identifier_pkey'")
        assert "(workspace_id, key) INCLUDE (profile_id)" in cursor.fetchone()[0]
        cursor.execute(
            "SELECT collation_name FROM information_schema.columns "
            "WHERE table_name = 'profiles_identifier' AND column_name = 'key'"
        )
        assert cursor.fetchone()[0] == "C"
