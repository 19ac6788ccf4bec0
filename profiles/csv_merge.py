"""A batch of rows becomes profiles: whose each is, and what of it is new, is found out first, then written at once.

A row whose identifiers are known updates that profile (a blank cell leaves the value as it is), any other row makes
one. So a file may be imported again, or the rest of it after an interruption, and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import usage
from accounts.models import DataPointUsage
from profiles import attempts, changes, csv_staging, locks, matching, statements
from profiles.csv_rows import Header, Row
from profiles.locks import Lock

Faults = list[tuple[Row, str]]


@dataclass(frozen=True)
class Mode:
    """What an import may do."""

    update_only: bool = False
    is_dry_run: bool = False


CREATE_AND_UPDATE = Mode()


@dataclass
class Outcome:
    """How a batch fared: profiles, rows that name nobody here, and rows at fault."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    faults: Faults = field(default_factory=list)


@dataclass(eq=False, slots=True)
class _Target:
    """A profile as a batch wants it: a known one, or one to be made (without an id yet)."""

    profile_id: int | None = None
    external_id: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    new_keys: list[str] = field(default_factory=list)

    def values(self) -> dict[str, Any]:
        """Return what is to be written."""
        named = {"id": self.profile_id, "has_new_keys": bool(self.new_keys), **self.attributes}
        if self.external_id:
            named["external_id"] = self.external_id
        if self.custom:
            named["custom_attributes"] = self.custom
        return named


class _ConflictError(Exception):
    """An identifier of the row belongs to another profile than the row's own."""


def merge(*, workspace_id: int, header: Header, rows: Sequence[Row], mode: Mode, now: datetime) -> Outcome:
    """Write a batch of rows; return how they fared. A dry run only says how they would.

    The caller owns the transaction, and does it again when an identifier is taken meanwhile (`attempts.run`).
    Race-prone: what is found first may have changed when it is written, so
    1. other imports and what changes who is who wait until this transaction ends;
    2. the profiles found are locked, in the order of ids; if one is gone by then, all is done again;
    3. any other writer that takes one of our identifiers meanwhile makes ours fail on the primary key of
       identifiers, and all is done again.
    """
    if not mode.is_dry_run:
        locks.alone(Lock.IMPORTS, workspace_id=workspace_id)
    faultless = [row for row in rows if not row.fault]
    owners = _owners(workspace_id, faultless, mode)
    targets, faults, skipped = _resolve(faultless, owners, may_create=not mode.update_only)
    new = [target for target in targets if target.profile_id is None]
    known = [target for target in targets if target.profile_id is not None]
    columns = [*header.columns, *(["custom_attributes"] if header.custom else [])]
    if mode.is_dry_run:
        updated = csv_staging.changing(
            workspace_id=workspace_id, columns=columns, rows=[target.values() for target in known]
        )
    else:
        updated = _write(workspace_id, columns, new, known)
        _count_points(workspace_id, new, known, updated, now)
    faults += [(row, row.fault) for row in rows if row.fault]
    return Outcome(len(new), len(updated), len(known) - len(updated), skipped, faults)


# --- resolve: which profile is each row's? -------------------------------------------------------------------
def _owners(workspace_id: int, rows: Sequence[Row], mode: Mode) -> dict[str, _Target]:
    """Return the known profile behind every key of the rows that has one."""
    keys = list(dict.fromkeys(chain.from_iterable(row.keys for row in rows)))
    found = matching.lookup(workspace_id=workspace_id, keys=keys)
    ids = set(found.values())
    if mode.is_dry_run:
        external_ids = statements.external_ids(workspace_id=workspace_id, profile_ids=list(ids))
    else:
        locked = statements.lock_profiles(workspace_id=workspace_id, profile_ids=ids, columns=["external_id"])
        external_ids = {profile_id: row["external_id"] for profile_id, row in locked.items()}
    if len(external_ids) != len(ids):
        raise attempts.OutdatedError
    targets = {
        profile_id: _Target(profile_id, external_id) for profile_id, external_id in external_ids.items()
    }
    return {key: targets[profile_id] for key, profile_id in found.items()}


def _resolve(
    rows: Sequence[Row], owners: dict[str, _Target], *, may_create: bool
) -> tuple[list[_Target], Faults, int]:
    """Return every profile the rows name, once, with all that they give it; the rows in conflict; how many name nobody.

    Without `may_create` nobody is who is not here yet, however many rows name the same one.
    """
    targets: dict[_Target, None] = {}
    faults: Faults = []
    skipped = 0
    for row in rows:
        try:
            target = _target_of(row, owners)
        except _ConflictError as conflict:
            faults.append((row, str(conflict)))
            continue
        if target.profile_id is None and not may_create:
            skipped += 1
            continue
        targets[target] = None
        target.attributes |= row.attributes
        target.custom |= row.custom
        for key in row.own_keys(identified=target.external_id is not None):
            if key not in owners:
                owners[key] = target
                target.new_keys.append(key)
    return list(targets), faults, skipped


def _target_of(row: Row, owners: dict[str, _Target]) -> _Target:
    """Return the row's profile. Raises _ConflictError when an identifier belongs to another one.

    With an external id only that decides; without one, the first alias or device of an anonymous profile that is
    known.
    """
    if owners.keys().isdisjoint(row.keys):
        return _Target(external_id=row.external_id)
    if row.external_id:
        target = owners.get(matching.external_id_key(row.external_id))
    else:
        target = next((owners[key] for key in row.own_keys(identified=False) if key in owners), None)
    for key in row.keys:
        if owners.get(key, target) is not target:
            raise _ConflictError(_(_CONFLICTS[key[0]]).format(key[2:]))
    return target or _Target(external_id=row.external_id)


_CONFLICTS = {
    "a": gettext_noop("the alias {} belongs to another profile"),
    "d": gettext_noop("the device {} belongs to another profile"),
    "i": gettext_noop("the device {} belongs to an identified profile: name its external_id"),
}


# --- write ---------------------------------------------------------------------------------------------------
def _write(
    workspace_id: int, columns: Sequence[str], new: Sequence[_Target], known: Sequence[_Target]
) -> list[int]:
    """Write the batch; return the ids of the known profiles that changed."""
    for target, profile_id in zip(new, statements.reserve_ids(count=len(new)), strict=True):
        target.profile_id = profile_id
    csv_staging.insert_profiles(
        workspace_id=workspace_id, columns=columns, rows=[target.values() for target in new]
    )
    keys = [(it.profile_id, key) for it in (*new, *known) for key in it.new_keys if it.profile_id]
    csv_staging.insert_identifiers(workspace_id=workspace_id, rows=keys)
    updated = csv_staging.merge(
        workspace_id=workspace_id, columns=columns, rows=[target.values() for target in known]
    )
    made = [target.profile_id for target in new if target.profile_id]
    changes.record(workspace_id=workspace_id, kind=changes.Kind.EXISTENCE, profile_ids=made)
    changes.record(workspace_id=workspace_id, kind=changes.Kind.ATTRIBUTES, profile_ids=updated)
    return updated


def _count_points(
    workspace_id: int,
    new: Sequence[_Target],
    known: Sequence[_Target],
    updated: Sequence[int],
    now: datetime,
) -> None:
    """Count one data point for each attribute given to a profile that was made or changed."""
    changed = set(updated)
    written = [*new, *(target for target in known if target.profile_id in changed)]
    usage.record(
        workspace_id=workspace_id,
        source=DataPointUsage.Source.CSV,
        day=now.date(),
        count=sum(len(target.attributes) + len(target.custom) for target in written),
        shard_key=0,
    )
