"""Evaluation equals plain Python sets, for any tree over any sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from segments import evaluation, filters
from segments.evaluation import Selection, Sets
from segments.filters import CohortFilter, CohortOperator, Group, Join

UNIVERSE = set(range(40))
members = st.dictionaries(
    st.integers(0, 3), st.sets(st.sampled_from(sorted(UNIVERSE))), min_size=4, max_size=4
)
leaves = st.builds(
    CohortFilter,
    st.just("mixpanel"),
    st.sampled_from(CohortOperator),
    st.lists(st.integers(0, 3), max_size=3, unique=True).map(tuple),
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
    if isinstance(node, CohortFilter):
        named = set().union(*(cohorts[cohort_id] for cohort_id in node.cohort_ids))
        return named if node.operator is CohortOperator.INCLUDES else UNIVERSE - named
    parts = [plainly(child, cohorts) for child in node.children if filters.is_finished(child)]
    joined = set.intersection(*parts) if node.operator is Join.AND else set.union(*parts)
    return UNIVERSE - joined if node.exclude else joined


def sets_of(cohorts):
    return Sets(BitMap(UNIVERSE), {key: BitMap(value) for key, value in cohorts.items()})


@given(trees, members)
def test_any_tree_selects_what_plain_sets_select(tree, cohorts):
    assert set(evaluation.evaluate(tree, sets_of(cohorts))) == plainly(tree, cohorts)


@given(trees, members)
def test_every_node_is_counted_exactly(tree, cohorts):
    def walk(node, pointer):
        yield pointer, len(plainly(node, cohorts)) if filters.is_finished(node) else None
        for index, child in enumerate(getattr(node, "children", ())):
            yield from walk(child, f"{pointer}/children/{index}")

    counted = {node.pointer: node.count for node in evaluation.count_nodes(tree, sets_of(cohorts))}
    assert counted == dict(walk(tree, "/root"))


@given(trees, members)
def test_evaluating_leaves_the_sets_as_they_were(tree, cohorts):
    sets = sets_of(cohorts)
    evaluation.evaluate(tree, sets)
    assert set(sets.universe) == UNIVERSE
    assert {key: set(value) for key, value in sets.cohorts.items()} == cohorts


def test_a_cohort_without_members_here_is_empty():
    tree = CohortFilter("mixpanel", CohortOperator.INCLUDES, (99,))
    assert not evaluation.evaluate(tree, Sets(BitMap([1, 2]), {}))


def test_a_complement_knows_its_size_without_being_made():
    universe = BitMap(range(10))
    others = ~Selection(BitMap([1, 2]))
    assert others.count(universe) == 8
    assert set(others.among(universe)) == {0, 3, 4, 5, 6, 7, 8, 9}
