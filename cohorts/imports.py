"""A partner's request becomes membership: match, then one transaction for all of it or none.

Matching runs before the transaction, which so holds the cohort's lock for a millisecond or two and, on SQLite, never
makes another writer wait for a query. The transaction's steps are numbered in `_receive`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from pyroaring import BitMap

from accounts.models import Integration
from cohorts import held, membership, metrics, moves, rows, syncs
from cohorts.held import Waiting
from cohorts.membership import Kind, Page
from cohorts.models import Cohort, CohortDelta, CohortSync
from cohorts.moves import MovedError
from cohorts.syncs import Export
from profiles import attempts, matching
from profiles.identifiers import Identified
from profiles.matching import Reason

Status = CohortSync.Status
TALLY_OF_REASON = {
    Reason.UNKNOWN: "unknown_count",
    Reason.IDENTIFIED: "identified_count",
    Reason.INVALID: "invalid_count",
}


@dataclass(frozen=True)
class Change:
    """Members to add or to remove, in the order of the request."""

    members: Sequence[Identified]
    should_remove: bool = False


@dataclass
class Result:
    """How the identifiers of a request fared. `matched` counts profiles, `reasons` distinct identifiers."""

    received: int = 0
    matched: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    sample: list[dict[str, str]] = field(default_factory=list)

    @property
    def unmatched(self) -> int:
        """Distinct identifiers that matched no profile."""
        return self.reasons.total()

    def tally(self) -> dict[str, int]:
        """Return the counts under the names of the models' fields."""
        counts = {name: self.reasons[reason] for reason, name in TALLY_OF_REASON.items()}
        return {"received_count": self.received, "matched_count": self.matched, **counts}


@dataclass(frozen=True)
class _Matched:
    """What a request comes to: whom it adds and removes in the end, and how its identifiers fared.

    `waiting` are those to be held, and held no longer; None where the integration drops the unmatched.
    """

    added: BitMap
    removed: BitMap
    result: Result
    waiting: Waiting | None


def name_cohort(
    *, integration: Integration, partner_cohort_id: str, name: str, created_at: datetime | None, now: datetime
) -> None:
    """Create the cohort or rename it. The partner's first `created_at` is kept: clients send a new one each time.

    Raises rows.IgnoredCohortError.
    """
    with transaction.atomic():
        cohort = rows.locked(integration=integration, partner_cohort_id=partner_cohort_id, name=name, now=now)
        cohort.name = name
        cohort.partner_created_at = cohort.partner_created_at or created_at
        cohort.save(update_fields=["name", "partner_created_at"])


def apply(
    *, integration: Integration, export: Export, changes: Sequence[Change], digest: bytes, now: datetime
) -> Result:
    """Apply one request: all of it in one transaction, or nothing.

    `digest` identifies the page's content: a page that comes again in its session changes nothing. Returns how the
    identifiers fared, also for a page that came again. Raises rows.IgnoredCohortError.
    """
    for _attempt in range(attempts.MAX_ATTEMPTS):
        mark = moves.known(workspace_id=integration.workspace_id)
        matched = _match(integration, changes)
        with suppress(MovedError), transaction.atomic():
            _receive(integration, export, matched, mark=mark, digest=digest, now=now)
            return matched.result
    raise attempts.ContendedError("Users were merged each time their cohort was matched.")


def digest_of(content: bytes) -> bytes:
    """Return 16 bytes that identify the content of a page."""
    return hashlib.blake2b(content, digest_size=16).digest()


# --- matching -----------------------------------------------------------------------------------------------
def _match(integration: Integration, changes: Sequence[Change]) -> _Matched:
    members = [member for change in changes for member in change.members]
    candidates = [keys for _shown, keys in members]
    outcomes = matching.match(workspace_id=integration.workspace_id, candidates=candidates)
    waiting = Waiting() if integration.holds_unmatched else None
    added, removed, reached = BitMap(), BitMap(), BitMap()
    position = 0
    for change in changes:  # in their order: the last word on a profile counts
        end = position + len(change.members)
        fared, position = outcomes[position:end], end
        profiles = BitMap([outcome for outcome in fared if isinstance(outcome, int)])
        reached |= profiles
        added = added - profiles if change.should_remove else added | profiles
        removed = removed | profiles if change.should_remove else removed - profiles
        if waiting is not None:
            waiting.note(change.members, fared, should_remove=change.should_remove)
    return _Matched(added, removed, _result(members, outcomes, matched=len(reached)), waiting)


