"""A partner's request becomes membership: match, then one transaction for all of it or none.

Matching runs before the transaction, which so holds the cohort's lock for a millisecond or two and, on SQLite, never
makes another writer wait for a query. The transaction's steps are numbered in `_receive`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from pyroaring import BitMap

from accounts.models import Integration
from cohorts import membership
from cohorts.membership import Kind, Page
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import bitmaps, matching
from profiles.matching import Keys, Reason

Action = CohortSync.Action
Status = CohortSync.Status
TALLY_OF_REASON = {
    Reason.UNKNOWN: "unknown_count",
    Reason.IDENTIFIED: "identified_count",
    Reason.INVALID: "invalid_count",
}


@dataclass(frozen=True)
class Identified:
    """One identifier, or one member with several: the text to show for it and the keys to try, in order."""

    shown: str
    keys: Keys


@dataclass(frozen=True)
class Change:
    """Members to add or to remove, in the order of the request."""

    members: Sequence[Identified]
    should_remove: bool = False


@dataclass(frozen=True)
class Export:
    """One page of a partner's export of a cohort, as its wire protocol names it."""

    partner_cohort_id: str
    action: CohortSync.Action
    name: str | None = None
    description: str | None = None
    session_id: str = ""
    page: int | None = None
    total_pages: int | None = None


@dataclass
class Result:
    """How the identifiers of a request fared. `matched` counts profiles, the others distinct identifiers."""

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


def name_cohort(
    *, integration: Integration, partner_cohort_id: str, name: str, created_at: datetime | None, now: datetime
) -> None:
    """Create the cohort or rename it. The partner's first `created_at` is kept (clients send a new one each time)."""
    with transaction.atomic():
        cohort = _locked_cohort(integration, partner_cohort_id, name=name, now=now)
        cohort.name = name
        cohort.partner_created_at = cohort.partner_created_at or created_at
        cohort.save(update_fields=["name", "partner_created_at"])


def apply(
    *, integration: Integration, export: Export, changes: Sequence[Change], digest: bytes, now: datetime
) -> Result:
    """Apply one request: all of it in one transaction, or nothing.

    `digest` identifies the page's content: a page that comes again in its session changes nothing. Returns how the
    identifiers fared, also for a page that came again.
    """
    result, added, removed = _match(integration.workspace_id, changes)
    with transaction.atomic():
        _receive(integration, export, added=added, removed=removed, result=result, digest=digest, now=now)
    return result


def digest_of(body: bytes) -> bytes:
    """Return 16 bytes that identify the content of a page."""
    return hashlib.blake2b(body, digest_size=16).digest()


# --- matching -----------------------------------------------------------------------------------------------
def _match(workspace_id: int, changes: Sequence[Change]) -> tuple[Result, BitMap, BitMap]:
    """Return how the identifiers fared, and whom the changes add and remove in the end: the last word counts."""
    members = [member for change in changes for member in change.members]
    outcomes = matching.match(workspace_id=workspace_id, candidates=[member.keys for member in members])
    result = Result(received=len(members))
    added, removed, reached = BitMap(), BitMap(), BitMap()
    position = 0
    for change in changes:
        end = position + len(change.members)
        profiles = BitMap([outcome for outcome in outcomes[position:end] if isinstance(outcome, int)])
        position = end
        reached |= profiles
        added = added - profiles if change.should_remove else added | profiles
        removed = removed | profiles if change.should_remove else removed - profiles
    result.matched = len(reached)
    unmatched = {
        member.shown: outcome
        for member, outcome in zip(members, outcomes, strict=True)
        if isinstance(outcome, Reason)
    }
    result.reasons.update(unmatched.values())
    result.sample = [
        {"identifier": shown, "reason": reason}
        for shown, reason in list(unmatched.items())[: settings.UNMATCHED_SAMPLE_SIZE]
    ]
    return result, added, removed


# --- the transaction -----------------------------------------------------------------------------------------
def _receive(
    integration: Integration,
    export: Export,
    *,
    added: BitMap,
    removed: BitMap,
    result: Result,
    digest: bytes,
    now: datetime,
) -> None:
    """Apply a matched page. Every step runs under the cohort's row lock, so no two pages of it interleave."""
    # 1. Lock the cohort, making it first if it is new: members are never lost to the order of calls.
    cohort = _locked_cohort(integration, export.partner_cohort_id, name=export.name, now=now)
    # 2. Find the sync the page belongs to; a page it has already, or of a sync that is over, changes nothing.
    sync = _sync_of(cohort, export, now)
    is_full_sync = export.action == Action.MEMBERS
    known = (
        membership.page_of(sync=sync, number=export.page, digest=digest) if export.page is not None else None
    )
    is_repeat = known is not None and bytes(known.digest) == digest
    if sync.status == Status.SUPERSEDED or (is_repeat and sync.status != Status.EXPIRED):
        _describe(cohort, export, now)
        return
    if is_full_sync and sync.status != Status.RUNNING:
        # The partner exports again under an old session id: a new attempt, complete when all its pages came.
        sync, known = _begin(cohort, export, now), None
    # 3. Keep the page, and count it.
    page = Page(number=export.page, digest=digest, tally=result.tally())
    if is_full_sync:
        membership.stage(cohort=cohort, sync=sync, members=added, page=page, now=now)
    else:
        for kind, members in _deltas(export, added, removed):
            membership.append(cohort=cohort, sync=sync, kind=kind, members=members, page=page, now=now)
    _note_page(sync, export, result, replaced=known if is_full_sync else None, now=now)
    # 4. The page that completes a full sync swaps the members, still under the lock.
    if is_full_sync and sync.status == Status.COMPLETE:
        membership.swap(cohort=cohort, sync=sync, now=now)
    elif sync.status == Status.COMPLETE and export.total_pages is not None:
        membership.compact(cohort=cohort)
    _describe(cohort, export, now)


