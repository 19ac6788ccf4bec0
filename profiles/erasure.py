"""People are erased: everywhere at once, for ever, and without a trace of who they were.

The row stays empty, so that its id is never anybody else's. It takes the same locks as `profiles/identity.py`:
whoever tracks the person meanwhile comes before and is erased too, or after and meets nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from accounts import audit
from profiles import (
    attempts,
    changes,
    followers,
    identity_events,
    identity_names,
    jobs,
    locks,
    matching,
    statements,
)
from profiles.identity import Author
from profiles.identity_names import Name
from profiles.identity_people import BLANK, COLUMNS
from profiles.locks import Lock
from profiles.models import Identifier, Profile

# What names a person beside the identifiers.
_ADDRESSES = ("external_id", "email", "phone")


def erase(*, workspace_id: int, names: Sequence[Name], author: Author, now: datetime) -> dict[Name, int]:
    """Erase everybody who is named; return whom each name meant, without those that mean nobody.

    One transaction, a constant number of queries. The audit log keeps the numbers of the profiles, nothing else.
    """

    def work() -> dict[Name, int]:
        locks.alone(Lock.IMPORTS, workspace_id=workspace_id)
        found = identity_names.resolve(workspace_id=workspace_id, names=names)
        rows = statements.lock_profiles(
            workspace_id=workspace_id, profile_ids=set(found.values()), columns=_ADDRESSES
        )
        identity_names.check_held(found, rows)
        _erase(workspace_id, rows, now)
        _forget(workspace_id, [name for name in names if name not in found])
        _audit(workspace_id, rows, author, now)
        return {name: profile_id for name, profile_id in found.items() if profile_id in rows}

    return attempts.run(work)


def _erase(workspace_id: int, rows: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    if not rows:
        return
    identifiers = Identifier.objects.filter(workspace_id=workspace_id, profile_id__in=rows)
    keys = list(identifiers.values_list("key", flat=True))
    identifiers.delete()
    identity_events.forget(profile_ids=rows)
    empty = [{"id": profile_id, **BLANK, "deleted_at": now} for profile_id in rows]
    statements.update_profiles(workspace_id=workspace_id, columns=COLUMNS, rows=empty)
    _blank_admin_log(rows)
    texts = _texts(rows.values(), keys)
    jobs.forget(workspace_id=workspace_id, texts=texts)
    followers.erased(workspace_id=workspace_id, profile_ids=rows, texts=texts)
    changes.record(workspace_id=workspace_id, kind=changes.Kind.EXISTENCE, profile_ids=rows)


def _forget(workspace_id: int, nobody: Iterable[Name]) -> None:
    """Forget names that mean nobody: a partner may have sent them, and they wait for a user to be."""
    if texts := _texts([], [key for name in nobody for key in name.keys]):
        followers.erased(workspace_id=workspace_id, profile_ids=(), texts=texts)


def _texts(rows: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> set[str]:
    """Return every text by which somebody may have called these people, as samples and error files show it."""
    texts = {row[column] for row in rows for column in _ADDRESSES if row[column]}
    for key in keys:
        if key.startswith(matching.EXTERNAL_ID):
            texts.add(key.removeprefix(matching.EXTERNAL_ID))
        elif key.startswith((matching.DEVICE, matching.IDENTIFIED_DEVICE)):
            texts |= {key[2:], f"$device:{key[2:]}"}
        elif key.startswith("a:"):
            label, name = matching.alias_of(key)
            texts |= {name, f"{label}:{name}"}
    return texts


def _blank_admin_log(profile_ids: Collection[int]) -> None:
    """Django's own log of the admin keeps what an object was called."""
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Profile),
        object_id__in=[str(profile_id) for profile_id in profile_ids],
    ).update(object_repr="", change_message="")


def _audit(workspace_id: int, profile_ids: Iterable[int], author: Author, now: datetime) -> None:
    audit.record_all(
        workspace_id=workspace_id,
        action=audit.Action.USER_ERASED,
        details={f"user {profile_id}": {} for profile_id in sorted(profile_ids)},
        actor=author.actor,
        key_prefix=author.key_prefix,
        now=now,
    )
