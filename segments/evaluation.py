"""A tree of filters becomes the exact set of profiles it selects: set algebra on bitmaps, nothing sampled.

Pure: whoever calls has fetched the universe and the cohorts' members (`segments/audience.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyroaring import BitMap

from segments.filters import CohortFilter, CohortOperator, Group, Join, Node


@dataclass(frozen=True)
class Sets:
    """What filters are evaluated on: all live profiles, and the members of each cohort among them."""

    universe: BitMap
    cohorts: Mapping[int, BitMap]


@dataclass(frozen=True)
class NodeCount:
    """How many profiles a node selects by itself, and how many are left after it in its AND group (the funnel)."""

    pointer: str
    count: int
    left_count: int | None


def evaluate(node: Node, sets: Sets) -> BitMap:
    """Return the profiles a node selects. A group without children selects everyone."""
    if isinstance(node, CohortFilter):
        members = BitMap.union(
            BitMap(), *(sets.cohorts.get(cohort_id, BitMap()) for cohort_id in node.cohort_ids)
        )
        return members if node.operator is CohortOperator.INCLUDES else sets.universe - members
    selected = _join(node, [evaluate(child, sets) for child in node.children], sets.universe)
    return sets.universe - selected if node.exclude else selected


def _join(group: Group, children: Sequence[BitMap], universe: BitMap) -> BitMap:
    if not children:
        return universe
    if group.operator is Join.OR:
        return BitMap.union(*children)
    # The smallest first: every intersection is then as cheap as it can be.
    return reduce(lambda left, right: left & right, sorted(children, key=len))


def count_nodes(node: Node, sets: Sets, pointer: str = "/root") -> Iterator[NodeCount]:
    """Yield the counts of all nodes below `node`, with the funnel of every AND group."""
    if isinstance(node, CohortFilter):
        return
    left = sets.universe
    for index, child in enumerate(node.children):
        here = f"{pointer}/children/{index}"
        selected = evaluate(child, sets)
        if node.operator is Join.AND:
            left = left & selected
        yield NodeCount(here, len(selected), len(left) if node.operator is Join.AND else None)
        yield from count_nodes(child, sets, here)
