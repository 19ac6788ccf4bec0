"""What `POST /users/track` does: a request's objects are written to the users they name, in one transaction.

A constant number of queries whatever the number of objects: users are looked up, locked and read at once, changed in
memory in the order of the objects (attributes, then events, then purchases), and written at once. An object at fault
is refused by itself, also when its fault shows only beside the user's values; nothing of it is applied.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from accounts import usage
from accounts.models import DataPointUsage
from profiles import (
    addresses,
    attempts,
    changes,
    events,
    locks,
    matching,
    statements,
    tracking_objects,
    tracking_people,
)
from profiles.addresses import Address
from profiles.locks import Lock
from profiles.tracking_objects import (
    Array,
    AttributesObject,
    By,
    EventObject,
    Reference,
    Refusal,
    TrackRequest,
)
from profiles.tracking_people import BLANK, CUSTOM, Person, Work


@dataclass
class Result:
    """How a request fared: objects applied by array, those that were sent; and those refused, in their order.

    An object whose user does not exist and was not to be made is neither: it asked for nothing then.
    """

    processed: dict[Array, int]
    refusals: list[Refusal]

    @property
    def is_refused(self) -> bool:
        """Whether nothing could be applied, and something was wrong."""
        return bool(self.refusals) and not any(self.processed.values())


def track(*, workspace_id: int, body: Mapping[str, Any], now: datetime) -> Result:
    """Apply a request's body as the API defines it; return how it fared. Raises RequestError, and applies nothing."""
    return apply(workspace_id=workspace_id, request=tracking_objects.parse(body), now=now)


def apply(*, workspace_id: int, request: TrackRequest, now: datetime) -> Result:
    """Apply the objects of a request, all in one transaction, which this function owns."""
    work = attempts.run(
        lambda: _attempt(workspace_id, request, now),
        alone=lambda: locks.alone(Lock.NEWCOMERS, workspace_id=workspace_id),
    )
    refusals = sorted(
        [*request.refusals, *work.refusals], key=lambda it: (list(Array).index(it.array), it.position)
    )
    return Result({array: work.processed[array] for array in request.sent}, refusals)


def _attempt(workspace_id: int, request: TrackRequest, now: datetime) -> Work:
    """Do all of it once.

    Race-prone, so the order matters:
    1. Who is named is looked up without a lock.
    2. Those found are locked in the order of their ids, and read. One that was erased or merged away since the look-up
       is not there any more, or has another address than it was named by: OutdatedError, and all begins again.
    3. Others may make the same new user: the first to commit has the identifiers, ours then fail on their primary key,
       and all begins again. Who met others twice, we or a batch of a CSV file, keeps them out while it is written.
    4. Totals of events come last: their users are held still by then.
    """
    users = _users(request)
    found = _look_up(workspace_id, users)
    if any(item.creates and item.user not in found for item in _objects(request)):
        locks.share(Lock.NEWCOMERS, workspace_id=workspace_id)
    columns = _columns(request, users)
    work = Work(_people(workspace_id, users, found, columns), columns)
    for item in request.attributes:
        tracking_people.apply(work, Array.ATTRIBUTES, item)
    for array in (Array.EVENTS, Array.PURCHASES):
        for event in request.events.get(array, ()):
            tracking_people.apply(work, array, event)
    _write_people(workspace_id, work)
    events.record(
        workspace_id=workspace_id,
        occurrences=[
            occurrence._replace(profile_id=person.profile_id or 0) for person, occurrence in work.occurrences
        ],
        now=now,
    )
    usage.record(
        workspace_id=workspace_id,
        source=DataPointUsage.Source.TRACKING_API,
        day=now.date(),
        count=work.data_points,
        shard_key=os.getpid(),
    )
    return work


# --- look up and lock --------------------------------------------------------------------------------------------
def _objects(request: TrackRequest) -> Iterator[AttributesObject | EventObject]:
    yield from request.attributes
    for items in request.events.values():
        yield from items


def _users(request: TrackRequest) -> list[Reference]:
    return list(dict.fromkeys(item.user for item in _objects(request)))


