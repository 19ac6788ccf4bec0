"""What uses a segment, and may so keep it from being archived or deleted; and what a segment may use itself.

`by_cohort` says which segments keep a cohort (`cohorts/uses.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from cohorts.models import Cohort
from segments import audience, filters, references
from segments.filters import Fault, Filter, FilterError, Group, There
from segments.models import Segment


def of(*, segment: Segment) -> list[Model]:
    """Return everything that uses a segment, archived or not, by name. What else will use segments is added here."""
    return [*audience.users_of(segment=segment)]


def by_segment(*, workspace_id: int) -> dict[int, Sequence[Model]]:
    """Return the same for all segments of a workspace that are used, by their id."""
    return {**audience.users_by_segment(workspace_id=workspace_id)}


def by_cohort(*, workspace_id: int) -> dict[int, Sequence[Model]]:
    """Return the segments that use each cohort of a workspace, archived ones too, by the cohort's id."""
    return {**audience.users_by_cohort(workspace_id=workspace_id)}


def active(users: Sequence[Model]) -> list[Model]:
    """Return those users that are in use themselves."""
    return [user for user in users if not (isinstance(user, Segment) and user.archived_at)]


def check(*, workspace_id: int, definition: Any, is_active: bool) -> None:
    """Raise FilterError if a definition mentions a cohort or a segment that is not there or, in an active one, an archived one.

    Whoever saves on the strength of it holds the lock of the workspace's segments (`segments/saving.py`), and so
    does whoever deletes a cohort (`cohorts/ignoring.py`).
    """
    for tree in references.readable([(0, definition)]).values():
        faults = [
            *_faults_of_segments(workspace_id, tree, is_active=is_active),
            *_faults_of_cohorts(workspace_id, tree),
        ]
        if faults:
            raise FilterError(faults)


def _faults_of_segments(workspace_id: int, tree: Group, *, is_active: bool) -> list[Fault]:
    mentions = list(_mentions(tree))
    if not mentions:
        return []
    own = Segment.objects.filter(workspace_id=workspace_id, pk__in={pk for _pointer, pk in mentions})
    found = {it.pk: it for it in own.only("name", "archived_at")}
    return [
        Fault(pointer, message)
        for pointer, used in mentions
        if (message := _fault(found.get(used), is_active=is_active))
    ]


def _faults_of_cohorts(workspace_id: int, tree: Group) -> list[Fault]:
    mentioned = references.cohort_ids_of(tree)
    if not mentioned:
        return []
    own = Cohort.objects.current().filter(workspace_id=workspace_id).only("partner", "name")
    there = {cohort.pk: cohort for cohort in own.filter(pk__in=mentioned)}
    return filters.faults(tree, There(there, dict.fromkeys(references.segment_ids_of(tree), "")))


def _mentions(tree: Group) -> Iterator[tuple[str, int]]:
    """Yield the segments that a tree mentions, each with the pointer of its filter's value."""
    for pointer, node in filters.walk(tree):
        if isinstance(node, Filter):
            yield from ((f"{pointer}/value", pk) for pk in sorted(references.segment_ids_of(node)))


def _fault(used: Segment | None, *, is_active: bool) -> str:
    if used is None:
        return _("This segment does not exist any more. Choose another one.")
    if is_active and used.archived_at:
        return _("“{name}” is archived. Unarchive it first, or choose another segment.").format(
            name=used.name
        )
    return ""
