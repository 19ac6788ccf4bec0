"""Whom segments select: fetch what their filters need, evaluate, count. Exact, nothing sampled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pyroaring import BitMap

from accounts.models import Workspace
from cohorts.models import Cohort
from profiles import selection
from profiles.models import Profile
from profiles.selection import Progress
from segments import evaluation, fetching, filters, references
from segments.evaluation import NodeCount, Selection, Sets
from segments.filters import FilterError, Group
from segments.filters.reachability import reachable_by_email, reachable_by_push
from segments.models import Segment
from segments.references import Mentioned


class Size(NamedTuple):
    """How many users there are, and how many of them can be reached by each channel."""

    total: int
    email: int
    push: int


@dataclass(frozen=True)
class Question:
    """A definition that can be evaluated: all that it mentions is there."""

    workspace: Workspace
    tree: Group
    mentioned: Mentioned
    now: datetime


@dataclass(frozen=True)
class Counts:
    """The exact size of an audience, of the whole workspace, and of each node; and what the definition says."""

    size: Size
    universe: int
    nodes: Sequence[NodeCount]
    sentence: str


@dataclass(frozen=True)
class Summary:
    """A segment in words with its exact size now, out of all users. Without a size: its definition is at fault."""

    segment: Segment
    sentence: str
    size: int | None
    universe: int
    email: int | None = None
    push: int | None = None


# --- one definition ----------------------------------------------------------------------------------------
def ask(*, workspace: Workspace, tree: Group, now: datetime, own: Segment | None = None) -> Question:
    """Return a definition ready to be evaluated. `own` is the segment it belongs to, if it was saved before.

    Raises FilterError if it mentions what is not there, or a segment that mentions this one.
    """
    mentioned = references.load(workspace=workspace, trees=[tree])
    if faults := references.faults(tree, mentioned, own=own):
        raise FilterError(faults)
    return Question(workspace, tree, mentioned, now)


def members(*, workspace: Workspace, tree: Group, now: datetime) -> BitMap:
    """Return the profiles a definition selects. Raises FilterError as `ask` does."""
    return members_of(question=ask(workspace=workspace, tree=tree, now=now))


def members_of(*, question: Question) -> BitMap:
    """Return the profiles a question selects."""
    return evaluation.evaluate(question.tree, selection.finish(_fetching(question)))


def counts(*, workspace: Workspace, tree: Group, now: datetime) -> Counts:
    """Return what the builder shows. Raises FilterError as `ask` does."""
    return selection.finish(counting(question=ask(workspace=workspace, tree=tree, now=now)))


def counting(*, question: Question) -> Generator[Progress, None, Counts]:
    """As `counts`; tells how far it came while something is looked up for the first time, and may be given up."""
    sets = yield from _fetching(question)
    result = evaluation.evaluated(question.tree, sets)
    return Counts(
        size=_size(result.selected, sets),
        universe=len(sets.universe),
        nodes=evaluation.counts(result, sets.universe),
        sentence=filters.describe(question.tree, question.mentioned.there.names),
    )


def _fetching(question: Question) -> Generator[Progress, None, Sets]:
    return fetching.sets(
        workspace_id=question.workspace.pk,
        trees=[question.tree],
        mentioned=question.mentioned,
        now=question.now,
        more=[reachable_by_email(), reachable_by_push()],
    )


def _size(selected: Selection, sets: Sets) -> Size:
    channels = (sets.found[query] for query in (reachable_by_email(), reachable_by_push()))
    email, push = (selected.count_among(reachable) for reachable in channels)
    return Size(selected.count(sets.universe), email, push)


# --- many segments -----------------------------------------------------------------------------------------
def summaries(*, workspace: Workspace, segments: Sequence[Segment], now: datetime) -> list[Summary]:
    """Return segments with their sizes, on one fetch of users, cohorts and filters."""
    trees = references.readable((segment.pk, segment.definition) for segment in segments)
    mentioned = references.load(workspace=workspace, trees=trees.values())
    whole = {pk: tree for pk, tree in trees.items() if not references.faults(tree, mentioned)}
    sets = selection.finish(
        fetching.sets(
            workspace_id=workspace.pk,
            trees=whole.values(),
            mentioned=mentioned,
            now=now,
            more=[reachable_by_email(), reachable_by_push()],
        )
    )
    names = mentioned.there.names
    return [
        _summary(
            segment, filters.describe(trees[segment.pk], names) if segment.pk in trees else "", whole, sets
        )
        for segment in segments
    ]


def _summary(segment: Segment, sentence: str, whole: Mapping[int, Group], sets: Sets) -> Summary:
    if segment.pk not in whole:
        return Summary(segment, sentence, None, len(sets.universe))
    size = _size(evaluation.evaluated(whole[segment.pk], sets).selected, sets)
    return Summary(segment, sentence, size.total, len(sets.universe), size.email, size.push)


def segments_of(*, profile: Profile, now: datetime) -> list[Segment]:
    """Return the segments that select a profile, by name. Evaluated on this one profile alone."""
    live = [] if profile.deleted_at else [profile.pk]
    found = segments_by_profile(workspace=profile.workspace, profile_ids=live, now=now)
    return found.get(profile.pk, [])


def segments_by_profile(
    *, workspace: Workspace, profile_ids: Collection[int], now: datetime
) -> dict[int, list[Segment]]:
    """Return the segments that select each of some live profiles, by name. Evaluated on these alone."""
    segments = list(Segment.objects.for_workspace(workspace).active().order_by("name"))
    trees = references.readable((segment.pk, segment.definition) for segment in segments)
    mentioned = references.load(workspace=workspace, trees=trees.values())
    whole = {pk: tree for pk, tree in trees.items() if not references.faults(tree, mentioned)}
    asked = BitMap(profile_ids)
    sets = fetching.sets_among(
        workspace_id=workspace.pk, trees=whole.values(), mentioned=mentioned, now=now, profile_ids=asked
    )
    found: dict[int, list[Segment]] = {profile_id: [] for profile_id in asked}
    for segment in segments:
        if segment.pk in whole:
            for profile_id in evaluation.evaluate(whole[segment.pk], sets):
                found[profile_id].append(segment)
    return found


# --- who uses what -----------------------------------------------------------------------------------------
def segments_using(*, cohort: Cohort) -> list[Segment]:
    """Return the segments whose filters mention a cohort, archived ones too, by name."""
    return users_by_cohort(workspace_id=cohort.workspace_id).get(cohort.pk, [])


def users_by_cohort(*, workspace_id: int) -> dict[int, list[Segment]]:
    """Return, by id, each cohort of a workspace that segments mention, with these segments; in one query."""
    users: dict[int, list[Segment]] = defaultdict(list)
    for segment, tree in _readable_of(workspace_id):
        for mentioned in references.cohort_ids_of(tree):
            users[mentioned].append(segment)
    return dict(users)


def users_of(*, segment: Segment) -> list[Segment]:
    """Return the segments whose filters mention another one, archived ones too, by name."""
    return users_by_segment(workspace_id=segment.workspace_id).get(segment.pk, [])


def users_by_segment(*, workspace_id: int) -> dict[int, list[Segment]]:
    """Return, by id, each segment of a workspace that others mention, with those others by name; in one query."""
    users: dict[int, list[Segment]] = defaultdict(list)
    for other, tree in _readable_of(workspace_id):
        for mentioned in references.segment_ids_of(tree) - {other.pk}:
            users[mentioned].append(other)
    return dict(users)


def _readable_of(workspace_id: int) -> list[tuple[Segment, Group]]:
    segments = list(Segment.objects.filter(workspace_id=workspace_id).order_by("name"))
    trees = references.readable((segment.pk, segment.definition) for segment in segments)
    return [(segment, trees[segment.pk]) for segment in segments if segment.pk in trees]
