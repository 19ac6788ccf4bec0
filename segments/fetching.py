"""Fetches what filters are evaluated on: members of cohorts, who moved, who an SQL filter selects, other segments.

As a generator, it tells how far it came while something is looked up for the first time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import date, datetime

from pyroaring import BitMap

from cohorts import membership, membership_moves
from cohorts.membership_moves import Direction
from profiles import filter_bitmaps, selection
from profiles.selection import Progress, Query
from segments import evaluation
from segments.evaluation import Sets
from segments.filters import Group, Node
from segments.filters.sources import CohortMembers, CohortMoves, SegmentMembers, Source
from segments.references import Mentioned, segment_ids_of, sources_of

Found = dict[Source, BitMap]


def sets(
    *,
    workspace_id: int,
    trees: Iterable[Node],
    mentioned: Mentioned,
    now: datetime,
    more: Iterable[Query] = (),
) -> Generator[Progress, None, Sets]:
    """Return what trees need, on all live profiles. `more` are queries that the caller wants to know of, too."""
    roots = list(trees)
    sources = _sources(roots, mentioned, now)
    queries = [source for source in sources if isinstance(source, Query)]
    asked = [filter_bitmaps.EVERYBODY, *more, *queries]
    selected = yield from filter_bitmaps.fetch(workspace_id=workspace_id, queries=asked)
    universe = selected.pop(filter_bitmaps.EVERYBODY)
    live = {query: members & universe for query, members in selected.items()}
    return _complete(universe, live, sources, mentioned, now)


def sets_among(
    *, workspace_id: int, trees: Iterable[Node], mentioned: Mentioned, now: datetime, profile_ids: BitMap
) -> Sets:
    """Return what trees need, on some live profiles alone: nothing is looked up of anybody else."""
    sources = _sources(trees, mentioned, now)
    queries = [source for source in sources if isinstance(source, Query)]
    found = selection.among(workspace_id=workspace_id, queries=queries, profile_ids=profile_ids)
    return _complete(profile_ids, found, sources, mentioned, now)


def _sources(trees: Iterable[Node], mentioned: Mentioned, now: datetime) -> list[Source]:
    every = [source for tree in (*trees, *mentioned.trees.values()) for source in sources_of(tree, now)]
    return list(dict.fromkeys(every))


def _complete(
    universe: BitMap,
    selected: Mapping[Query, BitMap],
    sources: Iterable[Source],
    mentioned: Mentioned,
    now: datetime,
) -> Sets:
    """Return the sets with those of cohorts, and of other segments, which are made of them."""
    wanted = list(sources)
    of_queries: Found = {query: members for query, members in selected.items()}  # noqa: C416 - a wider key
    found = of_queries | _members(wanted, universe) | _moves(wanted, universe)
    known = Sets(universe, found, now)
    for segment_id in _in_order(mentioned.trees):
        found[SegmentMembers(segment_id)] = evaluation.evaluate(mentioned.trees[segment_id], known)
    return known


def _members(sources: Iterable[Source], universe: BitMap) -> Found:
    ids = [source.cohort_id for source in sources if isinstance(source, CohortMembers)]
    members = membership.members(cohort_ids=ids, within=universe)
    return {CohortMembers(cohort_id): who for cohort_id, who in members.items()}


def _moves(sources: Iterable[Source], universe: BitMap) -> Found:
    asked: dict[tuple[Direction, date], list[int]] = {}
    for source in sources:
        if isinstance(source, CohortMoves):
            asked.setdefault((source.direction, source.since), []).append(source.cohort_id)
    return {
        CohortMoves(cohort_id, direction, since): who
        for (direction, since), ids in asked.items()
        for cohort_id, who in membership_moves.moved(
            cohort_ids=ids, direction=direction, since=since, within=universe
        ).items()
    }


def _in_order(trees: Mapping[int, Group]) -> Iterable[int]:
    """Return segments so that each comes after those it mentions. There is no circle: that is a fault."""
    done: dict[int, None] = {}

    def visit(segment_id: int, path: frozenset[int]) -> None:
        if segment_id in done or segment_id in path or segment_id not in trees:
            return
        for mentioned in segment_ids_of(trees[segment_id]):
            visit(mentioned, path | {segment_id})
        done[segment_id] = None

    for segment_id in trees:
        visit(segment_id, frozenset())
    return done
