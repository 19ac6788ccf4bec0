"""Filter bitmaps: who an SQL filter selects, kept as a bitmap with a time, and repaired instead of recomputed.

What changed since that time is known from `profiles/changes.py`, which says why nothing is missed. They are kept
in the database for all processes, and in the memory of each for the next question. Race-prone, so the order matters:

1. `as_of` is taken before anything is looked at. What a still open transaction brings is recorded after it.
2. Only the profiles that were changed since the bitmap's own time are looked at again.
3. The result bears the new time. It never replaces one that is newer: a slow reader may end after a fast one.
4. What a transaction read that is still open, and may be rolled back, is never kept in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from pyroaring import BitMap

from profiles import bitmaps, changes, selection
from profiles.changes import Recorded
from profiles.models import FilterBitmap
from profiles.selection import Progress, Query

EVERYBODY = Query(where="TRUE", kind=changes.Kind.EXISTENCE)
# A process that reads a bitmap looks again at whoever changed since it was stored: 9 ms per 1,000. To store one takes
# longer than that, for all who wait, so it is done when many changed, or now and then.
STORE_AFTER_CHANGES = 5_000
STORE_AFTER = timedelta(minutes=10)
# More changes than this are slower to look at one by one than the whole table.
MAX_REPAIR = 100_000
# To note each use would make a writer of every reader.
NOTE_USE_AFTER = timedelta(hours=1)
# A bitmap of nobody is no byte long, but not for nothing: each letter typed in the builder may ask anew.
WEIGHT_OF_QUERY = 2_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    """A bitmap that nobody may change, the time it is exact as of, and the time of what the database has."""

    members: BitMap
    size: int
    as_of: datetime
    stored_as_of: datetime
    unstored_count: int = 0  # changes since then; those that were looked at twice count twice

    @property
    def weight(self) -> int:
        """How many bytes of memory it takes with its query, about."""
        return self.size + WEIGHT_OF_QUERY


def members(*, workspace_id: int, queries: Collection[Query]) -> dict[Query, BitMap]:
    """Return who each query selects now, live or not. The caller must not change the bitmaps."""
    return selection.finish(fetch(workspace_id=workspace_id, queries=queries))


def fetch(*, workspace_id: int, queries: Collection[Query]) -> Generator[Progress, None, dict[Query, BitMap]]:
    """As `members`; yields how far it came while something has to be looked up in the whole table."""
    as_of = changes.as_of()  # before anything is looked at
    kept = _known(workspace_id, queries, as_of)
    recorded = _recorded(workspace_id, kept.values())
    repaired = _repaired(workspace_id, kept, recorded, as_of)
    missing = [query for query in dict.fromkeys(queries) if query not in repaired]
    for number, query in enumerate(missing):
        found = yield from selection.telling(
            selection.everywhere(workspace_id=workspace_id, query=query),
            partial(_of_all, number, len(missing)),
        )
        repaired |= _stored(workspace_id, {query: found}, as_of)
    _memory.remember(workspace_id, repaired)
    return {query: known.members for query, known in repaired.items()}


def forget() -> None:
    """Forget what this process keeps: the tables were emptied (tests do that)."""
    _memory.clear()


def evict(*, now: datetime) -> int:
    """Delete what nobody asked for in a while, and the longest unused ones beyond the space; return how many.

    Owns its transactions. A bitmap that is missing is computed anew when somebody asks.
    """
    old = now - timedelta(days=settings.FILTER_BITMAP_DAYS)
    count = FilterBitmap.objects.filter(used_at__lt=old).delete()[0]
    space = settings.FILTER_BITMAPS_MB * 1024**2
    taken: int = FilterBitmap.objects.aggregate(taken=Sum("size_bytes", default=0))["taken"]
    for pk, size in FilterBitmap.objects.order_by("used_at").values_list("pk", "size_bytes").iterator():
        if taken <= space:
            break
        count += FilterBitmap.objects.filter(pk=pk).delete()[0]
        taken -= size
    return count


# --- what is known already ---------------------------------------------------------------------------------
def _known(workspace_id: int, queries: Collection[Query], as_of: datetime) -> dict[Query, Kept]:
    known = _memory.recall(workspace_id, queries)
    missing = {query.digest: query for query in queries if query not in known}
    if not missing:
        return known
    sql = f"""
        SELECT digest, members, as_of, used_at FROM profiles_filterbitmap
        WHERE workspace_id = %s AND digest IN ({bitmaps.placeholders(missing)})
    """  # noqa: S608 - placeholders only
    rows = bitmaps.fetch(sql, [workspace_id, *missing])
    used = []
    for digest, blob, stored_as_of, used_at in rows:
        moment = changes.aware(stored_as_of)
        known[missing[bytes(digest)]] = Kept(bitmaps.unpack(blob), len(blob), moment, moment)
        if as_of - changes.aware(used_at) > NOTE_USE_AFTER:
            used.append(bytes(digest))
    if used:
        FilterBitmap.objects.filter(workspace=workspace_id, digest__in=used).update(used_at=as_of)
    return known


def _recorded(workspace_id: int, kept: Iterable[Kept]) -> Recorded | None:
    """Return what changed since the oldest of some bitmaps, in one query; None if there are none."""
    moments = [it.as_of for it in kept if changes.is_kept_since(it.as_of)]
    return changes.recorded(workspace_id=workspace_id, moment=min(moments)) if moments else None


def _repaired(
    workspace_id: int, kept: Mapping[Query, Kept], recorded: Recorded | None, as_of: datetime
) -> dict[Query, Kept]:
    """Return bitmaps as they are now, without those that are less work to compute anew."""
    if recorded is None:
        return {}
    changed = {
        query: recorded.since(kind=query.kind, moment=known.as_of)
        for query, known in kept.items()
        if changes.is_kept_since(known.as_of)
    }
    changed = {query: ids for query, ids in changed.items() if len(ids) <= MAX_REPAIR}
    asked = [query for query, ids in changed.items() if ids]
    everybody = BitMap.union(BitMap(), *changed.values())
    now = selection.among(workspace_id=workspace_id, queries=asked, profile_ids=everybody)
    repaired = {
        query: _kept(kept[query], ids, now.get(query, BitMap()), as_of) for query, ids in changed.items()
    }
    outdated = {query: it.members for query, it in repaired.items() if _is_worth_storing(it)}
    return repaired | _stored(workspace_id, outdated, as_of)


def _kept(before: Kept, changed: BitMap, selected: BitMap, as_of: datetime) -> Kept:
    """Return a bitmap in which some profiles were looked at again."""
    if not changed:
        return replace(before, as_of=as_of)
    found = (before.members - changed) | (selected & changed)
    return replace(before, members=found, as_of=as_of, unstored_count=before.unstored_count + len(changed))


def _is_worth_storing(kept: Kept) -> bool:
    is_old = kept.as_of - kept.stored_as_of > STORE_AFTER
    return kept.unstored_count >= STORE_AFTER_CHANGES or (is_old and kept.unstored_count > 0)


def _of_all(number: int, count: int, done: Progress) -> Progress:
    """Return how much of the work on several queries is done, at one of them."""
    return (number + done) / count


def _stored(workspace_id: int, found: Mapping[Query, BitMap], as_of: datetime) -> dict[Query, Kept]:
    """Store bitmaps in one transaction, as each waits for the disk; return them."""
    if not found:
        return {}
    empty, stamp = bitmaps.pack(BitMap()), changes.stamp(as_of)
    blobs = {query: _packed(members) for query, members in found.items()}
    with transaction.atomic():
        # In the order of their keys, so that two readers do not wait for each other in a circle.
        in_order = sorted(blobs, key=lambda query: query.digest)
        rows = [
            FilterBitmap(
                workspace_id=workspace_id, digest=it.digest, members=empty, as_of=BEGINNING, used_at=as_of
            )
            for it in in_order
        ]
        FilterBitmap.objects.bulk_create(rows, ignore_conflicts=True)
        for query in in_order:
            blob = blobs[query]
            bitmaps.store(
                "UPDATE profiles_filterbitmap SET members = %s, size_bytes = %s, as_of = %s, used_at = %s "
                "WHERE workspace_id = %s AND digest = %s AND as_of < %s",
                [blob, len(blob), stamp, stamp, workspace_id, query.digest, stamp],
            )
    return {query: Kept(members, len(blobs[query]), as_of, as_of) for query, members in found.items()}


def _packed(members: BitMap) -> bytes:
    members.run_optimize()  # dense ids are a handful of runs: a few bytes instead of a megabyte
    return bitmaps.pack(members)


# --- the memory of this process ----------------------------------------------------------------------------
class _Memory:
    """The bitmaps used last, up to so many bytes. A newer one stays."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[int, Query], Kept] = OrderedDict()
        self.size = 0
        self.lock = Lock()

    def recall(self, workspace_id: int, queries: Iterable[Query]) -> dict[Query, Kept]:
        with self.lock:
            found = {query: self.kept.get((workspace_id, query)) for query in queries}
        return {query: kept for query, kept in found.items() if kept is not None}

    def remember(self, workspace_id: int, found: dict[Query, Kept]) -> None:
        if connection.in_atomic_block:
            return
        with self.lock:
            for query, kept in found.items():
                before = self.kept.pop((workspace_id, query), None)
                newest = before if before and before.as_of > kept.as_of else kept
                self.size += newest.weight - (before.weight if before else 0)
                self.kept[workspace_id, query] = newest
            while self.size > settings.FILTER_MEMORY_MB * 1024**2:
                self.size -= self.kept.popitem(last=False)[1].weight

    def clear(self) -> None:
        with self.lock:
            self.kept.clear()
            self.size = 0


_memory = _Memory()
