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
class Selection:
    """Some profiles: the bitmap's, or all others. A "not" so costs nothing until somebody asks who they are."""

    bitmap: BitMap
    is_complement: bool = False

    def __invert__(self) -> Selection:
        return Selection(self.bitmap, not self.is_complement)

    def count(self, universe: BitMap) -> int:
        """Return how many they are; the bitmap is a part of the universe."""
        return len(universe) - len(self.bitmap) if self.is_complement else len(self.bitmap)

    def among(self, universe: BitMap) -> BitMap:
        """Return who they are."""
        return universe - self.bitmap if self.is_complement else self.bitmap


NOBODY = Selection(BitMap())


def all_of(selections: Sequence[Selection]) -> Selection:
    """Return those that all selections have, of at least one selection."""
    inside = [one.bitmap for one in selections if not one.is_complement]
    outside = BitMap.union(BitMap(), *(one.bitmap for one in selections if one.is_complement))
    if not inside:
        return Selection(outside, is_complement=True)
    # The smallest first: every intersection is then as cheap as it can be.
    return Selection(reduce(lambda left, right: left & right, sorted(inside, key=len)) - outside)


def any_of(selections: Sequence[Selection]) -> Selection:
    """Return those that any selection has, of at least one: by De Morgan, the others of those that none has."""
    return ~all_of([~one for one in selections])


@dataclass(frozen=True)
class _Evaluated:
    node: Node
    selected: Selection
    children: Sequence[_Evaluated]


def evaluate(node: Node, sets: Sets) -> BitMap:
    """Return the profiles a node selects. Whatever is unfinished selects nobody and joins with nothing."""
    return _evaluate(node, sets).selected.among(sets.universe)


def count_nodes(root: Node, sets: Sets) -> list[NodeCount]:
    """Return the counts of all nodes, the root's first; each is evaluated once."""
    return list(_counts(_evaluate(root, sets), "/root", sets.universe))


def _evaluate(node: Node, sets: Sets) -> _Evaluated:
    if isinstance(node, CohortFilter):
        return _Evaluated(node, _evaluate_cohorts(node, sets), [])
    children = [_evaluate(child, sets) for child in node.children]
    finished = [child.selected for child in children if filters.is_finished(child.node)]
    return _Evaluated(node, _join(node, finished), children)


def _evaluate_cohorts(node: CohortFilter, sets: Sets) -> Selection:
    if not node.cohort_ids:
        return NOBODY
    members = BitMap.union(*(sets.cohorts.get(cohort_id, BitMap()) for cohort_id in node.cohort_ids))
    return Selection(members, is_complement=node.operator is CohortOperator.EXCLUDES)


def _join(group: Group, finished: Sequence[Selection]) -> Selection:
    if not finished:
        return NOBODY
    joined = any_of(finished) if group.operator is Join.OR else all_of(finished)
    return ~joined if group.exclude else joined


def _counts(evaluated: _Evaluated, pointer: str, universe: BitMap) -> Iterator[NodeCount]:
    is_finished = filters.is_finished(evaluated.node)
    yield NodeCount(pointer, evaluated.selected.count(universe) if is_finished else None)
    for index, child in enumerate(evaluated.children):
        yield from _counts(child, f"{pointer}/children/{index}", universe)
