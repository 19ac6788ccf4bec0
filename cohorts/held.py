"""Members that match nobody are held, where the integration does so, until a profile exists that they name.

A held member is its keys in the order of matching. `cohorts/held_joins.py` lets it join; nobody here makes a profile.
Only members that are unknown are held: one that is invalid names nobody, and the device of an identified profile is
no way to reach it. Whoever is removed is held no longer: every held member that shares a key with a removed one goes,
and every one that names a removed profile.

Race-prone, because a page is matched before its transaction begins. Whoever writes held members

1. holds `Lock.MOVES` of the workspace: pages, expiry and deletion share it; joins and erasure have it alone, and a join
   leaves a mark by which a page that was matched before it is matched again (`cohorts/moves.py`);
2. then, unless alone, holds the row of the cohort, so no two pages of it, nor a page and the expiry, interleave.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from pyroaring import BitMap

from accounts.models import Integration
from cohorts import held_rows, moves
from cohorts.models import Cohort, CohortSync, HeldSet
from profiles import bitmaps, mapping, matching
from profiles.identifiers import Identified
from profiles.matching import Keys, Reason

State = HeldSet.State
# No identifier of a profile is longer, and an index of PostgreSQL does not take five times as much.
MAX_KEY_LENGTH = 550
MAX_PAGE = 2**31 - 1
BATCH = 5_000  # members a transaction deletes


@dataclass
class Waiting:
    """What a request leaves: the members to hold, of which later changes count, and whom it removes, be it for a moment."""

    members: dict[UUID, Keys] = field(default_factory=dict)
    removed_keys: set[str] = field(default_factory=set)
    removed: BitMap = field(default_factory=BitMap)

    def note(
        self, members: Sequence[Identified], outcomes: Sequence[int | Reason], *, should_remove: bool
    ) -> None:
        """Take in the next change of the request, with how its members were matched."""
        if should_remove:
            keys = {key for _shown, keys in members for key in keys}
            self.removed_keys |= keys
            self.removed |= BitMap([outcome for outcome in outcomes if isinstance(outcome, int)])
            self.members = {it: own for it, own in self.members.items() if keys.isdisjoint(own)}
            return
        for (_shown, candidates), outcome in zip(members, outcomes, strict=True):
            if outcome is Reason.UNKNOWN and (keys_to_hold := _worth_holding(candidates)):
                self.members[_member(keys_to_hold)] = keys_to_hold


def _worth_holding(candidates: Keys) -> Keys:
    return [key for key in dict.fromkeys(candidates) if len(key) <= MAX_KEY_LENGTH]


def _member(keys: Keys) -> UUID:
    """Return what the same member is known by when it comes again: no key holds the separator."""
    return UUID(bytes=blake2b("\0".join(keys).encode(), digest_size=16).digest())


# --- pages: the caller holds the cohort's lock, and moves off ------------------------------------------------
def change(*, cohort: Cohort, waiting: Waiting) -> int:
    """Hold the members of a request, and no longer those it removes; return how many of its members are held."""
    held_set = HeldSet.objects.counting().filter(cohort=cohort).first()
    if held_set and held_set.member_count and waiting.removed_keys:
        gone = held_rows.named(
            workspace_id=cohort.workspace_id,
            held_set_id=held_set.pk,
            keys=waiting.removed_keys,
            profile_ids=waiting.removed,
        )
        let_go(held_set=held_set, members=gone)
    if not waiting.members:
        return 0
    held_set = held_set or HeldSet.objects.create(cohort=cohort, state=State.CURRENT)
    return _hold(held_set, waiting, page=0)


def collect(*, cohort: Cohort, sync: CohortSync, waiting: Waiting, page: int, is_replaced: bool) -> int:
    """Keep the unmatched members of a page of a full sync, in place of those of a page of the same number."""
    held_set = HeldSet.objects.collecting().filter(sync=sync).first()
    if held_set and is_replaced:
        held_rows.delete_pages(held_set_id=held_set.pk, first=page, last=page)
        _count(held_set)
    if not waiting.members:
        return 0
    held_set = held_set or HeldSet.objects.create(cohort=cohort, sync=sync, state=State.COLLECTING)
    return _hold(held_set, waiting, page=page)


def swap(*, cohort: Cohort, sync: CohortSync) -> None:
    """Hold those whom the pages of a full sync named, and nobody else: two rows, however many members."""
    HeldSet.objects.counting().filter(cohort=cohort).update(state=State.DROPPED)
    held_set = HeldSet.objects.collecting().filter(sync=sync).first()
    if held_set is None:
        return
    if bitmaps.unpack(sync.pages).max() > (sync.total_pages or 0):  # pages past the end do not count
        held_rows.delete_pages(held_set_id=held_set.pk, first=(sync.total_pages or 0) + 1, last=MAX_PAGE)
        _count(held_set)
    held_set.state = State.CURRENT
    held_set.save(update_fields=["state"])


def _hold(held_set: HeldSet, waiting: Waiting, *, page: int) -> int:
    """Write members, as many as there is room for; return how many of them are held afterwards."""
    known = (
        held_rows.known(held_set_id=held_set.pk, members=waiting.members) if held_set.member_count else set()
    )
    room = max(settings.HELD_MEMBERS_PER_COHORT - held_set.member_count, 0)
    new = [member for member in waiting.members if member not in known][:room]
    # A page of a full sync keeps those of other pages too: one of these may be replaced.
    written = [*new, *known] if page else new
    if written:
        held_rows.insert(
            held_set_id=held_set.pk, page=page, members={it: waiting.members[it] for it in written}
        )
    if new:
        HeldSet.objects.filter(pk=held_set.pk).update(member_count=F("member_count") + len(new))
    return len(new) + len(known)


def _count(held_set: HeldSet) -> None:
    held_set.member_count = held_rows.count(held_set_id=held_set.pk)
    held_set.save(update_fields=["member_count"])


# --- no longer held ----------------------------------------------------------------------------------------
def let_go(*, held_set: HeldSet, members: Collection[UUID]) -> None:
    """Hold members no longer. The caller has the locks; the members are in the set."""
    if members:
        held_rows.delete(held_set_id=held_set.pk, members=members)
        HeldSet.objects.filter(pk=held_set.pk).update(member_count=F("member_count") - len(members))
        held_set.member_count -= len(members)


def forget(*, cohort_ids: Collection[int]) -> None:
    """Hold nobody for these cohorts from this commit on; `clear` deletes the rows within the next minute."""
    HeldSet.objects.wanted().filter(cohort_id__in=cohort_ids).update(state=State.DROPPED)


def follow(integration: Integration, changed: Collection[str]) -> None:
    """Hold nobody for a partner's cohorts once its integration stops to: who is taken out meanwhile is not noted.

    So nobody joins who was held before, should it hold again. The caller owns the transaction.
    """
    if integration.holds_unmatched or "holds_unmatched" not in changed:
        return
    cohorts = Cohort.objects.filter(workspace_id=integration.workspace_id, partner=integration.partner)
    forget(cohort_ids=list(cohorts.values_list("pk", flat=True)))


def forget_unwanted() -> None:
    """Hold nobody where the integration does not, for cohorts that were deleted here, or for syncs that are over."""
    holding = Integration.objects.filter(
        workspace=OuterRef("cohort__workspace"), partner=OuterRef("cohort__partner"), holds_unmatched=True
    )
    is_left_over = Q(state=State.COLLECTING) & ~Q(sync__status=CohortSync.Status.RUNNING)
    is_unwanted = Q(cohort__ignored_at__isnull=False) | ~Exists(holding) | is_left_over
    HeldSet.objects.wanted().filter(is_unwanted).update(state=State.DROPPED)


def forget_syncs(*, sync_ids: Collection[int]) -> None:
    """Drop what full syncs collected that will not be complete."""
    if sync_ids:
        HeldSet.objects.collecting().filter(sync_id__in=sync_ids).update(state=State.DROPPED)


def forget_texts(*, workspace_id: int, texts: Collection[str]) -> None:
    """Hold nobody whom one of the texts names: somebody is erased. The caller keeps pages and joins off."""
    by_id = {it.pk: it for it in HeldSet.objects.filter(cohort__workspace_id=workspace_id)}
    if by_id:
        keys = {key for text in texts for key in _keys_of(text)}
        for held_set_id, members in held_rows.named_in(held_set_ids=by_id, keys=keys).items():
            let_go(held_set=by_id[held_set_id], members=members)


def _keys_of(text: str) -> set[str]:
    """Return every key that a text may be, or be the end of: an alias is given as `label:name`, or its name alone."""
    splits = [at for at, letter in enumerate(text) if letter == ":"]
    return {
        matching.external_id_key(text),
        matching.device_key(text),
        matching.alias_key(mapping.DISTINCT_ID_PROPERTY, text),
        *(matching.alias_key(text[:at], text[at + 1 :]) for at in splits),
    }


# --- deleted in the background -----------------------------------------------------------------------------
def clear() -> None:
    """Delete the sets that were dropped. Owns its transactions."""
    for held_set in (
        HeldSet.objects.filter(state=State.DROPPED).select_related("cohort").defer("cohort__snapshot")
    ):
        while _clear_some(held_set):
            pass


@transaction.atomic
def _clear_some(held_set: HeldSet) -> int:
    moves.hold_off(workspace_id=held_set.cohort.workspace_id)
    members = held_rows.some(held_set_id=held_set.pk, limit=BATCH)
    if members:
        held_rows.delete(held_set_id=held_set.pk, members=members)
    else:
        HeldSet.objects.filter(pk=held_set.pk).delete()
    return len(members)


def expire(*, before: datetime) -> int:
    """Let go of members that were held before a moment; return how many. Owns its transactions."""
    held_sets = HeldSet.objects.counting().select_related("cohort").defer("cohort__snapshot")
    return sum(_expire(held_set, before) for held_set in list(held_sets))


def _expire(held_set: HeldSet, before: datetime) -> int:
    count = 0
    while True:
        with transaction.atomic():
            moves.hold_off(workspace_id=held_set.cohort.workspace_id)
            Cohort.objects.without_members().select_for_update(no_key=True).get(pk=held_set.cohort_id)
            old = held_rows.held_before(held_set_id=held_set.pk, moment=before, limit=BATCH)
            let_go(held_set=held_set, members=old)
        count += len(old)
        if not old:
            return count
