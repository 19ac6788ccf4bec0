"""Totals of what users did: every event of every door is added here, by one statement however many there are.

Who calls holds the profiles still, so that nobody who is merged or erased meanwhile gets events: either their rows
are locked (`/users/track`) or the workspace's imports are (`Lock.IMPORTS`, event imports). The order in
which writers lock is: profiles, receipts, names, totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple

from django.db import transaction
from pyroaring import BitMap

from accounts.days import day_of
from profiles import changes, event_sql
from profiles.event_sql import Named
from profiles.models import EventName

Kind = EventName.Kind

EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)  # what happened before is never counted
MAX_NAME_LENGTH = 255
KEPT_DAYS = timedelta(days=90)
MICROSECONDS_PER_DAY = 24 * 3600 * 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
# A total's number is its name's id followed by its profile's: it sorts as the primary key does.
_PROFILE_BITS, _PROFILE_MASK = 32, 2**32 - 1
_CUSTOM = Kind.CUSTOM.value
_ZERO = Decimal(0)
_MAX_CACHED_NAMES = 50_000

# Names are never deleted, so an id that was committed once holds as long as the process.
_ids_of_names: dict[tuple[int, Named], int] = {}

# Number of the total, microseconds since 1970, count, quantity, revenue.
_Row = tuple[int, int, int, int, Decimal]


class Occurrence(NamedTuple):
    """That a profile did something: once, or `count` times at one moment. Purchases have the last two."""

    profile_id: int
    kind: str
    name: str
    currency: str
    at: datetime
    count: int = 1  # type: ignore[assignment]  # a tuple's method of that name is of no use here
    quantity: int = 0
    revenue: Decimal = _ZERO


def record(*, workspace_id: int, occurrences: Iterable[Occurrence], now: datetime) -> BitMap:
    """Add events to the totals of their profiles, mark those as changed, and return their ids.

    What is said to happen after `now` happens now. Names have at most MAX_NAME_LENGTH characters, and nothing is
    before EARLIEST: who reads the input sees to it. The caller owns the transaction and holds the profiles still
    (see above). Five queries at most.
    """
    found = list(occurrences)
    ids = _ids(workspace_id, {(str(it.kind), it.name, it.currency) for it in found})
    rows = [
        (ids[kind, name, currency] << _PROFILE_BITS | profile_id, microseconds(at), count, quantity, revenue)
        for profile_id, kind, name, currency, at, count, quantity, revenue in found
    ]
    return _add(workspace_id, rows, now)


def record_each(*, workspace_id: int, happened: Sequence[tuple[int, str, int]], now: datetime) -> BitMap:
    """Add custom events, each once: profile's id, name, microseconds since 1970. Otherwise as `record`.

    For imports, which have many: no object is made for each.
    """
    ids = _ids(workspace_id, {(_CUSTOM, name, "") for _, name, _ in happened})
    first = {name: name_id << _PROFILE_BITS for (_, name, _), name_id in ids.items()}
    rows = [(first[name] | profile_id, moment, 1, 0, _ZERO) for profile_id, name, moment in happened]
    return _add(workspace_id, rows, now)


def add(*, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Add to totals. Rows are in the order of their first two, the primary key.

    Id of the name, id of the profile, count, first and last (microseconds since 1970), days as JSON, quantity,
    revenue as text.
    """
    event_sql.add_totals(columns=list(zip(*rows, strict=True)), first_day=_first_day(now).isoformat())


def microseconds(moment: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def forget_names() -> None:
    """Forget the ids of names: the tables were emptied (tests do that)."""
    _ids_of_names.clear()


def _add(workspace_id: int, rows: Sequence[_Row], now: datetime) -> BitMap:
    if not rows:
        return BitMap()
    kept = _first_day(now)
    totals = _totals(rows, latest=microseconds(now), first_day=kept.toordinal() - _EPOCH_DAY)
    # In the order of the primary key: two writers never wait for each other in a circle.
    keys = sorted(totals)
    profile_ids = [key & _PROFILE_MASK for key in keys]
    counts, firsts, lasts, days, quantities, revenues = zip(*map(totals.__getitem__, keys), strict=True)
    event_sql.add_totals(
        columns=[
            [key >> _PROFILE_BITS for key in keys],
            profile_ids,
            counts,
            firsts,
            lasts,
            [_json_of_days(it) for it in days],
            quantities,
            ["0" if it is _ZERO else str(it) for it in revenues],
        ],
        first_day=kept.isoformat(),
    )
    changed = BitMap(profile_ids)
    changes.record(workspace_id=workspace_id, kind=changes.Kind.EVENTS, profile_ids=changed)
    return changed


def _first_day(now: datetime) -> date:
    return day_of(now - KEPT_DAYS)


def _totals(rows: Sequence[_Row], *, latest: int, first_day: int) -> dict[int, list[Any]]:
    """Return count, first, last, count by day, quantity and revenue, by the total's number.

    This runs for every event of an import: with numbers only, and in one loop.
    """
    totals: dict[int, list[Any]] = {}
    for key, moment, count, quantity, revenue in rows:
        at = moment if moment < latest else latest  # noqa: FURB136 - a call takes as long as all the rest
        day = at // MICROSECONDS_PER_DAY
        if (total := totals.get(key)) is None:
            totals[key] = [count, at, at, {day: count} if day >= first_day else {}, quantity, revenue]
            continue
        total[0] += count
        if at < total[1]:
            total[1] = at
        elif at > total[2]:
            total[2] = at
        if day >= first_day:
            total[3][day] = total[3].get(day, 0) + count
        total[4] += quantity
        total[5] += revenue
    return totals


def _json_of_days(days: dict[int, int]) -> str:
    return "{" + ",".join(starmap(_json_of_day, days.items())) + "}" if days else "{}"


@lru_cache(maxsize=1_000)
def _json_of_day(day: int, count: int) -> str:
    return f'"{date.fromordinal(_EPOCH_DAY + day).isoformat()}":{count}'


# --- names -----------------------------------------------------------------------------------------------------
def _ids(workspace_id: int, wanted: Iterable[Named]) -> dict[Named, int]:
    """Return the id of each name, which is made if there is none."""
    found = {it: _ids_of_names.get((workspace_id, it)) for it in wanted}
    known = {it: name_id for it, name_id in found.items() if name_id is not None}
    if missing := found.keys() - known.keys():
        seen = event_sql.select_names(workspace_id=workspace_id, names=missing)
        if new := missing - seen.keys():
            event_sql.insert_names(workspace_id=workspace_id, names=new)
            seen |= event_sql.select_names(workspace_id=workspace_id, names=new)
        transaction.on_commit(lambda: _remember(workspace_id, seen))
        known |= seen
    return known


def _remember(workspace_id: int, ids: dict[Named, int]) -> None:
    """Keep ids that are committed: those of a transaction that is rolled back are nobody's."""
    if len(_ids_of_names) > _MAX_CACHED_NAMES:
        _ids_of_names.clear()
    _ids_of_names.update({(workspace_id, named): name_id for named, name_id in ids.items()})
