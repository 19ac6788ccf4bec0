"""Evaluation equals plain Python sets, for any tree over any sets."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from segments import evaluation, filters
from segments.evaluation import Selection, Sets
from segments.filters import Filter, Group, Join
from segments.filters.partner_cohorts import COHORT
from segments.filters.sources import CohortMembers

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNIVERSE = set(range(40))
members = st.dictionaries(
    st.integers(0, 3), st.sets(st.sampled_from(sorted(UNIVERSE))), min_size=4, max_size=4
)
leaves = st.builds(
    Filter,
    st.just(COHORT),
    st.sampled_from(COHORT.operators),
    st.just("mixpanel"),
    st.lists(st.integers(0, 3), max_size=3, unique=True).map(lambda ids: tuple(ids) or None),
)
trees = st.recursive(
    leaves,
    lambda children: st.builds(
        Group, st.sampled_from(Join), st.booleans(), st.lists(children, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def plainly(node, cohorts):
    """Evaluate with sets. Whatever is unfinished selects nobody and joins with nothing."""
    if not filters.is_finished(node):
        return set()
    if isinstance(node, Filter):
        named = [cohorts[cohort_id] for cohort_id in node.value]
        return {
            "includes": set().union(*named),
            "does_not_include": UNIVERSE - set().union(*named),
            "includes_all_of": set.intersection(*named),
        }[node.operator.code]
    parts = [plainly(child, cohorts) for child in node.children if filters.is_finished(child)]
    joined = set.intersection(*parts) if node.operator is Join.AND else set.union(*parts)
    return UNIVERSE - joined if node.exclude else joined


def funnel(group, cohorts):
    """Return how many every child of a group with AND leaves, None for what is unfinished."""
    left, counts = UNIVERSE, []
    for child in group.children:
        if filters.is_finished(child):
            left = left & plainly(child, cohorts)
        counts.append(len(left) if filters.is_finished(child) else None)
    return counts


def sets_of(cohorts):
    found = {CohortMembers(key): BitMap(value) for key, value in cohorts.items()}
    return Sets(BitMap(UNIVERSE), found, NOW)


def counted(tree, cohorts):
    sets = sets_of(cohorts)
    return evaluation.counts(evaluation.evaluated(tree, sets), sets.universe)


@given(trees, members)
def test_any_tree_selects_what_plain_sets_select(tree, cohorts):
    assert set(evaluation.evaluate(tree, sets_of(cohorts))) == plainly(tree, cohorts)


@given(trees, members)
def test_every_node_is_counted_exactly(tree, cohorts):
    expected = {
        pointer: len(plainly(node, cohorts)) if filters.is_finished(node) else None
        for pointer, node in filters.walk(tree)
    }
    assert {node.pointer: node.count for node in counted(tree, cohorts)} == expected


@given(trees, members)
def test_the_funnel_of_every_group_with_and_is_exact_and_others_have_none(tree, cohorts):
    expected = {"/root": None}
    for pointer, node in filters.walk(tree):
        if isinstance(node, Group):
            is_funnel = node.operator is Join.AND
            left = funnel(node, cohorts) if is_funnel else [None] * len(node.children)
            expected |= {f"{pointer}/children/{index}": count for index, count in enumerate(left)}
    assert {node.pointer: node.after for node in counted(tree, cohorts)} == expected


@given(trees, members)
def test_counts_come_in_the_order_of_the_tree_the_root_first(tree, cohorts):
    assert [node.pointer for node in counted(tree, cohorts)] == [it for it, _node in filters.walk(tree)]


@given(trees, members)
def test_evaluating_leaves_the_sets_as_they_were(tree, cohorts):
    sets = sets_of(cohorts)
    evaluation.evaluate(tree, sets)
    counted(tree, cohorts)
    assert set(sets.universe) == UNIVERSE
    assert {key.cohort_id: set(value) for key, value in sets.found.items()} == cohorts


def test_a_cohort_without_members_here_is_empty():
    tree = Filter(COHORT, COHORT.operators[0], "mixpanel", (99,))
    assert not evaluation.evaluate(tree, Sets(BitMap([1, 2]), {}, NOW))


def test_a_complement_knows_its_size_without_being_made():
    universe = BitMap(range(10))
    others = ~Selection(BitMap([1, 2]))
    assert others.count(universe) == 8
    assert others.count_among(BitMap([1, 3, 4])) == 2
    assert set(others.among(universe)) == {0, 3, 4, 5, 6, 7, 8, 9}
