"""Reads the history of a cohort back: who entered and who left, delta by delta."""

from __future__ import annotations

from cohorts.models import Cohort, CohortDelta
from profiles import bitmaps

Kind = CohortDelta.Kind


def effective_changes(cohort: Cohort) -> list[tuple[set[int], set[int]]]:
    """Return (entered, left) of every folded delta in order; those without any effect are left out."""
    deltas = CohortDelta.objects.filter(cohort=cohort).exclude(kind=Kind.PAGE).order_by("sequence")
    changes = []
    for delta in deltas:
        named, gone = set(bitmaps.unpack(delta.members)), set(bitmaps.unpack(delta.left))
        entered, left = (set(), named) if delta.kind == Kind.REMOVED else (named, gone)
        assert (delta.entered_count, delta.left_count) == (len(entered), len(left)), delta
        if entered or left:
            changes.append((entered, left))
    return changes


def replayed(cohort: Cohort) -> set[int]:
    """Return the members that the history alone adds up to; every change in it must be a real one."""
    members: set[int] = set()
    for entered, left in effective_changes(cohort):
        assert not entered & members, "somebody entered who was there already"
        assert left <= members, "somebody left who was not there"
        members = (members | entered) - left
    return members
