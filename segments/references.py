"""What segments mention: cohorts, and other segments with all that these mention. In circles nothing can be counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from accounts.models import Workspace
from cohorts import latest_syncs
from cohorts.models import Cohort
from profiles import bitmaps
from segments import filters
from segments.filters import Fault, Filter, FilterError, Group, Node, There
from segments.filters.sources import CohortMembers, CohortMoves, SegmentMembers, Source
from segments.filters.values import quoted
from segments.models import Segment

_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Mentioned:
    """What trees mention, directly or by other segments. `trees` lacks segments that this release cannot read."""

    there: There
    trees: Mapping[int, Group]


def sources_of(node: Node, now: datetime) -> Iterator[Source]:
    """Yield the sources of all finished filters of a tree."""
    for filter_ in filters.filters_of(node):
        if filter_.is_finished:
            yield from filter_.selects(now).sources


def segment_ids_of(node: Node) -> set[int]:
    """Return the ids of all segments a tree mentions itself."""
    return {it.segment_id for it in sources_of(node, _ANY_MOMENT) if isinstance(it, SegmentMembers)}


def cohort_ids_of(node: Node) -> set[int]:
    """Return the ids of all cohorts a tree mentions itself."""
    sources = sources_of(node, _ANY_MOMENT)
    return {it.cohort_id for it in sources if isinstance(it, CohortMembers | CohortMoves)}


def readable(definitions: Iterable[tuple[int, object]]) -> dict[int, Group]:
    """Return the trees by id, without the definitions that this release cannot read."""
    trees = {}
    for pk, definition in definitions:
        try:
            trees[pk] = filters.parse(definition)
        except FilterError:
            continue
    return trees


def load(*, workspace: Workspace, trees: Iterable[Node]) -> Mentioned:
    """Return the workspace's own among all that trees mention. A query per level of segments in segments."""
    roots = list(trees)
    names: dict[int, str] = {}
    found: dict[int, Group] = {}
    level = set().union(*map(segment_ids_of, roots))
    while missing := level - names.keys():
        own = list(Segment.objects.for_workspace(workspace).filter(pk__in=missing).only("name", "definition"))
        new = readable((segment.pk, segment.definition) for segment in own)
        names |= {segment.pk: segment.name for segment in own}
        found |= new
        level = set().union(*map(segment_ids_of, new.values())) if own else set()
    return Mentioned(There(_cohorts(workspace, [*roots, *found.values()]), names), found)


def _cohorts(workspace: Workspace, trees: Iterable[Node]) -> dict[int, Cohort]:
    mentioned: set[int] = set().union(*map(cohort_ids_of, trees))
    if not mentioned:
        return {}
    own = Cohort.objects.for_workspace(workspace).current().only("name", *latest_syncs.FIELDS)
    if len(mentioned) <= bitmaps.MAX_SQL_IDS:
        own = own.filter(pk__in=mentioned)
    return {cohort.pk: cohort for cohort in own if cohort.pk in mentioned}


# --- faults ------------------------------------------------------------------------------------------------
def faults(root: Group, mentioned: Mentioned, *, own: Segment | None = None) -> list[Fault]:
    """Return what is wrong with what a tree mentions. `own` is the segment whose tree it is, if it was saved before."""
    names = dict(mentioned.there.segments)
    if own is not None and own.pk:
        names[own.pk] = own.name
    found = filters.faults(root, mentioned.there)
    at_fault = {fault.pointer for fault in found}
    for pointer, node in filters.walk(root):
        if not isinstance(node, Filter) or f"{pointer}/value" in at_fault:
            continue
        for segment_id in sorted(segment_ids_of(node)):
            message = _fault_of(segment_id, mentioned, names, own.pk if own else None)
            if message:
                found.append(Fault(f"{pointer}/value", message))
                break
    return found


def _fault_of(segment_id: int, mentioned: Mentioned, names: Mapping[int, str], own: int | None) -> str:
    """Return what is wrong with a segment that is mentioned; blank if nothing is."""
    if circle := _circle([*([own] if own else []), segment_id], mentioned, set()):
        path = " → ".join(quoted(names.get(pk, "?")) for pk in circle)
        return _("A segment cannot be made of itself: {path}.").format(path=path)
    for pk in _within(segment_id, mentioned):
        tree = mentioned.trees.get(pk)
        if tree is None or filters.faults(tree, mentioned.there):
            return _("The segment {name} has a filter that needs attention.").format(name=quoted(names[pk]))
    return ""


def _circle(path: list[int], mentioned: Mentioned, done: set[int]) -> list[int]:
    """Return a path of segments that ends where it was before, going on from one; nothing if there is none.

    `done` are those that lead to none: each is looked at once, however many ways lead to it.
    """
    if path[-1] in path[:-1]:
        return path
    if path[-1] in done:
        return []
    tree = mentioned.trees.get(path[-1])
    for segment_id in sorted(segment_ids_of(tree)) if tree else ():
        if circle := _circle([*path, segment_id], mentioned, done):
            return circle
    done.add(path[-1])
    return []


def _within(segment_id: int, mentioned: Mentioned) -> Iterator[int]:
    """Yield a segment and all that it mentions, each once; there is no circle."""
    seen, pending = set(), [segment_id]
    while pending:
        pk = pending.pop()
        if pk not in seen:
            seen.add(pk)
            yield pk
            tree = mentioned.trees.get(pk)
            pending += segment_ids_of(tree) if tree else ()
