"""The audience of a segment: fetch what its filters need, evaluate, count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from accounts.models import Workspace
from cohorts import membership
from cohorts.models import Cohort
from profiles import universe
from segments import evaluation, filters
from segments.evaluation import NodeCount, Sets
from segments.filters import Group, Node


@dataclass(frozen=True)
class Counts:
    """The exact size of an audience, of the whole workspace, and of each node."""

    total: int
    universe: int
    nodes: Sequence[NodeCount]


def sets_for(*, workspace: Workspace, trees: Sequence[Node]) -> Sets:
    """Fetch the universe and every cohort the trees mention. A cohort of another workspace has no members here."""
    live = universe.live(workspace_id=workspace.pk)
    mentioned = set().union(*(filters.cohort_ids_of(tree) for tree in trees))
    own = Cohort.objects.for_workspace(workspace).filter(id__in=mentioned).values_list("id", flat=True)
    return Sets(live, membership.members(cohort_ids=list(own) if mentioned else [], within=live))


def members(*, workspace: Workspace, tree: Group) -> BitMap:
    """Return the profiles a definition selects now."""
    return evaluation.evaluate(tree, sets_for(workspace=workspace, trees=[tree]))


def counts(*, workspace: Workspace, tree: Group) -> Counts:
    """Return the exact counts the builder shows."""
    sets = sets_for(workspace=workspace, trees=[tree])
    nodes = list(evaluation.count_nodes(tree, sets))
    return Counts(len(evaluation.evaluate(tree, sets)), len(sets.universe), nodes)


def cohort_names(*, workspace: Workspace, trees: Sequence[Node]) -> dict[int, str]:
    """Return the names of the cohorts the trees mention, for their sentences."""
    mentioned = set().union(*(filters.cohort_ids_of(tree) for tree in trees))
    own = Cohort.objects.for_workspace(workspace).filter(id__in=mentioned)
    return dict(own.values_list("id", "name"))
