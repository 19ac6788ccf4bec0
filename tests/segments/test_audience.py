"""Audiences are exact, of live profiles only, and of one's own workspace only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from segments import audience, filters
from segments.filters import FilterError
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory, erase
from tests.segments.definitions import cohorts, definition, group, leaf
from tests.segments.factories import SegmentFactory

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


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
        now=NOW,
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
    audience.summaries(workspace=workspace, segments=many[:1], now=NOW)  # now the filter bitmaps are there
    with CaptureQueriesContext(connection) as one:
        audience.summaries(workspace=workspace, segments=many[:1], now=NOW)
    with django_assert_num_queries(len(one)):
        found = audience.summaries(workspace=workspace, segments=many, now=NOW)
    assert [summary.size for summary in found] == [2] * 10


def test_a_segment_that_lost_its_cohort_has_no_size(workspace):
    segment = SegmentFactory.create(definition=definition(cohorts(123_456)))
    assert audience.summaries(workspace=workspace, segments=[segment], now=NOW)[0].size is None


def test_segments_of_a_profile_are_those_that_select_it(people):
    cohort = CohortFactory(members=people[:1])
    inside = SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    SegmentFactory.create(definition=definition(cohorts(cohort.pk, operator="does_not_include")))
    SegmentFactory.create(
        workspace=WorkspaceFactory.create(), definition=definition(cohorts(cohort.pk), exclude=True)
    )
    assert audience.segments_of(profile=people[0], now=NOW) == [inside]


def test_segments_using_a_cohort_are_those_that_mention_it(workspace):
    cohort, other = CohortFactory(), CohortFactory()
    nested = SegmentFactory.create(definition=definition(group(cohorts(cohort.pk, other.pk), exclude=True)))
    SegmentFactory.create(definition=definition(cohorts(other.pk)))
    assert audience.segments_using(cohort=cohort) == [nested]


def test_cohorts_whose_members_moved_are_used_too(workspace):
    cohort, other = CohortFactory(), CohortFactory()
    moved = leaf("cohort_moves", "left_in_last_days", 3, subject=cohort.pk)
    using = SegmentFactory.create(definition=definition(group(moved, operator="or")))
    SegmentFactory.create(
        definition=definition(leaf("cohort_moves", "left_in_last_days", 3, subject=other.pk))
    )
    assert audience.segments_using(cohort=cohort) == [using]


def test_users_of_a_segment_are_those_that_mention_it_in_their_own_workspace(workspace):
    base = SegmentFactory.create(definition=definition(leaf("identity", "identified")))
    mention = definition(group(leaf("segment", "not_in", [base.pk]), exclude=True))
    user = SegmentFactory.create(name="b", definition=mention)
    archived = SegmentFactory.create(name="a", definition=mention, archived_at=NOW)
    SegmentFactory.create(workspace=WorkspaceFactory.create(), definition=mention)
    SegmentFactory.create(definition=definition(leaf("segment", "in", [user.pk])))
    assert audience.users_of(segment=base) == [archived, user]


def test_the_funnel_counts_who_is_left_after_each_filter_of_an_and_group(workspace, people):
    first, second = CohortFactory(members=people[:4]), CohortFactory(members=people[2:])
    tree = tree_of(
        cohorts(first.pk), group(cohorts(second.pk), cohorts(first.pk), operator="or"), cohorts(second.pk)
    )
    counts = audience.counts(workspace=workspace, tree=tree, now=NOW)
    assert {node.pointer: (node.count, node.after) for node in counts.nodes} == {
        "/root": (2, None),
        "/root/children/0": (4, 4),
        "/root/children/1": (5, 4),
        "/root/children/1/children/0": (3, None),
        "/root/children/1/children/1": (4, None),
        "/root/children/2": (3, 2),
    }


def test_who_said_no_or_has_no_address_cannot_be_reached(workspace):
    token = [{"app_id": "a", "token": "t"}]
    ProfileFactory.create(email="", push_tokens=token)
    ProfileFactory.create(email_subscribe="unsubscribed", push_tokens=token, push_subscribe="unsubscribed")
    ProfileFactory.create(email_subscribe="opted_in", push_tokens=token, push_subscribe="subscribed")
    ProfileFactory.create()
    counts = audience.counts(workspace=workspace, tree=tree_of(leaf("identity", "identified")), now=NOW)
    assert counts.size == (4, 2, 2)
    summary = audience.summaries(
        workspace=workspace,
        segments=[SegmentFactory.create(definition=definition(leaf("email_address", "has")))],
        now=NOW,
    )[0]
    assert (summary.size, summary.email, summary.push, summary.universe) == (3, 2, 1, 4)


def test_members_may_be_changed_by_whoever_asked(workspace, people):
    for tree in (
        tree_of(leaf("identity", "identified")),
        tree_of(leaf("identity", "anonymous"), exclude=True),
    ):
        audience.members(workspace=workspace, tree=tree, now=NOW).clear()
        assert len(audience.members(workspace=workspace, tree=tree, now=NOW)) == len(people)
