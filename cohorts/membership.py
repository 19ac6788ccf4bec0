"""Who is in a cohort: deltas are appended, folded on read, and compacted into a snapshot now and then.

The only module that reads or writes members, with `membership_pages.py` for those that do not count yet. Whoever changes them owns the transaction and holds the cohort's row
lock (`lock`), so sequence numbers are given in commit order and folding never runs twice at once:

1. `lock` takes the row of the cohort: other writers of this cohort wait, of other cohorts do not.
2. `append` or `stage` inserts one delta. Readers, who take no lock, see it when the transaction commits.
3. Every COMPACT_EVERY_DELTAS, and when a full sync is complete, the deltas are folded into the snapshot in order.
   Only then is it known who *really* entered or left; it is written down once, with the data points it costs.

A reader sees snapshot and deltas in one statement, that is at one moment: before a change or after, never between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max
from pyroaring import BitMap

from accounts import usage
from accounts.models import DataPointUsage
from cohorts import folding, membership_pages
from cohorts.folding import Change, Step
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import bitmaps

Kind = CohortDelta.Kind
TALLY_FIELDS = (
    "received_count",
    "matched_count",
    "unknown_count",
    "identified_count",
    "invalid_count",
    "held_count",
)


@dataclass(frozen=True)
class Page:
    """A page of a sync as it is kept: its number, what it held, and how its identifiers fared."""

    number: int | None
    digest: bytes
    tally: dict[str, int]


# --- reading -----------------------------------------------------------------------------------------------
def members(*, cohort_ids: Sequence[int], within: BitMap) -> dict[int, BitMap]:
    """Return the members of each cohort, exact at one moment.

    `within` is the set of live profiles of the workspace: an erased profile is in no cohort from then on.
    """
    stored = {cohort_id: BitMap() for cohort_id in cohort_ids}
    if not stored:
        return {}
    for cohort_id, sequence, kind, blob, left in bitmaps.fetch(
        _FOLD.format(bitmaps.placeholders(stored)), list(stored)
    ):
        if not sequence:
            stored[cohort_id] = bitmaps.unpack(blob)
        elif kind == Kind.REMOVED:
            stored[cohort_id] -= bitmaps.unpack(blob)
        else:
            stored[cohort_id] -= bitmaps.unpack(left)
            stored[cohort_id] |= bitmaps.unpack(blob)
    return {cohort_id: bitmap & within for cohort_id, bitmap in stored.items()}


# One statement, so that snapshot and deltas are of one moment. A snapshot comes as the delta of sequence 0.
_FOLD = """
    WITH chosen AS (SELECT id, snapshot, snapshot_sequence FROM cohorts_cohort WHERE id IN ({}))
    SELECT id, 0 AS sequence, 'snapshot' AS kind, snapshot, NULL FROM chosen
    UNION ALL
    SELECT d.cohort_id, d.sequence, d.kind, d.members, d.left
    FROM chosen c JOIN cohorts_cohortdelta d ON d.cohort_id = c.id AND d.sequence > c.snapshot_sequence
    ORDER BY 1, 2
"""


# --- writing: the caller holds the lock ---------------------------------------------------------------------
def lock(workspace_id: int, partner: str, partner_cohort_id: str) -> Cohort | None:
    """Return a cohort with its row locked until the transaction ends; None if there is no such cohort."""
    sql = _LOCK if connection.features.has_select_for_no_key_update else _FIND
    return next(iter(Cohort.objects.raw(sql, [workspace_id, partner, partner_cohort_id])), None)


# Written out, not built: composing this query took Python longer than PostgreSQL takes to answer it. Without the
# snapshot, which may be a megabyte.
_FIND = """
    SELECT id, workspace_id, partner, partner_cohort_id, name, description, last_sync_at, ignored_at, snapshot_sequence,
        (SELECT mark FROM cohorts_latestmove m WHERE m.workspace_id = c.workspace_id) AS latest_move
    FROM cohorts_cohort c WHERE workspace_id = %s AND partner = %s AND partner_cohort_id = %s
"""
_LOCK = f"{_FIND} FOR NO KEY UPDATE OF c"


def append(
    *, cohort: Cohort, sync: CohortSync, kind: CohortDelta.Kind, members: BitMap, page: Page, now: datetime
) -> None:
    """Add or remove members from this transaction's commit on."""
    sequence = _insert(cohort=cohort, sync=sync, kind=kind, members=members, page=page, now=now)
    _compact_now_and_then(cohort, sequence)


