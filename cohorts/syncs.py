"""The bookkeeping of syncs: which sync a page belongs to, which pages it has, and whether it is complete.

Whoever calls holds the cohort's row lock, so no two pages of a cohort are noted at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from pyroaring import BitMap

from accounts.models import Integration
from cohorts import held, membership, membership_pages, metrics
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import bitmaps

Action = CohortSync.Action
Status = CohortSync.Status
ERROR_LENGTH = 500
_NOTED_FIELDS = (
    *membership.TALLY_FIELDS,
    "pages",
    "pages_count",
    "total_pages",
    "status",
    "finished_at",
    "last_page_at",
    "last_error",
    "unmatched_sample",
)


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

    @property
    def is_full(self) -> bool:
        """Whether the export replaces the members, once all its pages came."""
        return self.action == Action.MEMBERS


def find(*, cohort: Cohort, export: Export, now: datetime) -> CohortSync:
    """Return the sync that the page belongs to; a new one if it begins one."""
    identity = [cohort.pk, export.session_id, export.action.value]
    may_continue = export.session_id or export.action == Action.CHANGES
    sync = next(iter(CohortSync.objects.raw(_NEWEST, identity)), None) if may_continue else None
    if sync is not None and export.action == Action.CHANGES:
        # The partner protocol has no session: calls that follow each other closely are one sync.
        idle = timedelta(seconds=settings.PARTNER_SYNC_IDLE_SECONDS)
        sync = sync if now - sync.last_page_at <= idle else None
    if sync is None:
        return begin(cohort=cohort, export=export, now=now)
    structlog.contextvars.bind_contextvars(sync=sync.pk)
    return sync


# Written out, not built: composing this query took Python longer than PostgreSQL takes to answer it.
_NEWEST = """
    SELECT * FROM cohorts_cohortsync WHERE cohort_id = %s AND session_id = %s AND action = %s ORDER BY id DESC LIMIT 1
"""


def begin(*, cohort: Cohort, export: Export, now: datetime) -> CohortSync:
    """Begin a sync. A full one supersedes the unfinished full ones of the cohort."""
    if export.is_full:
        older = CohortSync.objects.filter(cohort=cohort, action=Action.MEMBERS, status=Status.RUNNING)
        overtaken = list(older.values_list("id", flat=True))
        CohortSync.objects.filter(id__in=overtaken).update(status=Status.SUPERSEDED, finished_at=now)
        membership_pages.drop(sync_ids=overtaken)
        held.forget_syncs(sync_ids=overtaken)
    sync = CohortSync.objects.create(
        cohort=cohort, session_id=export.session_id, action=export.action, started_at=now, last_page_at=now
    )
    structlog.contextvars.bind_contextvars(sync=sync.pk)  # the lines of this request say which it was about
    return sync


def has_page(*, sync: CohortSync, number: int) -> bool:
    """Whether a page of this number came before, with whatever content."""
    return number in bitmaps.unpack(sync.pages)


def note_page(
    *,
    sync: CohortSync,
    export: Export,
    tally: dict[str, int],
    sample: list[dict[str, str]],
    replaced: CohortDelta | None,
    now: datetime,
) -> None:
    """Count a page, less the one it `replaced`, and find out whether the sync is complete with it."""
    for name, count in tally.items():
        before = getattr(replaced, name) if replaced else 0
        setattr(sync, name, getattr(sync, name) + count - before)
    pages = _note_number(sync, export)
    is_complete = export.total_pages is None or _has_all(pages, export.total_pages)
    if is_complete and export.total_pages is not None and sync.status == Status.RUNNING:
        metrics.time_sync(action=export.action, started_at=sync.started_at)
    sync.total_pages = export.total_pages
    sync.status = Status.COMPLETE if is_complete else Status.RUNNING
    sync.finished_at = now if is_complete else None
    sync.last_page_at = now
    sync.last_error = ""
    room = max(settings.UNMATCHED_SAMPLE_SIZE - len(sync.unmatched_sample), 0)
    sync.unmatched_sample = [*sync.unmatched_sample, *sample[:room]]
    sync.save(update_fields=_NOTED_FIELDS)


def _note_number(sync: CohortSync, export: Export) -> BitMap:
    pages = bitmaps.unpack(sync.pages)
    if export.page is None:
        sync.pages_count += 1
    else:
        pages.add(export.page)
        pages.run_optimize()
        sync.pages, sync.pages_count = bitmaps.pack(pages), len(pages)
    return pages


def _has_all(pages: BitMap, total: int) -> bool:
    return bool(pages.range_cardinality(1, total + 1) == total)


def give_up(*, cohort: Cohort, reason: str, now: datetime) -> None:
    """Give up all syncs of a cohort that wait for pages. One whose pages come again later begins anew."""
    waiting = CohortSync.objects.filter(cohort=cohort, status=Status.RUNNING)
    given_up = list(waiting.values_list("id", flat=True))
    CohortSync.objects.filter(id__in=given_up).update(
        status=Status.EXPIRED, finished_at=now, last_error=reason[:ERROR_LENGTH]
    )
    membership_pages.drop(sync_ids=given_up)


def note_refusal(*, integration: Integration, partner_cohort_id: str, session_id: str, error: str) -> None:
    """Keep why a page was refused with the sync that still waits for it; the next page that is taken clears it."""
    waiting = CohortSync.objects.filter(
        cohort__workspace=integration.workspace_id,
        cohort__partner=integration.partner,
        cohort__partner_cohort_id=partner_cohort_id,
        session_id=session_id,
        status=Status.RUNNING,
    )
    waiting.update(last_error=error[:ERROR_LENGTH])
