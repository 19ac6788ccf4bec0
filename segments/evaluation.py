"""A tree of filters becomes the exact set of profiles it selects: set algebra on bitmaps, nothing sampled.

Pure: whoever calls has fetched the universe and the cohorts' members (`segments/audience.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyroaring import BitMap

from segments import filters
from segments.filters import CohortFilter, CohortOperator, Group, Join, Node


@dataclass(frozen=True)
class Sets:
    """What filters are evaluated on: all live profiles, and the members of each cohort among them."""

    universe: BitMap
    cohorts: Mapping[int, BitMap]


@dataclass(frozen=True)
class NodeCount:
    """How many profiles a node selects by itself; none if it is unfinished."""

    pointer: str
    count: int | None


@dataclass(frozen=True)
class _Evaluated:
    node: Node
    selected: BitMap
    children: Sequence[_Evaluated]


def evaluate(node: Node, sets: Sets) -> BitMap:
    """Return the profiles a node selects. Whatever is unfinished selects nobody and joins with nothing."""
    return _evaluate(node, sets).selected


def count_nodes(root: Node, sets: Sets) -> list[NodeCount]:
    """Return the counts of all nodes, the root's first; each is evaluated once."""
    return list(_counts(_evaluate(root, sets), "/root"))


def _evaluate(node: Node, sets: Sets) -> _Evaluated:
    if isinstance(node, CohortFilter):
        return _Evaluated(node, _evaluate_cohorts(node, sets), [])
    children = [_evaluate(child, sets) for child in node.children]
    finished = [child.selected for child in children if filters.is_finished(child.node)]
    return _Evaluated(node, _join(node, finished, sets.universe), children)


def _evaluate_cohorts(node: CohortFilter, sets: Sets) -> BitMap:
    if not node.cohort_ids:
        return BitMap()
    members = BitMap.union(*(sets.cohorts.get(cohort_id, BitMap()) for cohort_id in node.cohort_ids))
    return members if node.operator is CohortOperator.INCLUDES else sets.universe - members


def _join(group: Group, finished: Sequence[BitMap], universe: BitMap) -> BitMap:
    if not finished:
        return BitMap()
    if group.operator is Join.OR:
        selected = BitMap.union(*finished)
    else:
        # The smallest first: every intersection is then as cheap as it can be.
        selected = reduce(lambda left, right: left & right, sorted(finished, key=len))
    return universe - selected if group.exclude else selected


def _counts(evaluated: _Evaluated, pointer: str) -> Iterator[NodeCount]:
    yield NodeCount(pointer, len(evaluated.selected) if filters.is_finished(evaluated.node) else None)
    for index, child in enumerate(evaluated.children):
        yield from _counts(child, f"{pointer}/children/{index}")