def _compact_now_and_then(cohort: Cohort, sequence: int | None) -> None:
    if sequence is not None and sequence - cohort.snapshot_sequence >= settings.COMPACT_EVERY_DELTAS:
        compact(cohort=cohort)


def stage(*, cohort: Cohort, sync: CohortSync, members: BitMap, page: Page, now: datetime) -> None:
    """Keep a page of a full sync, in place of one of the same number; it does not count yet."""
    CohortDelta.objects.filter(sync=sync, kind=Kind.PAGE, page=page.number).delete()
    _insert(cohort=cohort, sync=sync, kind=Kind.PAGE, members=members, page=page, now=now)


def swap(*, cohort: Cohort, sync: CohortSync, now: datetime) -> None:
    """Replace the members by the union of the sync's pages: at commit, in one step."""
    pages = bitmaps.fetch(
        "SELECT members FROM cohorts_cohortdelta WHERE sync_id = %s AND kind = 'page' AND page <= %s",
        [sync.pk, sync.total_pages],
    )
    new = BitMap.union(BitMap(), *(bitmaps.unpack(blob) for (blob,) in pages))
    old = _fold(cohort)
    entered, left = new - old, old - new
    sequence = _last_sequence(cohort) + 1
    CohortDelta.objects.create(
        cohort=cohort,
        sync=sync,
        kind=Kind.REPLACED,
        sequence=sequence,
        members=bitmaps.pack(entered),
        left=bitmaps.pack(left),
        entered_count=len(entered),
        left_count=len(left),
        created_at=now,
    )
    _count(cohort, sync_id=sync.pk, day=_day(now), entered=len(entered), left=len(left))
    _write_snapshot(cohort, new, sequence)
    membership_pages.drop(sync_ids=[sync.pk])


def compact(*, cohort: Cohort) -> None:
    """Fold all deltas into the snapshot, and write down what each really changed."""
    sequence = _last_sequence(cohort)
    if sequence > cohort.snapshot_sequence:
        _write_snapshot(cohort, _fold(cohort), sequence)


def compact_idle(*, idle: timedelta, now: datetime) -> int:
    """Compact every cohort whose last delta came `idle` ago or more; return how many. Owns its transactions."""
    waiting = (
        CohortDelta.objects.filter(sequence__gt=F("cohort__snapshot_sequence"))
        .values("cohort_id")
        .annotate(newest=Max("created_at"))
        .filter(newest__lte=now - idle)
    )
    cohort_ids = [row["cohort_id"] for row in waiting]
    for cohort_id in cohort_ids:
        with transaction.atomic():
            compact(cohort=Cohort.objects.without_members().select_for_update(no_key=True).get(pk=cohort_id))
    return len(cohort_ids)


def hand_over(*, cohort: Cohort, entered: BitMap, left: BitMap, now: datetime) -> None:
    """Let members take the places of others who are the same people (merged): no sync, and no data points."""
    sequence = _insert(cohort=cohort, kind=Kind.REPLACED, members=entered, left=left, now=now)
    _compact_now_and_then(cohort, sequence)


def page_of(*, sync: CohortSync, number: int, digest: bytes) -> CohortDelta | None:
    """Return the delta of a page: the one of the same content if there is one, else any of that number."""
    deltas = CohortDelta.objects.filter(sync=sync, page=number).only("digest", *TALLY_FIELDS)
    is_full_sync = sync.action == CohortSync.Action.MEMBERS
    # Each side of the condition has an index of its own.
    seen = list(deltas.filter(kind=Kind.PAGE) if is_full_sync else deltas.exclude(kind=Kind.PAGE))
    return next((delta for delta in seen if bytes(delta.digest) == digest), seen[0] if seen else None)


# One statement instead of two: under the cohort's lock, the newest sequence is what this statement sees.
_INSERT = f"""
    INSERT INTO cohorts_cohortdelta (cohort_id, sync_id, kind, page, digest, members, "left", created_at,
                                     {", ".join(TALLY_FIELDS)}, sequence)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, {bitmaps.placeholders(TALLY_FIELDS)}, {{}})
    RETURNING sequence
"""  # noqa: S608
# Deltas up to the snapshot's may be forgotten in any order, so they say nothing about the next number.
_NEXT_SEQUENCE = (
    "1 + coalesce((SELECT max(sequence) FROM cohorts_cohortdelta WHERE cohort_id = %s AND sequence > %s), %s)"
)


