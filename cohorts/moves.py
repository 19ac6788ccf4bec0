"""Memberships follow people: when profiles are merged, the kept ones take the places of the others in every cohort.

Race-prone, because a page is matched before its transaction begins, and may name a profile that is merged away
before the page is kept:

1. A page's transaction holds moves off (`hold_off`): pages do so side by side, a move waits for them.
2. A move waits until no page is on its way, leaves a new mark, and holds pages off until it is committed.
3. A page whose mark is not the one it knew before it matched (`check`) is matched again: `MovedError`.

The cohorts that a move writes are locked first, in the order of their ids, so that it never waits for a page or for
the clean-up while it holds what they need. Held members that join a cohort (`cohorts/held_joins.py`) go the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from pyroaring import BitMap

from cohorts import membership, membership_pages
from cohorts.models import Cohort, CohortSync, LatestMove
from profiles import locks
from profiles.locks import Lock

# The newest mark this process met, by workspace. One that is too old costs a page a second matching, no more.
_known: dict[int, str | None] = {}


class MovedError(Exception):
    """Memberships moved since the identifiers of a page were matched."""


def known(*, workspace_id: int) -> str | None:
    """Return the mark to compare with later. To be asked before identifiers are matched."""
    return _known.get(workspace_id)


def forget_marks() -> None:
    """Forget the marks this process met: the tables were emptied (tests do that)."""
    _known.clear()


def hold_off(*, workspace_id: int) -> None:
    """Make moves wait until this transaction ends."""
    locks.share(Lock.MOVES, workspace_id=workspace_id)


def check(*, cohort: Cohort, mark: str | None) -> None:
    """Raise MovedError if memberships moved since `mark`. The cohort was locked after `hold_off`."""
    if cohort.latest_move != mark:
        _known[cohort.workspace_id] = cohort.latest_move
        raise MovedError


def hold_pages_off(*, workspace_id: int) -> None:
    """Wait until no page is on its way, and let none begin until this transaction ends."""
    locks.alone(Lock.MOVES, workspace_id=workspace_id)


def leave_mark(*, workspace_id: int) -> None:
    """Let pages that were matched before this commit be matched again. The caller holds pages off."""
    LatestMove.objects.update_or_create(workspace_id=workspace_id, defaults={"mark": uuid4().hex})


def move(*, workspace_id: int, kept_by_merged: Mapping[int, int], now: datetime) -> None:
    """Let the profiles that are the values take the places of those that are the keys, from this commit on."""
    hold_pages_off(workspace_id=workspace_id)
    leave_mark(workspace_id=workspace_id)
    merged, both = BitMap(kept_by_merged), BitMap([*kept_by_merged, *kept_by_merged.values()])
    cohort_ids = list(Cohort.objects.filter(workspace_id=workspace_id).values_list("pk", flat=True))
    members = membership.members(cohort_ids=cohort_ids, within=both)
    affected = {cohort_id: found for cohort_id, found in members.items() if found & merged}
    waiting = _with_unfinished_full_syncs(workspace_id)
    for cohort in _locked(affected.keys() | waiting):
        if found := affected.get(cohort.pk):
            left = found & merged
            entered = BitMap(kept_by_merged[profile_id] for profile_id in left) - found
            membership.hand_over(cohort=cohort, entered=entered, left=left, now=now)
    membership_pages.hand_over(cohort_ids=sorted(waiting), kept_by_merged=kept_by_merged)


def _with_unfinished_full_syncs(workspace_id: int) -> set[int]:
    unfinished = CohortSync.objects.filter(
        cohort__workspace_id=workspace_id,
        status=CohortSync.Status.RUNNING,
        action=CohortSync.Action.MEMBERS,
    )
    return set(unfinished.values_list("cohort_id", flat=True))


def _locked(cohort_ids: set[int]) -> list[Cohort]:
    cohorts = Cohort.objects.without_members().filter(pk__in=cohort_ids).order_by("pk")
    return list(cohorts.select_for_update(no_key=True))
