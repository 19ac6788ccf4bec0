"""What the read API asks of segments: the only module here that knows how filters are read and evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyroaring import BitMap

from accounts.models import Workspace
from segments import audience, filters
from segments.audience import Counts
from segments.filters import FilterError
from segments.models import Segment


def members(*, workspace: Workspace, segment: Segment) -> BitMap:
    """Return whom a segment selects now. Raises FilterError if its definition is at fault."""
    return audience.members(workspace=workspace, tree=filters.parse(segment.definition))


def counts(*, workspace: Workspace, segment: Segment) -> Counts:
    """Return how many a segment selects now. Raises FilterError if its definition is at fault."""
    return audience.counts(workspace=workspace, tree=filters.parse(segment.definition))


def sentences(*, workspace: Workspace, segments: Sequence[Segment]) -> Mapping[int, str]:
    """Return the filters of segments in words, by id; none of a definition that cannot be read. Evaluates nothing."""
    trees = {}
    for segment in segments:
        try:
            trees[segment.pk] = filters.parse(segment.definition)
        except FilterError:
            continue
    names = audience.cohort_names(audience.cohorts_of(workspace=workspace, trees=trees.values()))
    return {pk: filters.describe(tree, names) for pk, tree in trees.items()}
