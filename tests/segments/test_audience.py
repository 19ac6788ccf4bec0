"""Audiences are exact, of live profiles only, and of one's own workspace only."""

from __future__ import annotations

import pytest

from segments import audience, filters
from segments.filters import FilterError
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory, erase
from tests.segments.definitions import cohorts, definition, group
from tests.segments.factories import SegmentFactory


@pytest.fixture
def people(workspace):
    return ProfileFactory.create_batch(5)


def tree_of(*children, **options):
    return filters.parse(definition(*children, **options))


def test_members_are_those_the_tree_selects(workspace, people):
    lapsed, valuable = CohortFactory(members=people[:3]), CohortFactory(members=people[2:4])
    tree = tree_of(cohorts(lapsed.pk), cohorts(valuable.pk, operator="does_not_include"))
    assert set(audience.members(workspace=workspace, tree=tree, now=NOW)) == {people[0].pk, people[1].pk}


def test_a_change_of_a_cohort_is_seen_at_once(workspace, people):
    cohort = CohortFactory(members=people[:1])
    change_members(cohort, people[1:3])
    assert len(audience.members(workspace=workspace, tree=tree_of(cohorts(cohort.pk)), now=NOW)) == 3


def test_counts_name_total_universe_and_every_node(workspace, people):
    cohort = CohortFactory(members=people[:2], name="Lapsed")
    counts = audience.counts(
        workspace=workspace,
        tree=tree_of(group(cohorts(cohort.pk), exclude=True), cohorts(cohort.pk), operator="or"),
    )
    assert (counts.size.total, counts.universe) == (5, 5)
    assert {node.pointer: node.count for node in counts.nodes} == {
        "/root": 5,
        "/root/children/0": 3,
        "/root/children/0/children/0": 2,
        "/root/children/1": 2,
    }
    assert "“Lapsed”" in counts.sentence


def test_an_erased_profile_is_in_no_audience(workspace, people):
    cohort = CohortFactory(members=people)
    erase(people[0])
    counts = audience.counts(workspace=workspace, tree=tree_of(cohorts(cohort.pk)), now=NOW)
    assert (counts.size.total, counts.universe) == (4, 4)
    nobody = tree_of(cohorts(CohortFactory().pk, operator="does_not_include"))
    assert people[0].pk not in audience.members(workspace=workspace, tree=nobody, now=NOW)


def test_a_cohort_of_another_workspace_is_as_good_as_none(workspace, people):
    foreign = CohortFactory(workspace=WorkspaceFactory.create(), name="Secret")
    for operator in ("includes", "does_not_include"):
        with pytest.raises(FilterError) as caught:
            audience.counts(
                workspace=workspace, tree=tree_of(cohorts(foreign.pk, operator=operator)), now=NOW
            )
        assert "Secret" not in str(caught.value)


def test_summaries_take_the_same_queries_for_one_and_many(workspace, people, django_assert_num_queries):
    cohort = CohortFactory(members=people[:2])
    many = [SegmentFactory.create(definition=definition(cohorts(cohort.pk))) for _ in range(10)]
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        audience.summaries(workspace=workspace, segments=many[:1])
    with django_assert_num_queries(len(one)):
        found = audience.summaries(workspace=workspace, segments=many)
    assert [summary.size for summary in found] == [2] * 10


def test_a_segment_that_lost_its_cohort_has_no_size(workspace):
    segment = SegmentFactory.create(definition=definition(cohorts(123_456)))
    assert audience.summaries(workspace=workspace, segments=[segment])[0].size is None


def test_segments_of_a_profile_are_those_that_select_it(people):
    cohort = CohortFactory(members=people[:1])
    inside = SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    SegmentFactory.create(definition=definition(cohorts(cohort.pk, operator="does_not_include")))
    SegmentFactory.create(
        workspace=WorkspaceFactory.create(), definition=definition(cohorts(cohort.pk), exclude=True)
    )
    assert audience.segments_of(profile=people[0]) == [inside]


def test_segments_using_a_cohort_are_those_that_mention_it(workspace):
    cohort, other = CohortFactory(), CohortFactory()
    nested = SegmentFactory.create(definition=definition(group(cohorts(cohort.pk, other.pk), exclude=True)))
    SegmentFactory.create(definition=definition(cohorts(other.pk)))
    assert audience.segments_using(cohort=cohort) == [nested]
