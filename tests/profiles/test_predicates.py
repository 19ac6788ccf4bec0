"""Conditions select the same on both databases, whatever attributes are called and whatever they hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from profiles import predicates, selection
from profiles.models import Profile
from profiles.selection import Query
from tests.accounts.factories import WorkspaceFactory
from tests.profiles.factories import mark_existence
from tests.profiles.questions import computed

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = [
    *(
        "plan",
        "",
        " ",
        '"',
        "'",
        "\\",
        '\\"',
        "$",
        "$.x",
        "$time",
        "a.b",
        "[0]",
        "*",
        "?",
        "%s",
        "%",
        "{x}",
        "é",
        "名",
    ),
    *(
        "\n",
        "\t",
        "\u2028",
        "💥",
        "x" * 255,
        "'; DROP TABLE x; --",
        "a\\u0041",
        "@",
        "\x7f",
        "&&",
        "//",
        "/* */",
    ),
]
names = st.one_of(
    st.sampled_from(NAMES),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
)
scalars = st.one_of(
    st.sampled_from(
        ["", "a", "1", "true", "null", "2026-01-02", 0, 1, -1, 1.5, 1e300, 2**62, True, False, None]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.sampled_from(
        [{}, {"a": 1}, {"$time": "2026-01-02T00:00:00Z"}, {"$time": "2026-W01-1T00:00:00"}, [["a"]]]
    ),
)


def people_with(workspace, *attributes):
    people = Profile.objects.bulk_create(
        Profile(workspace=workspace, custom_attributes=each, date_of_birth=date(2000, 2, 29))
        for each in attributes
    )
    mark_existence(*people)
    return people


def selects(workspace, condition, people):
    """Return whom a condition selects, as places among some people; asked of the table, and of them alone."""
    query = Query(condition.text, condition.params)
    everywhere = computed(workspace, query)
    ids = BitMap(person.pk for person in people)
    among = selection.among(workspace_id=workspace.pk, queries=[query], profile_ids=ids)[query]
    assert set(among) == everywhere
    return [place for place, person in enumerate(people) if person.pk in everywhere]


@given(names, st.lists(values, min_size=1, max_size=6), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_name_and_any_value_is_read_by_its_type_and_never_an_error(name, held, data):
    workspace = WorkspaceFactory.create()
    other = data.draw(names.filter(lambda it: it != name), label="another name")
    people = people_with(workspace, {}, {other: "a"}, *({name: value, other: "a"} for value in held))
    own = [None, None, *held]

    def holds(condition):
        return [own[place] for place in selects(workspace, condition, people)]

    def of(*types):
        return [value for value in own if type(value) in types]

    text, number = predicates.attribute_text(name), predicates.attribute_number(name)
    assert holds(predicates.equal(text, "a", "1", "true")) == [
        it for it in of(str) if it in ("a", "1", "true")
    ]
    assert holds(predicates.containing(text, "a")) == [it for it in of(str) if "a" in it]
    assert holds(predicates.starting(text, "a")) == [it for it in of(str) if it.startswith("a")]
    assert holds(predicates.ending(text, "1")) == [it for it in of(str) if it.endswith("1")]
    assert holds(predicates.matching(text, "^.$")) == [it for it in of(str) if len(it) == 1]
    assert holds(predicates.filled(text)) == [it for it in of(str) if it]
    assert holds(predicates.compared(number, ">", 0)) == [it for it in of(int, float) if it > 0]
    assert holds(predicates.compared(number, "=", 1.5)) == [it for it in of(int, float) if it == 1.5]
    assert holds(predicates.between(number, -1, 1)) == [it for it in of(int, float) if -1 <= it <= 1]
    boolean = predicates.attribute_boolean(name)
    assert holds(predicates.equal(boolean, True)) == [it for it in own if it is True]
    assert holds(predicates.equal(boolean, False)) == [it for it in own if it is False]
    has = predicates.attribute_list_has(name, ["a", "1"])
    assert holds(has) == [
        it for it in of(list) if {"a", "1"} & {each for each in it if isinstance(each, str)}
    ]
    assert holds(predicates.attribute_exists(name)) == [it for it in own if it is not None and it != ""]
    at = predicates.compared(predicates.attribute_time(name), ">=", DAY)
    assert holds(at) == [it for it in of(dict) if it == {"$time": "2026-01-02T00:00:00Z"}]


TIMES = {
    "2026-01-01T23:59:59.999999Z": False,
    "2026-01-01T23:59:59.9996Z": False,
    "2026-01-02": True,
    "2026-01-02 00:00": True,
    "2026-01-02T00:00:00.000Z": True,
    "2026-01-02T01:59:59+02:00": False,
    "2026-01-02T02:00:00+0200": True,
    "2026-01-01T10:00:00-14:00": True,
    "2026-01-01T10:01:00-13:59": True,
    "9999-12-31T23:59:59Z": True,
    "0001-01-01T00:00:00Z": False,
}
NO_TIMES = [
    *("2026-W01-1T00:00:00", "2026-08-27 10:11:12,5", "2026-01-02T10:00:00+05:99", "20260102T101010Z", "now"),
    *(
        "infinity",
        "2026-01-02T10:00:00+23:59",
        "2026-13-01",
        "",
    ),
    *("2026-01-02T10Z", "tomorrow", "2026-01-02T10:00:00.1234567Z", "2026-01-02\n"),
]


def test_times_compare_exactly_whatever_their_offset_and_fraction(workspace):
    people = people_with(workspace, *({"at": {"$time": text}} for text in TIMES))
    moment = predicates.attribute_time("at")
    since = selects(workspace, predicates.compared(moment, ">=", DAY), people)
    before = selects(workspace, predicates.compared(moment, "<", DAY), people)
    assert [list(TIMES)[place] for place in since] == [text for text, is_since in TIMES.items() if is_since]
    assert sorted(since + before) == list(range(len(TIMES)))


def test_times_that_a_database_cannot_read_are_no_error_and_no_time(workspace):
    people = people_with(
        workspace,
        *({"at": {"$time": text}} for text in NO_TIMES),
        {"at": {"$time": 5}},
        {"at": {"$time": None}},
    )
    moment = predicates.attribute_time("at")
    for condition in (predicates.compared(moment, ">=", DAY), predicates.compared(moment, "<", DAY)):
        assert selects(workspace, condition, people) == []
    assert len(selects(workspace, predicates.attribute_exists("at"), people)) == len(people)


def test_texts_compare_case_sensitively_and_wildcards_stand_for_themselves(workspace):
    texts = ["Ab", "ab", "a_b", "a%b", "é", "É", "e\u0301"]
    people = people_with(workspace, *({"x": text} for text in texts))
    text = predicates.attribute_text("x")
    for part in ("A", "_", "%", "é", "a%"):
        for condition, plainly in (
            (predicates.containing, lambda it, part: part in it),
            (predicates.starting, str.startswith),
            (predicates.ending, str.endswith),
            (predicates.equal, str.__eq__),
        ):
            found = [texts[place] for place in selects(workspace, condition(text, part), people)]
            assert found == [it for it in texts if plainly(it, part)], (condition.__name__, part)


@pytest.mark.parametrize(
    ("day", "years", "before"),
    [
        (date(2028, 2, 29), 4, date(2024, 2, 29)),
        (date(2028, 2, 29), 1, date(2027, 2, 28)),
        (date(2028, 2, 29), 128, date(1900, 2, 28)),
        (date(2027, 3, 1), 27, date(2000, 3, 1)),
        (date(2027, 3, 1), 0, date(2027, 3, 1)),
    ],
)
def test_years_before_a_day_end_on_the_last_of_february(day, years, before):
    assert predicates.years_before(day, years) == before


# --- random buckets ------------------------------------------------------------------------------------------
def buckets_by_sql(ids):
    bucket = predicates.bucket_sql()
    source = (
        "unnest(%s::int[]) AS p (id)"
        if connection.vendor == "postgresql"
        else ("(SELECT value AS id FROM json_each(%s)) p")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.id, {bucket.text} FROM {source}",
            [*bucket.params, ids if connection.vendor == "postgresql" else str(ids)],
        )
        return dict(cursor.fetchall())


def test_the_database_puts_everybody_into_the_bucket_that_python_does():
    ids = [*range(1, 5_000), *range(2**31 - 2_000, 2**31 - 1), *range(10_000_000, 10_001_000)]
    assert buckets_by_sql(ids) == {profile_id: predicates.bucket(profile_id) for profile_id in ids}


@pytest.mark.parametrize("first", [1, 7_000_000])
@pytest.mark.parametrize("parts", [2, 10, 100, 1_000])
def test_buckets_are_evenly_filled(first, parts):
    """By chi-square on 100,000 ids in a row: five deviations from what chance would do, in either direction."""
    count = 100_000
    filled = [0] * parts
    for profile_id in range(first, first + count):
        bucket = predicates.bucket(profile_id)
        assert 0 <= bucket < predicates.BUCKETS
        filled[bucket * parts // predicates.BUCKETS] += 1
    expected = count / parts
    chi_square = sum((found - expected) ** 2 / expected for found in filled)
    degrees = parts - 1
    assert chi_square < degrees + 5 * (2 * degrees) ** 0.5


@pytest.mark.parametrize("step", [2, 3, 10, 64, 1_000])
def test_buckets_of_ids_that_have_something_in_common_are_evenly_filled_too(step):
    filled = [0] * 10
    for place in range(20_000):
        filled[predicates.bucket(1 + place * step) // 1_000] += 1
    assert sum((found - 2_000) ** 2 / 2_000 for found in filled) < 9 + 5 * 18**0.5


def test_buckets_never_change():
    """Written down once: a holdout of today must be that of next year."""
    assert [predicates.bucket(it) for it in (1, 2, 3, 1_000, 123_456_789, 2**31 - 1)] == [
        *(2837, 9289, 7142, 4860, 3187, 2900)
    ]