def _look_up(workspace_id: int, users: Sequence[Reference]) -> dict[Reference, int]:
    """Return the profile ids of the users there are. Devices of identified users are found under their own key."""
    keys = [value for by, value in users if by is By.KEY]
    keys += [_identified(key) for key in keys if key.startswith(matching.DEVICE)]
    found = {
        (By.KEY, key): profile_id
        for key, profile_id in matching.lookup(workspace_id=workspace_id, keys=keys).items()
    }
    found |= {(by, value): int(value) for by, value in users if by is By.PROFILE_ID}
    contacts = [Address(by.value, value) for by, value in users if by in (By.EMAIL, By.PHONE)]
    holders = addresses.holders(workspace_id=workspace_id, addresses=contacts)
    return found | {(By(it.column), it.value): profile_id for it, profile_id in holders.items()}


def _identified(key: str) -> str:
    return matching.device_key(key.removeprefix(matching.DEVICE), identified=True)


def _columns(request: TrackRequest, users: Iterable[Reference]) -> list[str]:
    """Return the columns that the request may write."""
    named = {name for item in request.attributes for name in item.columns}
    named |= {by.value for by, _value in users if by in (By.EMAIL, By.PHONE)}
    if any(item.custom for item in request.attributes):
        named.add(CUSTOM)
    return [name for name in BLANK if name in named]


def _people(
    workspace_id: int, users: Iterable[Reference], found: Mapping[Reference, int], columns: Sequence[str]
) -> dict[Reference, Person | None]:
    """Return the users there are, locked; None for a device that is an identified user's."""
    wanted = {found[user] for user in users if user in found}
    rows = statements.lock_profiles(workspace_id=workspace_id, profile_ids=wanted, columns=columns)
    if any(_is_outdated(user, rows.get(found[user])) for user in found if found[user] in wanted):
        raise attempts.OutdatedError
    known = {profile_id: Person(profile_id, row, dict(row)) for profile_id, row in rows.items()}
    people: dict[Reference, Person | None] = {}
    for user in users:
        if user in found:
            if found[user] in known:
                people[user] = known[found[user]]
        elif user[1].startswith(matching.DEVICE) and (By.KEY, _identified(user[1])) in found:
            people[user] = None
    return people


def _is_outdated(user: Reference, row: Mapping[str, Any] | None) -> bool:
    """Whether a user is not whom the reference meant any more, now that the row is locked."""
    by, value = user
    if row is None:
        return by is not By.PROFILE_ID
    return by in (By.EMAIL, By.PHONE) and row[by.value] != value


# --- write -----------------------------------------------------------------------------------------------------------
def _write_people(workspace_id: int, work: Work) -> None:
    people = {id(it): it for it in work.people.values() if it and it.is_touched}.values()
    new = [it for it in people if it.profile_id is None]
    changed = [it for it in people if it.profile_id is not None and _text(it.values) != _text(it.before)]
    if new:
        _insert(workspace_id, work.columns, new)
    if changed:
        statements.update_profiles(
            workspace_id=workspace_id,
            columns=work.columns,
            rows=[{"id": it.profile_id, **it.values} for it in changed],
        )
        _mark(workspace_id, changes.Kind.ATTRIBUTES, changed)


def _insert(workspace_id: int, columns: Sequence[str], people: Sequence[Person]) -> None:
    for person, profile_id in zip(people, statements.reserve_ids(count=len(people)), strict=True):
        person.profile_id = profile_id
    statements.insert_profiles(
        workspace_id=workspace_id,
        columns=["external_id", *columns],
        rows=[{"id": it.profile_id, "external_id": _external_id(it.key), **it.values} for it in people],
    )
    statements.insert_identifiers(
        workspace_id=workspace_id, rows=[(it.profile_id or 0, it.key) for it in people if it.key]
    )
    _mark(workspace_id, changes.Kind.EXISTENCE, people)


def _mark(workspace_id: int, kind: changes.Kind, people: Iterable[Person]) -> None:
    ids = [it.profile_id for it in people if it.profile_id is not None]
    changes.record(workspace_id=workspace_id, kind=kind, profile_ids=ids)


def _external_id(key: str) -> str | None:
    return key.removeprefix(matching.EXTERNAL_ID) if key.startswith(matching.EXTERNAL_ID) else None


def _text(values: Mapping[str, Any]) -> bytes:
    """Return what tells two rows apart: 1 is neither true nor 1.0."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
