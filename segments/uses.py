"""What uses a segment, and may so keep it from being archived or deleted; and what a segment may use itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from segments import audience, filters, references
from segments.filters import Fault, Filter, FilterError
from segments.models import Segment


def of(*, segment: Segment) -> list[Model]:
    """Return everything that uses a segment, archived or not, by name. What else will use segments is added here."""
    return [*audience.users_of(segment=segment)]


def by_segment(*, workspace_id: int) -> dict[int, Sequence[Model]]:
    """Return the same for all segments of a workspace that are used, by their id."""
    return {**audience.users_by_segment(workspace_id=workspace_id)}


def active(users: Sequence[Model]) -> list[Model]:
    """Return those users that are in use themselves."""
    return [user for user in users if not (isinstance(user, Segment) and user.archived_at)]


def check(*, workspace_id: int, definition: Any, is_active: bool) -> None:
    """Raise FilterError if a definition mentions a segment that is not there or, in an active one, an archived one.

    Whoever saves on the strength of it holds the lock of the workspace's segments (`segments/saving.py`).
    """
    mentions = list(_mentions(definition))
    if not mentions:
        return
    own = Segment.objects.filter(workspace_id=workspace_id, pk__in={pk for _pointer, pk in mentions})
    found = {it.pk: it for it in own.only("name", "archived_at")}
    faults = [
        Fault(pointer, message)
        for pointer, used in mentions
        if (message := _fault(found.get(used), is_active=is_active))
    ]
    if faults:
        raise FilterError(faults)


def _mentions(definition: Any) -> Iterator[tuple[str, int]]:
    """Yield the segments that a definition mentions, each with the pointer of its filter's value."""
    for tree in references.readable([(0, definition)]).values():
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
