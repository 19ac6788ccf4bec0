"""A CSV file becomes profiles: read in batches, each batch resolved by one or two queries and written by three.

A row whose identifiers are known updates that profile (a blank cell leaves the value as it is), any other row makes
one. So a file may be imported again, or the rest of it after an interruption, and nothing comes twice.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, TextIO

from django.db import IntegrityError, transaction

from profiles import changes, csv_rows, csv_sql, matching, statements
from profiles.csv_rows import ATTRIBUTES, Row, Value

BATCH_ROWS = 5_000
MAX_ATTEMPTS = 3

Faults = list[tuple[Row, str]]


@dataclass
class Progress:
    """How far an import came. A profile that several batches name is counted in each of them."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    bytes_read: int = 0


@dataclass(eq=False)
class _Target:
    """A profile as a batch wants it: a known one, or one to be made (without an id yet)."""

    profile_id: int | None = None
    external_id: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    custom: dict[str, Value] = field(default_factory=dict)
    new_keys: list[str] = field(default_factory=list)


class _ConflictError(Exception):
    """An identifier of the row belongs to another profile than the row's own."""


def run(*, workspace_id: int, source: BinaryIO, rejected: TextIO) -> Iterator[Progress]:
    """Import a CSV file in UTF-8, and yield how far it came after every batch, which then is committed.

    Rows at fault are written to `rejected` with the reason, and the others imported. Raises CsvHeaderError before
    anything is written. Owns its transactions: one per batch.
    """
    header, rows = csv_rows.read(source)
    writer = csv.writer(rejected)
    writer.writerow([*header.names, csv_rows.REASON])
    progress = Progress()
    while batch := list(islice(rows, BATCH_ROWS)):
        faults = [(row, row.fault) for row in batch if row.fault]
        faults += _import_batch(workspace_id, [row for row in batch if not row.fault], progress)
        for row, reason in sorted(faults, key=lambda fault: fault[0].line):
            padding = [""] * (len(header.names) - len(row.cells))
            writer.writerow([*row.cells, *padding, f"line {row.line}: {reason}"])
        progress.rows += len(batch)
        progress.failed += len(faults)
        progress.bytes_read = source.tell()
        yield progress


def _import_batch(workspace_id: int, rows: Sequence[Row], progress: Progress) -> Faults:
    """Import the rows in one transaction and count them; return those that another profile stands in the way of.

    Race-prone: what is found first may have changed when it is written, so
    1. other imports into the workspace wait until this transaction ends;
    2. any other writer that takes one of our identifiers meanwhile makes ours fail on the primary key of
       identifiers, and all of the batch is done again from the look-up on.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with transaction.atomic():
                csv_sql.lock_imports(workspace_id=workspace_id)
                targets, faults = _resolve(rows, _owners(workspace_id, rows))
                created, updated = _write(workspace_id, targets)
            break
        except IntegrityError:
            if attempt == MAX_ATTEMPTS:
                raise
    progress.created += created
    progress.updated += updated
    progress.unchanged += len(targets) - created - updated
    return faults


# --- resolve: which profile is each row's? -------------------------------------------------------------------
def _owners(workspace_id: int, rows: Sequence[Row]) -> dict[str, _Target]:
    """Return the known profile behind every key of the rows that has one."""
    keys = list(dict.fromkeys(key for row in rows for key in row.lookup_keys()))
    found = matching.lookup(workspace_id=workspace_id, keys=keys)
    external_ids = csv_sql.external_ids(workspace_id=workspace_id, profile_ids=list(set(found.values())))
    targets = {
        profile_id: _Target(profile_id, external_id) for profile_id, external_id in external_ids.items()
    }
    return {key: targets[profile_id] for key, profile_id in found.items()}


def _resolve(rows: Sequence[Row], owners: dict[str, _Target]) -> tuple[list[_Target], Faults]:
    """Return every profile the rows name, once, with all that they give it; and the rows in conflict."""
    targets: dict[_Target, None] = {}
    faults: Faults = []
    for row in rows:
        try:
            target = _target_of(row, owners)
        except _ConflictError as conflict:
            faults.append((row, str(conflict)))
            continue
        targets[target] = None
        target.attributes |= row.attributes
        target.custom |= row.custom
        for key in row.own_keys(identified=target.external_id is not None):
            if key not in owners:
                owners[key] = target
                target.new_keys.append(key)
    return list(targets), faults


def _target_of(row: Row, owners: dict[str, _Target]) -> _Target:
    """Return the row's profile. Raises _ConflictError when an identifier belongs to another one.

    With an external id only that decides; without one, the first alias or device of an anonymous profile that is
    known.
    """
    if row.external_id:
        target = owners.get(matching.external_id_key(row.external_id))
    else:
        target = next((owners[key] for key in row.own_keys(identified=False) if key in owners), None)
    for key in row.lookup_keys():
        if owners.get(key, target) is not target:
            raise _ConflictError(_CONFLICTS[key[0]].format(key[2:]))
    return target or _Target(external_id=row.external_id)


_CONFLICTS = {
    "a": "the alias {} belongs to another profile",
    "d": "the device {} belongs to another profile",
    "i": "the device {} belongs to an identified profile: name its external_id",
}


# --- write ---------------------------------------------------------------------------------------------------
def _write(workspace_id: int, targets: Sequence[_Target]) -> tuple[int, int]:
    """Write the batch; return how many profiles were created and how many changed."""
    new = [target for target in targets if target.profile_id is None]
    known = [target for target in targets if target.profile_id is not None]
    for target, profile_id in zip(new, statements.reserve_ids(count=len(new)), strict=True):
        target.profile_id = profile_id
    statements.insert_profiles(
        workspace_id=workspace_id,
        columns=["external_id", *ATTRIBUTES, "custom_attributes"],
        rows=[
            {
                "id": target.profile_id,
                "external_id": target.external_id,
                **target.attributes,
                "custom_attributes": target.custom,
            }
            for target in new
        ],
    )
    statements.insert_identifiers(
        workspace_id=workspace_id,
        rows=[(target.profile_id, key) for target in targets for key in target.new_keys if target.profile_id],
    )
    updated = csv_sql.update_profiles(
        workspace_id=workspace_id,
        rows=[
            [
                target.profile_id,
                "yes" if target.new_keys else "no",
                *_values(target, blank=None),
                target.custom,
            ]
            for target in known
        ],
    )
    _mark(workspace_id, changes.Kind.EXISTENCE, [target.profile_id for target in new])
    _mark(workspace_id, changes.Kind.ATTRIBUTES, updated)
    return len(new), len(updated)


def _mark(workspace_id: int, kind: changes.Kind, profile_ids: Sequence[int | None]) -> None:
    changes.record(workspace_id=workspace_id, kind=kind, profile_ids=[it for it in profile_ids if it])


def _values(target: _Target, *, blank: str | None) -> list[str | None]:
    return [target.attributes.get(name, blank) for name in ATTRIBUTES]
