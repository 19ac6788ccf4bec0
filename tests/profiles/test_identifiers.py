"""Which keys a member carries: the usual order, an operator's rules, and both against a naive reading of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import identifiers, mapping, matching
from profiles.mapping import USUAL, Kind, Rule

PROPERTIES = ["$device_id", "mixpanel_distinct_id", "$user_id", "user_id", "external_id", "crm", "card"]
VALUES = st.one_of(
    st.sampled_from(["", " ", "null", "ann", "$device:d1", "$device:", "$device:null", "a:b%"]),
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.just([]),
)
MEMBERS = st.lists(st.dictionaries(st.sampled_from(PROPERTIES), VALUES), max_size=5)
RULES = st.lists(
    st.builds(Rule, st.sampled_from(PROPERTIES), st.sampled_from([Kind.EXTERNAL_ID, Kind.DEVICE_ID]))
    | st.builds(
        Rule, st.sampled_from(PROPERTIES), st.just(Kind.ALIAS), st.sampled_from(["card", "a:b", "%"])
    ),
    min_size=1,
    unique=True,
)


def somebody(value: Any) -> str:
    """Return an id as text; blank for what is none, or stands for nobody."""
    is_id = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value) if is_id and not matching.is_nobody(str(value)) else ""


def naive_keys(rules: tuple[Rule, ...] | list[Rule], member: dict[str, Any]) -> list[str]:
    """Read the rules one after the other, as their page tells them."""
    keys = []
    for rule in rules:
        value = somebody(member.get(rule.name))
        if rule.name == "mixpanel_distinct_id" and rule.kind == Kind.DEVICE_ID:
            value = somebody(value[8:]) if value.startswith("$device:") else ""
        if not value:
            continue
        if rule.kind == Kind.EXTERNAL_ID:
            keys.append(matching.external_id_key(value))
        elif rule.kind == Kind.DEVICE_ID:
            keys.append(matching.device_key(value))
        else:
            keys.append(matching.alias_key(rule.label, value))
    return keys


@given(MEMBERS)
def test_usual_order_is_what_its_rules_say(members):
    assert [list(keys) for _, keys in identifiers.of_members(members)] == [
        naive_keys(USUAL, member) for member in members
    ]


@given(MEMBERS, RULES)
def test_operators_rules_are_tried_in_their_order(members, rules):
    found = identifiers.of_members(members, rules=mapping.to_store(rules))
    assert [list(keys) for _, keys in found] == [naive_keys(rules, member) for member in members]


@given(MEMBERS)
def test_members_are_shown_alike_whoever_wrote_the_usual_rules_down(members):
    written = [{"property": it.name, "identifier": it.kind.value, "label": it.label} for it in mapping.USUAL]
    assert [(shown, list(keys)) for shown, keys in identifiers.of_members(members, rules=written)] == [
        (shown, list(keys)) for shown, keys in identifiers.of_members(members)
    ]


@given(MEMBERS, RULES)
def test_one_rule_finds_what_all_of_them_find(members, rules):
    for member in members:
        assert [key for rule in rules if (key := identifiers.key_by(rule, member))] == naive_keys(
            rules, member
        )


@given(RULES)
def test_rules_are_stored_and_read_without_loss(rules):
    assert mapping.read(mapping.to_store(rules)) == tuple(rules)


def test_usual_rules_are_stored_as_nothing():
    assert mapping.to_store(USUAL) == []
    assert mapping.read([]) == USUAL


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(" ", Kind.EXTERNAL_ID), "name of a property"),
        (Rule("x" * 256, Kind.EXTERNAL_ID), "255"),
        (Rule("card", Kind.ALIAS), "label"),
        (Rule("card", Kind.ALIAS, "y" * 256), "255"),
        (Rule("a\0b", Kind.DEVICE_ID), "NUL"),
        (Rule("$user_id", Kind.EXTERNAL_ID), "same as a line above"),
    ],
)
def test_faulty_rule_is_told_what_is_wrong(rule, words):
    found = mapping.faults([Rule("$user_id", Kind.EXTERNAL_ID), rule])
    assert list(found) == [1]
    assert words in found[1]


def test_good_rules_have_no_fault():
    assert mapping.faults(USUAL) == {}


@pytest.mark.parametrize(
    ("rules", "own"),
    [
        ((), ""),
        (USUAL, ""),
        ((Rule("crm", Kind.EXTERNAL_ID), *USUAL), "crm"),
        ((*USUAL, Rule("crm", Kind.EXTERNAL_ID), Rule("b", Kind.EXTERNAL_ID)), "crm"),
        ((Rule("crm", Kind.ALIAS, "card"), Rule("mixpanel_distinct_id", Kind.EXTERNAL_ID)), ""),
    ],
)
def test_events_follow_the_property_that_the_operator_added(rules, own):
    assert mapping.own_external_id_property(mapping.to_store(rules)) == own