def _result(members: Sequence[Identified], outcomes: Sequence[int | Reason], *, matched: int) -> Result:
    unmatched: dict[Any, tuple[str, Reason]] = {}
    for position, ((shown, keys), outcome) in enumerate(zip(members, outcomes, strict=True)):
        if isinstance(outcome, Reason):
            # One that came twice counts once; members that carry no identifier at all are different people.
            who = (shown, *keys) if shown else position
            unmatched[who] = (shown, outcome)
    sample = list(unmatched.values())[: settings.UNMATCHED_SAMPLE_SIZE]
    return Result(
        received=len(members),
        matched=matched,
        reasons=Counter(reason for _shown, reason in unmatched.values()),
        sample=[{"identifier": shown, "reason": reason} for shown, reason in sample],
    )


# --- the transaction -----------------------------------------------------------------------------------------
def _receive(
    integration: Integration,
    export: Export,
    matched: _Matched,
    *,
    mark: str | None,
    digest: bytes,
    now: datetime,
) -> None:
    """Apply a matched page. Every step runs under the cohort's row lock, so no two pages of it interleave."""
    # 1. Lock the cohort, making it first if it is new: members are never lost to the order of calls. Who was
    #    matched must be so still: nobody is merged until the page is kept.
    moves.hold_off(workspace_id=integration.workspace_id)
    cohort = rows.of_export(integration=integration, export=export, now=now)
    moves.check(cohort=cohort, mark=mark)
    # 2. Find the sync the page belongs to; a page it has already, or of a sync that was overtaken, changes nothing.
    sync = syncs.find(cohort=cohort, export=export, now=now)
    known = _known_page(sync, export, digest)
    is_repeat = known is not None and bytes(known.digest) == digest
    is_lost = export.is_full and sync.status == Status.EXPIRED  # what its pages held was dropped
    if sync.status == Status.SUPERSEDED or (is_repeat and not is_lost):
        return
    if export.is_full and sync.status != Status.RUNNING:
        # The partner exports again under an old session id: a new attempt, complete when all its pages came.
        sync, known = syncs.begin(cohort=cohort, export=export, now=now), None
    # 3. Keep the page, with those of it who are to be held, and count it.
    tally = matched.result.tally() | _hold(cohort, sync, export, matched, is_replaced=known is not None)
    page = Page(number=export.page, digest=digest, tally=tally)
    _keep(cohort, sync, export, matched, page, now)
    syncs.note_page(
        sync=sync,
        export=export,
        tally=page.tally,
        sample=matched.result.sample,
        replaced=known if export.is_full else None,
        now=now,
    )
    # 4. The page that completes a sync swaps the members of a full one, and settles the history of any.
    _settle(cohort, sync, export, matched, now)


def _settle(cohort: Cohort, sync: CohortSync, export: Export, matched: _Matched, now: datetime) -> None:
    if sync.status == Status.COMPLETE and export.is_full:
        membership.swap(cohort=cohort, sync=sync, now=now)
        if matched.waiting is not None:
            held.swap(cohort=cohort, sync=sync)
    elif sync.status == Status.COMPLETE and export.total_pages is not None:
        membership.compact(cohort=cohort)


def _known_page(sync: CohortSync, export: Export, digest: bytes) -> CohortDelta | None:
    if export.page is None or not syncs.has_page(sync=sync, number=export.page):
        return None
    return membership.page_of(sync=sync, number=export.page, digest=digest)


def _keep(
    cohort: Cohort, sync: CohortSync, export: Export, matched: _Matched, page: Page, now: datetime
) -> None:
    result = matched.result
    metrics.count_page(
        partner=cohort.partner, received=result.received, matched=result.matched, reasons=result.reasons
    )
    if export.is_full:
        membership.stage(cohort=cohort, sync=sync, members=matched.added, page=page, now=now)
        return
    deltas = [(Kind.ADDED, matched.added), (Kind.REMOVED, matched.removed)]
    if export.page is not None:
        # A numbered page makes one delta, even an empty one, by which it is known when it comes again.
        deltas = deltas[1:] if export.action == CohortSync.Action.REMOVE_MEMBERS else deltas[:1]
    else:
        deltas = [(kind, members) for kind, members in deltas if members]
    for kind, members in deltas:
        membership.append(cohort=cohort, sync=sync, kind=kind, members=members, page=page, now=now)


def _hold(
    cohort: Cohort, sync: CohortSync, export: Export, matched: _Matched, *, is_replaced: bool
) -> dict[str, int]:
    """Hold those who wait for a profile; return how many of the page do, as a part of its tally."""
    waiting = matched.waiting
    if waiting is None:
        return {"held_count": 0}
    if not export.is_full:
        return {"held_count": held.change(cohort=cohort, waiting=waiting)}
    page = export.page or 0
    count = held.collect(cohort=cohort, sync=sync, waiting=waiting, page=page, is_replaced=is_replaced)
    return {"held_count": count}
