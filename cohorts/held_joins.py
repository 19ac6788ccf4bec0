"""Held members join their cohorts when a profile exists that they name: every minute, of what changed since.

Which profiles are new, or have a new identifier, is known from the change marker (`profiles/changes.py`). Whoever was
held since the last time is compared with all profiles: theirs may have come while their page was on its way. What is
found is only a hint; each join finds out again under its locks. Race-prone, so the order matters:

1. `as_of` is taken before anything is looked at: what an open transaction brings, a profile or a held member, bears a
   later time, and is looked at by the next sweep.
2. A join keeps pages and moves off: none is on its way, so nobody is merged, removed or sent again meanwhile.
3. It locks the cohort, and looks whether its set still counts, who is still held, and who they are now.
4. Those who are not members yet are added by one delta, whose sync the history shows; they are held no longer; and a
   mark is left. One transaction: each joins exactly once. A page that was matched before sees the mark, and is
   matched again: so what it removes is a member by now, and leaves.
5. Only then the set is marked as compared up to `as_of`. A sweep that breaks off before looks at the same again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction
from pyroaring import BitMap

from accounts.days import day_of
from cohorts import held, held_rows, membership, moves, syncs
from cohorts.membership import Kind, Page
from cohorts.models import Cohort, CohortSync, HeldSet
from cohorts.syncs import Export
from profiles import changes
from profiles.changes import Recorded

BATCH = 5_000
# More changed profiles than this are slower to look at one by one than all identifiers.
MAX_CHANGED = 100_000
NO_TALLY = dict.fromkeys(membership.TALLY_FIELDS, 0)


def sweep(*, now: datetime) -> int:
    """Let held members join whose profiles exist by now; return how many profiles joined a cohort. Owns its transactions.

    One query where nobody holds anybody.
    """
    if not HeldSet.objects.exists():
        return 0
    held.forget_unwanted()
    held_sets = HeldSet.objects.counting().filter(member_count__gt=0).select_related("cohort")
    in_order = held_sets.defer("cohort__snapshot").order_by("cohort__workspace_id", "pk")
    by_workspace = groupby(in_order, key=lambda held_set: held_set.cohort.workspace_id)
    joined = sum(_sweep(workspace_id, list(of_one), now) for workspace_id, of_one in by_workspace)
    held.clear()
    return joined


def _sweep(workspace_id: int, held_sets: Sequence[HeldSet], now: datetime) -> int:
    as_of = changes.as_of()  # step 1
    recorded = _recorded(workspace_id, held_sets)
    count = 0
    for held_set in held_sets:
        found = _found(workspace_id, held_set, recorded)
        count += sum(_join(workspace_id, held_set, members, now) for members in _batches(found))
        HeldSet.objects.filter(pk=held_set.pk).update(checked_as_of=as_of)  # step 5
    return count


def _recorded(workspace_id: int, held_sets: Sequence[HeldSet]) -> Recorded | None:
    """Return what changed since the first of the times the sets were compared at."""
    moments = [it.checked_as_of for it in held_sets if it.checked_as_of]
    kept = [moment for moment in moments if changes.is_kept_since(moment)]
    return changes.recorded(workspace_id=workspace_id, moment=min(kept)) if kept else None


def _found(workspace_id: int, held_set: HeldSet, recorded: Recorded | None) -> set[UUID]:
    """Return the members that seem to have a profile."""
    where = {"workspace_id": workspace_id, "held_set_id": held_set.pk}
    moment = held_set.checked_as_of
    if recorded is None or moment is None or not changes.is_kept_since(moment):
        return held_rows.of_anybody(**where)
    changed = recorded.since(kind=changes.Kind.ATTRIBUTES, moment=moment)  # identifiers are among these
    if len(changed) > MAX_CHANGED:
        return held_rows.of_anybody(**where)
    found = held_rows.of_anybody_held_since(**where, moment=moment)
    return found | held_rows.of_profiles(**where, profile_ids=changed) if changed else found


def _batches(members: set[UUID]) -> Iterator[list[UUID]]:
    in_order = sorted(members)
    for start in range(0, len(in_order), BATCH):
        yield in_order[start : start + BATCH]


@transaction.atomic
def _join(workspace_id: int, held_set: HeldSet, members: Sequence[UUID], now: datetime) -> int:
    moves.hold_pages_off(workspace_id=workspace_id)  # step 2
    cohort = Cohort.objects.without_members().select_for_update(no_key=True).get(pk=held_set.cohort_id)
    if not HeldSet.objects.counting().filter(pk=held_set.pk).exists():  # step 3
        return 0
    profiles = held_rows.matches(workspace_id=workspace_id, held_set_id=held_set.pk, members=members)
    if not profiles:
        return 0
    found = BitMap(profiles.values())
    joining = found - membership.members(cohort_ids=[cohort.pk], within=found)[cohort.pk]
    if joining:  # step 4
        sync = _note(cohort, now)
        page = Page(number=None, digest=b"", tally=NO_TALLY)
        membership.append(cohort=cohort, sync=sync, kind=Kind.ADDED, members=joining, page=page, now=now)
    held.let_go(held_set=held_set, members=profiles)
    moves.leave_mark(workspace_id=workspace_id)
    return len(joining)


def _note(cohort: Cohort, now: datetime) -> CohortSync:
    """Return the sync of the day's joins, which the import history shows: the partner sent nobody by it."""
    day = day_of(now).isoformat()
    export = Export(cohort.partner_cohort_id, CohortSync.Action.HELD, session_id=day)
    sync = syncs.find(cohort=cohort, export=export, now=now)
    syncs.note_page(sync=sync, export=export, tally=NO_TALLY, sample=[], replaced=None, now=now)
    return sync