def _deltas(export: Export, added: BitMap, removed: BitMap) -> list[tuple[CohortDelta.Kind, BitMap]]:
    """Return the deltas of a request. A numbered page always makes one, by which it is known when it comes again."""
    if export.page is None:
        return [
            (kind, members) for kind, members in ((Kind.ADDED, added), (Kind.REMOVED, removed)) if members
        ]
    return [(Kind.REMOVED, removed) if export.action == Action.REMOVE_MEMBERS else (Kind.ADDED, added)]


def _locked_cohort(
    integration: Integration, partner_cohort_id: str, *, name: str | None, now: datetime
) -> Cohort:
    identity = {
        "workspace_id": integration.workspace_id,
        "partner": integration.partner,
        "partner_cohort_id": partner_cohort_id,
    }
    cohort = membership.lock(**identity)
    if cohort is None:
        # Two first calls may meet here: the second finds the first one's row, and waits for its lock.
        new = Cohort(**identity, name=name or partner_cohort_id, created_at=now)
        Cohort.objects.bulk_create([new], ignore_conflicts=True)
        cohort = membership.lock(**identity)
        if cohort is None:  # pragma: no cover - rows of cohorts are never deleted
            raise RuntimeError("a cohort vanished while it was created")
    return cohort


def _describe(cohort: Cohort, export: Export, now: datetime) -> None:
    """Name and description follow the partner's latest call."""
    cohort.last_sync_at = now
    cohort.name = export.name or cohort.name
    if export.description is not None:
        cohort.description = export.description
    cohort.save(update_fields=["last_sync_at", "name", "description"])


def _sync_of(cohort: Cohort, export: Export, now: datetime) -> CohortSync:
    syncs = CohortSync.objects.filter(cohort=cohort, session_id=export.session_id, action=export.action)
    sync = syncs.order_by("-id").first() if _continues(export) else None
    if sync is not None and export.action == Action.CHANGES:
        idle = timedelta(seconds=settings.PARTNER_SYNC_IDLE_SECONDS)
        sync = sync if now - sync.last_page_at <= idle else None
    return sync or _begin(cohort, export, now)


def _continues(export: Export) -> bool:
    """Whether a call may belong to a sync that began before. Without a session only the partner protocol's do."""
    return bool(export.session_id) or export.action == Action.CHANGES


def _begin(cohort: Cohort, export: Export, now: datetime) -> CohortSync:
    if export.action == Action.MEMBERS:
        older = CohortSync.objects.filter(cohort=cohort, action=Action.MEMBERS, status=Status.RUNNING)
        overtaken = list(older.values_list("id", flat=True))
        CohortSync.objects.filter(id__in=overtaken).update(status=Status.SUPERSEDED, finished_at=now)
        membership.drop_pages(sync_ids=overtaken)
    return CohortSync.objects.create(
        cohort=cohort, session_id=export.session_id, action=export.action, started_at=now, last_page_at=now
    )


def _note_page(
    sync: CohortSync, export: Export, result: Result, *, replaced: CohortDelta | None, now: datetime
) -> None:
    for name, count in result.tally().items():
        before = getattr(replaced, name) if replaced else 0
        setattr(sync, name, getattr(sync, name) + count - before)
    pages = bitmaps.unpack(sync.pages)
    if export.page is not None:
        pages.add(export.page)
        pages.run_optimize()
        sync.pages, sync.pages_count = bitmaps.pack(pages), len(pages)
        sync.total_pages = export.total_pages
    else:
        sync.pages_count += 1
    is_complete = export.total_pages is None or _has_all(pages, export.total_pages)
    sync.status = Status.COMPLETE if is_complete else Status.RUNNING
    sync.finished_at = now if is_complete else None
    sync.last_page_at = now
    sync.last_error = ""
    room = settings.UNMATCHED_SAMPLE_SIZE - len(sync.unmatched_sample)
    sync.unmatched_sample = [*sync.unmatched_sample, *result.sample[: max(room, 0)]]
    sync.save(update_fields=_page_fields(sync, has_sample=bool(result.sample and room > 0)))


def _page_fields(sync: CohortSync, *, has_sample: bool) -> list[str]:
    fields = [*membership.TALLY_FIELDS, "pages", "pages_count", "total_pages", "status", "finished_at"]
    fields += ["last_page_at", "last_error"]
    return [*fields, "unmatched_sample"] if has_sample else fields


def _has_all(pages: BitMap, total: int) -> bool:
    return pages.range_cardinality(1, total + 1) == total
