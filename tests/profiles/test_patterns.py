"""Regular expressions mean the same to RE2 and to the database, are refused clearly, and never take long."""

from __future__ import annotations

import re
import time

import pytest
from django.db import connection
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from profiles import patterns, selection
from profiles.patterns import PatternError

LETTERS = "abzABZ059 _-.^é\n"
texts = st.lists(st.text(alphabet=LETTERS + "ß\\]", max_size=8), min_size=1, max_size=12)
signs = st.sampled_from([r"\.", r"\\", r"\]", r"\-", r"\^"])
in_sets = st.lists(
    st.one_of(
        st.sampled_from(LETTERS.replace("^", "")),
        signs,
        st.sampled_from([r"\d", r"\w", r"\s", "a-z", "A-b", "5-c", "-", "a-", "0-9-"]),
    ),
    min_size=1,
    max_size=4,
).map("".join)
sets = st.builds("[{}{}]".format, st.sampled_from(["", "^"]), in_sets)
atoms = st.one_of(
    st.sampled_from(LETTERS.replace("^", "") + "^$"),
    signs,
    st.sampled_from([r"\d", r"\W", r"\s", r"\S"]),
    sets,
)
quantifiers = st.sampled_from(
    ["", "", "", "*", "+", "?", "*?", "{0}", "{2}", "{1,3}", "{2,}", "{01}", "{2}{2}", "**"]
)
expressions = st.recursive(
    st.builds("{}{}".format, atoms, quantifiers),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.builds("({}){}".format, inner, quantifiers),
        st.builds("(?:{}){}".format, inner, quantifiers),
    ),
    max_leaves=6,
)
written = st.builds("{}{}".format, st.sampled_from(["", "", "(?i)"]), expressions)


def in_database(pattern: str, among: list[str]) -> list[bool]:
    """Return what the database answers, one statement for all texts."""
    if connection.vendor == "postgresql":
        sql = "SELECT t ~ %s FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n"
        parameters: list = [pattern, among]
    else:
        connection.ensure_connection()
        selection.teach(connection.connection)
        sql = " UNION ALL ".join(f"SELECT {patterns.FUNCTION}(%s, %s)" for _ in among)
        parameters = [value for text in among for value in (pattern, text)]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [bool(row[0]) for row in cursor.fetchall()]


@pytest.mark.django_db
@given(written, texts)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_let_through_means_the_same_to_re2_and_to_the_database(pattern, among):
    try:
        portable = patterns.portable(pattern)
    except PatternError:
        assume(False)
    assert in_database(portable, among) == [patterns.matches(portable, text) for text in among]


@given(expressions, texts)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_writing_classes_out_changes_no_meaning(pattern, among):
    """Python's engine is a third opinion: what it finds with its own classes is what was asked for."""
    try:
        portable = patterns.portable(pattern)
    except PatternError:
        assume(False)
    assume("$" not in pattern)  # Python's also stands before a newline at the end
    found = re.compile(pattern, re.DOTALL | re.ASCII)
    assert [patterns.matches(portable, text) for text in among] == [
        bool(found.search(text)) for text in among
    ]


@given(in_sets, st.sampled_from("^ "), texts)
def test_folded_patterns_match_ascii_letters_in_either_case_and_no_others(inside, negated, among):
    pattern = f"[{negated.strip()}{inside}]"
    try:
        portable = patterns.portable(f"(?i){pattern}")
    except PatternError:
        assume(False)
    folded = re.compile(pattern, re.DOTALL | re.ASCII | re.IGNORECASE)
    letters = [text.replace("é", "x") for text in among]
    assert [patterns.matches(portable, text) for text in letters] == [
        bool(folded.search(it)) for it in letters
    ]


def test_folding_is_asked_for_at_the_beginning_and_of_ascii_only():
    folded = patterns.portable("(?i)straße [x-z]é")
    assert patterns.matches(folded, "STRAße Yé")
    assert not patterns.matches(folded, "STRASSE Yé")
    assert not patterns.matches(folded, "straße yÉ")
    with pytest.raises(PatternError, match="not supported"):
        patterns.portable("a(?i)b")


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"(a)\1",
            r"a(?=b)",
            r"a(?!b)",
            r"(?<=a)b",
            r"(?<n>a)",
            r"(?P<n>a)",
            r"\bword",
            r"\Aa",
            r"a\Z",
            r"\pL",
        ),
        *(
            r"\x41",
            r"\n",
            r"[[:alpha:]]",
            r"[[.a.]]",
            "(?s)a",
            "(?i:a)",
            "a{,3}",
            "a{01}",
            "a{1000}",
            "{",
            "}",
        ),
        *("^*", "$+", "^?a", "^{2}", "|*", "(*a)", "(?:+)", "*a", "a{2}{3}", "a**", "a+++"),
        *("[a-c-e]", r"[\d-z]", "[a-z0-9-.]", "[z-a]", "[]", "[^]", "[a", "a]", "(", ")", "(?:", "a|(", "\\"),
        *("***a", "a{300}", "(?:(?:a?){30}){30}", "(?:a{16}){16}", "(?:" + "a?" * 60 + "){5}", "a" * 201),
    ],
)
def test_what_engines_read_differently_or_what_takes_long_is_refused_in_words(pattern):
    with pytest.raises(PatternError) as caught:
        patterns.portable(pattern)
    message = str(caught.value)
    assert message.startswith(("“", "This ", "A regular expression has"))
    assert "b'" not in message


@pytest.mark.parametrize("pattern", [r"[\\d]", r"[\\dx]"])
def test_an_escaped_backslash_in_a_set_begins_no_class(pattern):
    portable = patterns.portable(pattern)
    assert patterns.matches(portable, "\\")
    assert patterns.matches(portable, "d")
    assert not patterns.matches(portable, "5")


CATASTROPHES = [
    "(a+)+$",
    "(?:a*)*b",
    "(?:a|aa)+$",
    "(?:a|a)*b",
    "(?:.*){20}x",
    "(?:a?){120}a{120}",
    "(?:(?:a?){15}){15}",
    "(?:(?:a|b)?){127}",
    "(?:[ab]*a){100}c",
    "(?:a|b)*a(?:a|b){120}",
    "(?:" * 30 + "a" + ")*" * 30,
    "a?" * 100,
    "(?:" + "a?" * 50 + "){5}",
]


@pytest.mark.django_db
@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_no_pattern_that_is_let_through_takes_long(pattern):
    among = ["a" * 255, "ab" * 127 + "!", "b" * 255]
    portable = patterns.portable(pattern)
    began = time.process_time(), time.monotonic()
    answers = in_database(portable, among)
    assert answers == [patterns.matches(portable, text) for text in among]
    taken = time.process_time() - began[0] if connection.vendor == "sqlite" else time.monotonic() - began[1]
    assert taken < 5  # a backtracking engine takes years
