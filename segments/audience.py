"""The audience of a segment: fetch what its filters need, evaluate, count, and put it into words.

A definition that mentions a cohort which the workspace does not have (any more) is at fault, never silently "nobody"
or, with "does not include", silently everyone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from accounts.models import Workspace
from cohorts import membership
from cohorts.models import Cohort
from profiles import bitmaps, universe
from profiles.models import Profile
from segments import evaluation, filters
from segments.evaluation import NodeCount, Sets
from segments.filters import FilterError, Group, Node
from segments.models import Segment

Cohorts = Mapping[int, Cohort]


@dataclass(frozen=True)
class Counts:
    """The exact size of an audience, of the whole workspace, and of each node; and what the definition says."""

    total: int
    universe: int
    nodes: Sequence[NodeCount]
    sentence: str


@dataclass(frozen=True)
class Summary:
    """A segment in words with its exact size now, out of all users, and how many of them each channel reaches.

    Without a size: its definition is at fault.
    """

    segment: Segment
    sentence: str
    size: int | None
    universe: int
    email: int | None = None
    push: int | None = None


# --- one definition ----------------------------------------------------------------------------------------
def members(*, workspace: Workspace, tree: Group) -> BitMap:
    """Return the profiles a definition selects now. Raises FilterError if it mentions a cohort that is not there."""
    cohorts = cohorts_of(workspace=workspace, trees=[tree])
    filters.check_cohorts(tree, partners(cohorts))
    return evaluation.evaluate(tree, _sets(workspace, cohorts))


def counts(*, workspace: Workspace, tree: Group) -> Counts:
    """Return what the builder shows. Raises FilterError if the tree mentions a cohort that is not there."""
    cohorts = cohorts_of(workspace=workspace, trees=[tree])
    filters.check_cohorts(tree, partners(cohorts))
    sets = _sets(workspace, cohorts)
    nodes = evaluation.count_nodes(tree, sets)
    return Counts(
        nodes[0].count or 0, len(sets.universe), nodes, filters.describe(tree, cohort_names(cohorts))
    )


# --- many segments -----------------------------------------------------------------------------------------
def summaries(
    *,
    workspace: Workspace,
    segments: Sequence[Segment],
    now: datetime | None = None,  # noqa: ARG001
) -> list[Summary]:
    """Return the segments of a page with their sizes, on one fetch of users and cohorts."""
    trees = _readable(segments)
    cohorts = cohorts_of(workspace=workspace, trees=trees.values())
    sets = _sets(workspace, cohorts)
    return [_summary(segment, trees.get(segment.pk), cohorts, sets) for segment in segments]


def _summary(segment: Segment, tree: Group | None, cohorts: Cohorts, sets: Sets) -> Summary:
    if tree is None:
        return Summary(segment, "", None, len(sets.universe))
    sentence = filters.describe(tree, cohort_names(cohorts))
    size = len(evaluation.evaluate(tree, sets)) if _is_whole(tree, cohorts) else None
    return Summary(segment, sentence, size, len(sets.universe))


def segments_of(*, profile: Profile) -> list[Segment]:
    """Return the segments that select a profile now, by name. Evaluated on this one profile alone."""
    live = [] if profile.deleted_at else [profile.pk]
    found = segments_by_profile(workspace=profile.workspace, profile_ids=live)
    return found.get(profile.pk, [])


def segments_by_profile(*, workspace: Workspace, profile_ids: Collection[int]) -> dict[int, list[Segment]]:
    """Return the segments that select each of some live profiles now, by name. Evaluated on these alone."""
    segments = list(Segment.objects.for_workspace(workspace).order_by("name"))
    trees = _readable(segments)
    cohorts = cohorts_of(workspace=workspace, trees=trees.values())
    asked = BitMap(profile_ids)
    sets = Sets(asked, membership.members(cohort_ids=list(cohorts), within=asked))
    found: dict[int, list[Segment]] = {profile_id: [] for profile_id in asked}
    for segment in segments:
        tree = trees.get(segment.pk)
        if tree and _is_whole(tree, cohorts):
            for profile_id in evaluation.evaluate(tree, sets):
                found[profile_id].append(segment)
    return found


def segments_using(*, cohort: Cohort) -> list[Segment]:
    """Return the segments whose filters mention a cohort, by name."""
    segments = list(Segment.objects.filter(workspace_id=cohort.workspace_id).order_by("name"))
    trees = _readable(segments)
    return [
        segment
        for segment in segments
        if (tree := trees.get(segment.pk)) and cohort.pk in filters.cohort_ids_of(tree)
    ]


def users_of(*, segment: Segment) -> list[Segment]:
    """Return the segments whose filters mention another one, archived ones too, by name."""
    return users_by_segment(workspace_id=segment.workspace_id).get(segment.pk, [])


def users_by_segment(*, workspace_id: int) -> dict[int, list[Segment]]:
    """Return, by id, each segment of a workspace that others mention, with those others by name; in one query."""
    segments = Segment.objects.filter(workspace_id=workspace_id).defer("description").order_by("name")
    users: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        for mentioned in {pk for _pointer, pk in segment_mentions(segment.definition)}:
            users[mentioned].append(segment)
    return dict(users)


def segment_mentions(definition: Any) -> list[tuple[str, int]]:
    """Return the segments that a definition mentions, each with the pointer of its filter's value, be it at fault or not."""
    return list(_mentions(definition.get("root"), "/root")) if isinstance(definition, dict) else []


def _mentions(node: Any, pointer: str) -> Iterator[tuple[str, int]]:
    if not isinstance(node, dict):
        return
    children, value = node.get("children"), node.get("value")
    for index, child in enumerate(children if isinstance(children, list) else []):
        yield from _mentions(child, f"{pointer}/children/{index}")
    if node.get("type") == "segment" and isinstance(value, list):
        yield from ((f"{pointer}/value", it) for it in value if type(it) is int)


def _readable(segments: Iterable[Segment]) -> dict[int, Group]:
    """Return the trees by segment, without the definitions that this release cannot read."""
    trees = {}
    for segment in segments:
        try:
            trees[segment.pk] = filters.parse(segment.definition)
        except FilterError:
            continue
    return trees


def _is_whole(tree: Group, cohorts: Cohorts) -> bool:
    try:
        filters.check_cohorts(tree, partners(cohorts))
    except FilterError:
        return False
    return True


# --- what filters need -------------------------------------------------------------------------------------
def cohorts_of(*, workspace: Workspace, trees: Iterable[Node]) -> dict[int, Cohort]:
    """Return the workspace's own among the cohorts that trees mention, by id; without their members."""
    mentioned: set[int] = set().union(*(filters.cohort_ids_of(tree) for tree in trees))
    if not mentioned:
        return {}
    own = Cohort.objects.for_workspace(workspace).only("id", "partner", "name")
    if len(mentioned) <= bitmaps.MAX_SQL_IDS:
        own = own.filter(id__in=mentioned)
    return {cohort.pk: cohort for cohort in own if cohort.pk in mentioned}


def _sets(workspace: Workspace, cohorts: Cohorts) -> Sets:
    live = universe.live(workspace_id=workspace.pk)
    return Sets(live, membership.members(cohort_ids=list(cohorts), within=live))


def partners(cohorts: Cohorts) -> dict[int, str]:
    """Return the partner of each cohort, to check trees by."""
    return {cohort_id: cohort.partner for cohort_id, cohort in cohorts.items()}


def cohort_names(cohorts: Cohorts) -> dict[int, str]:
    """Return the name of each cohort, for the sentences of trees."""
    return {cohort_id: cohort.name for cohort_id, cohort in cohorts.items()}
