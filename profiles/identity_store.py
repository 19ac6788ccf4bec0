"""People are read and locked for an operation, and written as it left them: a few statements, however many.

The caller owns the transaction and holds `Lock.IMPORTS`, so that nobody else merges, erases or gives
identifiers to known profiles. What may still happen is that somebody creates a profile with an identifier that we
want: then ours fails on the primary key, and all is done again (`profiles/attempts.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from profiles import identity_events, identity_names, matching, statements
from profiles.identity_names import Name
from profiles.identity_people import BLANK, COLUMNS, People
from profiles.models import Identifier


@dataclass(frozen=True)
class Written:
    """Whom an operation changed in the end: `kept_by_merged` leads to the last of a chain."""

    created: Collection[int]
    touched: Set[int]
    kept_by_merged: Mapping[int, int]
    with_new_events: Collection[int]


def load(*, workspace_id: int, names: Iterable[Name], keys: Iterable[str] = ()) -> People:
    """Return everybody who is named, or owns one of the further keys, with their rows locked in the order of ids."""
    wanted = list(names)
    meant = identity_names.resolve(workspace_id=workspace_id, names=wanted)
    owners = matching.lookup(workspace_id=workspace_id, keys=list(dict.fromkeys(keys)))
    ids = {*meant.values(), *owners.values()}
    rows = statements.lock_profiles(workspace_id=workspace_id, profile_ids=ids, columns=COLUMNS)
    identity_names.check_held(meant, rows)
    own = Identifier.objects.filter(workspace_id=workspace_id, profile_id__in=rows)
    owners |= dict(own.values_list("key", "profile_id"))
    # The same device in its other form may be somebody else's, who keeps it then.
    twins = [twin for key in owners if (twin := _twin(key)) and twin not in owners]
    owners |= matching.lookup(workspace_id=workspace_id, keys=twins)
    return People(rows=rows, owners=owners, meant=meant)


def write(*, workspace_id: int, people: People, before: Mapping[str, int], now: datetime) -> Written:
    """Write what changed; `before` are the owners as they were loaded."""
    new_ids = _create(workspace_id, people)
    merged = {profile_id: people.kept(profile_id) for profile_id in people.kept_by_merged}
    touched = people.touched & people.rows.keys() - people.created
    _update(workspace_id, people, touched, merged, now)
    owners = {key: new_ids.get(profile_id, profile_id) for key, profile_id in people.owners.items()}
    _write_owners(workspace_id, before, owners)
    with_new_events = identity_events.move(
        kept_by_merged={merged_id: people.kept(merged_id) for merged_id in people.with_events}, now=now
    )
    identity_events.forget(profile_ids=merged)
    return Written(list(new_ids.values()), touched, merged, with_new_events)


def _create(workspace_id: int, people: People) -> dict[int, int]:
    """Insert the new profiles; return their ids by the negative ones they had."""
    new = sorted(people.created, reverse=True)
    if not new:
        return {}
    ids = dict(zip(new, statements.reserve_ids(count=len(new)), strict=True))
    statements.insert_profiles(
        workspace_id=workspace_id, columns=[], rows=[{"id": ids[profile_id]} for profile_id in new]
    )
    return ids


def _update(
    workspace_id: int, people: People, touched: Collection[int], merged: Collection[int], now: datetime
) -> None:
    rows: list[dict[str, Any]] = [{"id": profile_id, **people.rows[profile_id]} for profile_id in touched]
    rows += [{"id": profile_id, **BLANK, "deleted_at": now} for profile_id in merged]
    if rows:
        statements.update_profiles(workspace_id=workspace_id, columns=COLUMNS, rows=rows)


def _write_owners(workspace_id: int, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    changed = [key for key, profile_id in before.items() if after.get(key) != profile_id]
    new = [(profile_id, key) for key, profile_id in after.items() if before.get(key) != profile_id]
    if changed:
        Identifier.objects.filter(workspace_id=workspace_id, key__in=changed).delete()
    if new:
        statements.insert_identifiers(workspace_id=workspace_id, rows=new)


def _twin(key: str) -> str:
    if key.startswith(matching.DEVICE):
        return matching.device_key(key[2:], identified=True)
    return matching.device_key(key[2:]) if key.startswith(matching.IDENTIFIED_DEVICE) else ""
