"""Segments may mention segments, but never in circles, never broken ones, and never those of others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from segments import audience, filters, references
from segments.filters import FilterError
from segments.models import Segment
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition, group, leaf
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
IDENTIFIED = leaf("identity", "identified")
GONE = "This segment does not exist any more. Choose another one."


def inside(*segments, operator="in"):
    return leaf("segment", operator, [segment.pk for segment in segments])


def segment(name, *nodes, **more):
    return SegmentFactory.create(name=name, definition=definition(*(nodes or [IDENTIFIED])), **more)


def become(one, *nodes):
    """Give a segment other filters, past all checks."""
    one.definition = definition(*nodes)
    one.save()


def faults_of(workspace, *nodes, own=None):
    """Return message and pointer of all faults of a definition."""
    tree = filters.parse(definition(*nodes))
    try:
        audience.ask(workspace=workspace, tree=tree, now=NOW, own=own)
    except FilterError as error:
        return {fault.pointer: fault.message for fault in error.faults}
    return {}


def test_a_segment_of_segments_of_segments_selects_whom_they_select(workspace):
    french, _german = ProfileFactory.create(country="FR"), ProfileFactory.create(country="DE")
    first = segment("first", leaf("country", "is_one_of", ["FR"]))
    second = segment("second", inside(first, operator="not_in"))
    third = segment("third", inside(second, operator="not_in"), inside(first))
    tree = filters.parse(definition(inside(third), inside(second, operator="not_in")))
    assert set(audience.members(workspace=workspace, tree=tree, now=NOW)) == {french.pk}


# --- circles -----------------------------------------------------------------------------------------------------
def test_a_segment_that_mentions_itself_is_refused_with_its_name(workspace):
    own = segment("VIP")
    pointer = "/root/children/1/children/0/value"
    assert faults_of(workspace, IDENTIFIED, group(inside(own)), own=own) == {
        pointer: "A segment cannot be made of itself: “VIP” → “VIP”."
    }


@pytest.mark.parametrize("operator", ["in", "not_in"])
def test_a_circle_over_others_is_refused_with_the_whole_path(workspace, operator):
    own = segment("A")
    second = segment("B", inside(own, operator=operator))
    third = segment("C", IDENTIFIED, group(inside(segment("harmless"), second), exclude=True))
    assert faults_of(workspace, inside(third, operator=operator), own=own) == {
        "/root/children/0/value": "A segment cannot be made of itself: “A” → “C” → “B” → “A”."
    }
    assert faults_of(workspace, inside(third)) == {}  # for any other segment, it is none


def test_a_circle_among_others_is_a_fault_of_whoever_mentions_it(workspace):
    first, second = segment("B"), segment("C")
    become(first, inside(second)), become(second, inside(first))
    expected = {"/root/children/0/value": "A segment cannot be made of itself: “B” → “C” → “B”."}
    assert faults_of(workspace, inside(first)) == expected
    outer = segment("D", inside(first))
    found = faults_of(workspace, inside(outer))["/root/children/0/value"]
    assert found == "A segment cannot be made of itself: “D” → “B” → “C” → “B”."
    summaries = audience.summaries(workspace=workspace, segments=[first, second, outer], now=NOW)
    assert [summary.size for summary in summaries] == [None] * 3


def test_what_a_segment_was_before_makes_no_circle(workspace):
    other = segment("B")
    own = segment("A", inside(other))
    assert faults_of(workspace, IDENTIFIED, own=own) == {}
    become(other, inside(own))  # as two people may save at the same moment
    assert faults_of(workspace, IDENTIFIED, own=own) == {}
    assert faults_of(workspace, inside(other), own=own)


def test_two_ways_to_the_same_segment_are_no_circle(workspace):
    base = segment("base")
    left, right = segment("left", inside(base)), segment("right", inside(base))
    assert faults_of(workspace, inside(left, right), inside(base), own=segment("own")) == {}


def test_however_many_ways_lead_to_a_segment_it_is_looked_at_once(workspace):
    """Thirty levels of two segments that mention both of the next: a thousand million ways."""
    level = [segment("a0"), segment("b0")]
    for number in range(1, 31):
        level = [segment(f"{name}{number}", inside(*level)) for name in "ab"]
    assert faults_of(workspace, inside(*level), own=segment("own")) == {}
    person = ProfileFactory.create()
    tree = filters.parse(definition(inside(*level)))
    assert set(audience.members(workspace=workspace, tree=tree, now=NOW)) == {person.pk}


# --- what is broken, and what is not there -----------------------------------------------------------------------
@pytest.mark.parametrize(
    "broken", [cohorts(987_654), leaf("segment", "in", [987_654]), {"type": "of the future"}]
)
def test_a_segment_that_needs_attention_is_named_even_if_it_is_mentioned_by_another(workspace, broken):
    lost = segment("Lost", broken)
    outer = segment("Outer", inside(lost))
    message = "The segment “Lost” has a filter that needs attention."
    assert faults_of(workspace, IDENTIFIED, inside(lost)) == {"/root/children/1/value": message}
    assert faults_of(workspace, inside(outer)) == {"/root/children/0/value": message}


def test_every_filter_at_fault_is_told_of_once(workspace):
    own = segment("own")
    lost = segment("Lost", cohorts(987_654))
    found = faults_of(workspace, inside(own, lost), inside(lost), inside(own), cohorts(987_654), own=own)
    assert found.keys() == {f"/root/children/{place}/value" for place in range(4)}


def test_a_segment_of_another_workspace_is_as_good_as_none(workspace):
    elsewhere = WorkspaceFactory.create()
    foreign = segment("Secret", workspace=elsewhere)
    for operator in ("in", "not_in"):
        found = faults_of(workspace, inside(foreign, operator=operator))
        assert found == {"/root/children/0/value": GONE}
    mine = segment("mine", inside(foreign))
    assert "Secret" not in str(faults_of(workspace, inside(mine)))
    assert references.load(workspace=workspace, trees=[filters.parse(mine.definition)]).there.segments == {}
    assert faults_of(elsewhere, inside(foreign)) == {}


def test_names_are_those_of_all_that_is_mentioned(workspace):
    cohort = CohortFactory(name="Lapsed")
    inner = segment("inner", cohorts(cohort.pk))
    mentioned = references.load(workspace=workspace, trees=[filters.parse(definition(inside(inner)))])
    assert mentioned.there.names.segments == {inner.pk: "inner"}
    assert mentioned.there.names.cohorts == {cohort.pk: "Lapsed"}
    assert mentioned.trees.keys() == {inner.pk}


def test_a_level_of_many_segments_is_one_query(workspace):
    many = [segment(f"s{number}") for number in range(20)]
    trees = [filters.parse(definition(inside(*many[:count]))) for count in (1, 20)]
    counts = []
    for tree in trees:
        with CaptureQueriesContext(connection) as queries:
            references.load(workspace=workspace, trees=[tree])
        counts.append(len(queries))
    assert counts == [1, 1]


def test_definitions_that_cannot_be_read_are_left_out():
    good = definition(IDENTIFIED)
    found = references.readable(
        [(1, good), (2, {}), (3, definition()), (4, definition(leaf("x", "y"))), (5, None)]
    )
    assert found.keys() == {1}


def test_an_archived_segment_can_still_be_mentioned(workspace):
    archived = segment("old", archived_at=NOW)
    assert faults_of(workspace, inside(archived)) == {}
    assert Segment.objects.active().count() == 0
