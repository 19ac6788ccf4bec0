"""What changes of members really did, in their order: who entered and who left. Pure.

Changes of one sync, kind and day that follow each other are one step of history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from pyroaring import BitMap

from cohorts.models import CohortDelta

Kind = CohortDelta.Kind


@dataclass(frozen=True)
class Change:
    """A delta as it was appended: whom it named. `left` are those whose places the members of a handover take."""

    delta_id: int
    sync_id: int | None
    kind: str
    day: date
    members: BitMap
    left: BitMap


@dataclass(frozen=True)
class Step:
    """One or several changes, who entered and who left by them, and the members afterwards."""

    changes: Sequence[Change]
    entered: BitMap
    left: BitMap
    members: BitMap

    @property
    def effective(self) -> BitMap:
        """Those the step leaves in `members` of its last delta."""
        return self.left if self.changes[-1].kind == Kind.REMOVED else self.entered


def steps(members: BitMap, changes: Iterable[Change]) -> Iterator[Step]:
    """Yield the steps that lead from some members to those after all changes."""
    for _same, run in groupby(changes, key=_sameness):
        step = _step(members, list(run))
        yield step
        members = step.members


def _sameness(change: Change) -> tuple[object, ...]:
    # Each handover is a step of its own: who enters by one may leave by the next.
    is_handover = change.kind == Kind.REPLACED
    return change.sync_id, change.kind, change.day, change.delta_id if is_handover else None


def _step(members: BitMap, changes: Sequence[Change]) -> Step:
    sent = BitMap.union(BitMap(), *(change.members for change in changes))
    kind = changes[0].kind
    left = (sent if kind == Kind.REMOVED else changes[0].left) & members
    entered = BitMap() if kind == Kind.REMOVED else sent - members
    return Step(changes, entered, left, (members - left) | entered)
