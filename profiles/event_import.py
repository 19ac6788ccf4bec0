"""Events that happened elsewhere are added to the totals of the users they belong to, each of them once.

Nobody is created: an event of an unknown user is counted as such, and dropped.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from accounts import usage
from accounts.models import DataPointUsage, Integration
from profiles import attempts, event_rows, events, locks, mapping, matching, receipts
from profiles.event_rows import Event, EventFaultError
from profiles.locks import Lock

MIXPANEL = "mixpanel"
_EARLIEST = events.microseconds(events.EARLIEST)


@dataclass
class Counts:
    """How the events of an import fared; the sum is how many there were."""

    imported: int = 0
    duplicates: int = 0
    too_old: int = 0
    unknown_users: int = 0
    invalid: int = 0

    def by_name(self) -> dict[str, int]:
        """Return the counts by their names."""
        return asdict(self)


def external_id_property(*, workspace_id: int) -> str:
    """Return the property that holds the external id in this workspace, if its operator chose one."""
    mixpanel = Integration.objects.filter(workspace_id=workspace_id, partner=MIXPANEL)
    return mapping.own_external_id_property(mixpanel.values_list("member_mapping", flat=True).first() or [])


@dataclass(frozen=True)
class Failed:
    """An event that cannot be imported: its place among the others, what it calls itself, and why."""

    index: int
    insert_id: str
    field: str
    message: str


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Let Python not search for circles of objects: events make none, and searching takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_collector_paused()
def receive(*, workspace_id: int, values: Sequence[Any], now: datetime) -> tuple[Counts, list[Failed]]:
    """Import the events that JSON values, or lines of JSON as bytes, are; return how they fared.

    Those at fault are returned too, the others imported. Owns its transaction.
    """
    chosen = external_id_property(workspace_id=workspace_id)
    batch: list[Event] = []
    failed: list[Failed] = []
    for index, value in enumerate(values):
        try:
            batch.append(event_rows.read(value, external_id_property=chosen))
        except EventFaultError as fault:
            failed.append(Failed(index, event_rows.insert_id_of(value), fault.field, fault.message))
    counts = attempts.run(lambda: apply(workspace_id=workspace_id, batch=batch, now=now))
    counts.invalid = len(failed)
    return counts, failed


@_collector_paused()
def apply(*, workspace_id: int, batch: Sequence[Event], now: datetime) -> Counts:
    """Count events that were not counted before, and return how they fared.

    The caller owns the transaction. Race-prone, so the order matters:
    1. Nobody is merged or erased until its end: the lock that such work takes is shared by imports of events.
    2. Users are looked up under that lock.
    3. The receipts decide which events are new; who sends the same ones meanwhile waits for them.
    4. Totals are added, in the order of their keys.
    """
    locks.share(Lock.IMPORTS, workspace_id=workspace_id)
    recent = [event for event in batch if event.at >= _EARLIEST]
    users = matching.match(workspace_id=workspace_id, candidates=[event.keys for event in recent])
    # The same event twice in a batch is one.
    known = {
        event.digest: (user, event.name, event.at)
        for event, user in zip(recent, users, strict=True)
        if type(user) is int
    }
    new = receipts.claim(workspace_id=workspace_id, digests=known)
    events.record_each(workspace_id=workspace_id, happened=[known[digest] for digest in new], now=now)
    matched = sum(type(user) is int for user in users)
    usage.record(
        workspace_id=workspace_id,
        source=DataPointUsage.Source.EVENTS,
        day=now.date(),
        count=len(new),
        shard_key=next(iter(new), b"\0")[-1],
    )
    return Counts(
        imported=len(new),
        duplicates=matched - len(new),
        too_old=len(batch) - len(recent),
        unknown_users=len(recent) - matched,
    )
