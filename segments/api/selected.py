"""What the read API asks of segments: the only module here that knows how filters are read and evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils import timezone
from pyroaring import BitMap

from accounts.models import Workspace
from segments import audience, filters, references
from segments.audience import Question
from segments.models import Segment


def members(*, workspace: Workspace, segment: Segment) -> BitMap:
    """Return whom a segment selects now. Raises FilterError if its definition is at fault."""
    return audience.members_of(question=question(workspace=workspace, segment=segment))


def question(*, workspace: Workspace, segment: Segment) -> Question:
    """Return a segment as a question of now. Raises FilterError if its definition is at fault."""
    tree = filters.parse(segment.definition)
    return audience.ask(workspace=workspace, tree=tree, own=segment, now=timezone.now())


def sentences(*, workspace: Workspace, segments: Sequence[Segment]) -> Mapping[int, str]:
    """Return the filters of segments in words, by id; none of a definition that cannot be read. Evaluates nothing."""
    trees = references.readable((segment.pk, segment.definition) for segment in segments)
    names = references.load(workspace=workspace, trees=trees.values()).there.names
    return {pk: filters.describe(tree, names) for pk, tree in trees.items()}