def _insert(
    *,
    cohort: Cohort,
    kind: CohortDelta.Kind,
    members: BitMap,
    now: datetime,
    sync: CohortSync | None = None,
    page: Page | None = None,
    left: BitMap | None = None,
) -> int | None:
    """Insert a delta; return its sequence, which a page that does not count yet has none of."""
    created_at = connection.ops.adapt_datetimefield_value(now)
    page = page or Page(number=None, digest=b"", tally=dict.fromkeys(TALLY_FIELDS, 0))
    parameters = [
        cohort.pk,
        sync.pk if sync else None,
        kind.value,
        page.number,
        page.digest,
        bitmaps.pack(members),
        bitmaps.pack(left) if left else b"",
        created_at,
        *(page.tally[name] for name in TALLY_FIELDS),
    ]
    if kind == Kind.PAGE:
        bitmaps.fetch(_INSERT.format("NULL"), parameters)
        return None
    parameters += [cohort.pk, cohort.snapshot_sequence, cohort.snapshot_sequence]
    rows = bitmaps.fetch(_INSERT.format(_NEXT_SEQUENCE), parameters)
    return int(rows[0][0])


def _last_sequence(cohort: Cohort) -> int:
    newest = CohortDelta.objects.filter(cohort=cohort).aggregate(newest=Max("sequence"))["newest"]
    return max(newest or 0, cohort.snapshot_sequence)


def _fold(cohort: Cohort) -> BitMap:
    """Return the members now, and write each later delta's effective change, in order."""
    rows = bitmaps.fetch("SELECT snapshot FROM cohorts_cohort WHERE id = %s", [cohort.pk])
    current = bitmaps.unpack(rows[0][0])
    for step in folding.steps(current, _unfolded(cohort)):
        current = step.members
        last = step.changes[-1]
        _write_effect(step)
        if last.sync_id is not None:  # a handover costs nothing: the members are the same people
            entered, left = len(step.entered), len(step.left)
            _count(cohort, sync_id=last.sync_id, day=last.day, entered=entered, left=left)
    return current


def _unfolded(cohort: Cohort) -> list[Change]:
    rows = bitmaps.fetch(
        'SELECT id, sync_id, kind, created_at, members, "left" FROM cohorts_cohortdelta '
        "WHERE cohort_id = %s AND sequence > %s ORDER BY sequence",
        [cohort.pk, cohort.snapshot_sequence],
    )
    return [
        Change(delta_id, sync_id, kind, _day(created_at), bitmaps.unpack(blob), bitmaps.unpack(left))
        for delta_id, sync_id, kind, created_at, blob, left in rows
    ]


def _write_effect(step: Step) -> None:
    *earlier, last = step.changes
    if earlier:
        ids = [change.delta_id for change in earlier]
        CohortDelta.objects.filter(id__in=ids).update(members=b"", entered_count=0, left_count=0)
    counts = {"entered_count": len(step.entered), "left_count": len(step.left)}
    if not earlier and len(last.members) == len(step.effective):
        CohortDelta.objects.filter(id=last.delta_id).update(**counts)
        return
    bitmaps.store(
        "UPDATE cohorts_cohortdelta SET members = %s, entered_count = %s, left_count = %s WHERE id = %s",
        [bitmaps.pack(step.effective), *counts.values(), last.delta_id],
    )


def _count(cohort: Cohort, *, sync_id: int, day: date, entered: int, left: int) -> None:
    if entered or left:
        CohortSync.objects.filter(pk=sync_id).update(
            entered_count=F("entered_count") + entered, left_count=F("left_count") + left
        )
    usage.record(
        workspace_id=cohort.workspace_id,
        source=DataPointUsage.Source.PARTNER_COHORTS,
        day=day,
        count=entered + left,
        shard_key=cohort.pk,
    )


def _write_snapshot(cohort: Cohort, members: BitMap, sequence: int) -> None:
    bitmaps.store(
        "UPDATE cohorts_cohort SET snapshot = %s, snapshot_sequence = %s WHERE id = %s",
        [bitmaps.pack(members), sequence, cohort.pk],
    )
    cohort.snapshot_sequence = sequence


def _day(moment: datetime | str) -> date:
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return moment.astimezone(UTC).date() if moment.tzinfo else moment.date()
