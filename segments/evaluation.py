"""A tree of filters becomes the exact set of profiles it selects: set algebra on bitmaps, nothing sampled.

Pure: whoever calls has fetched the universe and the sources of the filters (`segments/fetching.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from pyroaring import BitMap

from segments import filters
from segments.filters import Filter, Group, Join, Node
from segments.filters.sources import Source


@dataclass(frozen=True)
class Sets:
    """What filters are evaluated on at a moment: all live profiles, and each source's among them."""

    universe: BitMap
    found: Mapping[Source, BitMap]
    now: datetime


@dataclass(frozen=True)
class NodeCount:
    """How many profiles a node selects by itself, none if it is unfinished; and how many the funnel leaves.

    `after` is the number of those who match this node and all before it in its group, which joins with AND.
    """

    pointer: str
    count: int | None
    after: int | None = None


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

    def count_among(self, members: BitMap) -> int:
        """Return how many of some profiles are among them."""
        common: int = members.intersection_cardinality(self.bitmap)
        return len(members) - common if self.is_complement else common

    def among(self, universe: BitMap) -> BitMap:
        """Return who they are."""
        return universe - self.bitmap if self.is_complement else self.bitmap


NOBODY = Selection(BitMap())


def all_of(selections: Sequence[Selection]) -> Selection:
    """Return those that all selections have, of at least one selection."""
    inside = [one.bitmap for one in selections if not one.is_complement]
    outside = [one.bitmap for one in selections if one.is_complement]
    if not inside:
        return Selection(BitMap.union(BitMap(), *outside), is_complement=True)
    # The smallest first: every step is then as cheap as it can be.
    common = reduce(lambda left, right: left & right, sorted(inside, key=len))
    return Selection(reduce(lambda left, right: left - right, outside, common))


def any_of(selections: Sequence[Selection]) -> Selection:
    """Return those that any selection has, of at least one: by De Morgan, the others of those that none has."""
    return ~all_of([~one for one in selections])


@dataclass(frozen=True)
class Evaluated:
    """A node and whom it selects; `after` is whom the funnel leaves at each child, if the node is a group with AND."""

    node: Node
    selected: Selection
    children: Sequence[Evaluated] = ()
    after: Sequence[Selection | None] = field(default_factory=list)


def evaluate(node: Node, sets: Sets) -> BitMap:
    """Return the profiles a node selects. Whatever is unfinished selects nobody and joins with nothing."""
    return evaluated(node, sets).selected.among(sets.universe)


def counts(root: Evaluated, universe: BitMap) -> list[NodeCount]:
    """Return the counts of all nodes, the root's first."""
    return list(_counts(root, "/root", None, universe))


def evaluated(node: Node, sets: Sets) -> Evaluated:
    """Return a tree with whom each of its nodes selects; each is evaluated once."""
    if isinstance(node, Filter):
        return Evaluated(node, _select(node, sets))
    children = [evaluated(child, sets) for child in node.children]
    if node.operator is Join.OR:
        finished = [child.selected for child in children if filters.is_finished(child.node)]
        return Evaluated(node, _excluding(node, any_of(finished) if finished else NOBODY), children)
    funnel = list(_funnel(children))
    left = next((selection for selection in reversed(funnel) if selection is not None), NOBODY)
    return Evaluated(node, _excluding(node, left), children, funnel)


def _select(node: Filter, sets: Sets) -> Selection:
    if not node.is_finished:
        return NOBODY
    selects = node.selects(sets.now)
    sources = [Selection(sets.found.get(source, BitMap())) for source in selects.sources]
    if len(sources) == 1:  # most filters: a union of one would copy it
        joined = sources[0]
    else:
        joined = (
            all_of(sources) if selects.is_all else Selection(BitMap.union(*(it.bitmap for it in sources)))
        )
    return ~joined if selects.is_not else joined


def _funnel(children: Sequence[Evaluated]) -> Iterator[Selection | None]:
    """Yield for each child whom it and those before it leave; nothing for one that is unfinished."""
    left: Selection | None = None
    for child in children:
        if not filters.is_finished(child.node):
            yield None
            continue
        left = child.selected if left is None else all_of([left, child.selected])
        yield left


def _excluding(group: Group, joined: Selection) -> Selection:
    return ~joined if group.exclude and filters.is_finished(group) else joined


def _counts(one: Evaluated, pointer: str, after: Selection | None, universe: BitMap) -> Iterator[NodeCount]:
    count = one.selected.count(universe) if filters.is_finished(one.node) else None
    yield NodeCount(pointer, count, None if after is None else after.count(universe))
    for index, child in enumerate(one.children):
        left = one.after[index] if one.after else None
        yield from _counts(child, f"{pointer}/children/{index}", left, universe)
