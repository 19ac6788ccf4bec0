"""The audit log: what was done to keys and people, written in the transaction that did it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.models import AuditEntry, User

Action = AuditEntry.Action


def record(
    *,
    workspace_id: int,
    action: AuditEntry.Action,
    subject: str,
    actor: User | None = None,
    key_prefix: str = "",
    address: str | None = None,
    detail: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEntry:
    """Add an entry. The caller owns the transaction, so that nothing is done without one, or noted without being done.

    `subject` is short and names nobody: a key's prefix, or a profile's id as in "user 4711"; `detail` is JSON
    without personal data. `actor` did it in the admin, the key with `key_prefix` by the API; neither is a command.
    `address` is where that came from, if it is to be known.
    """
    return AuditEntry.objects.create(
        workspace_id=workspace_id,
        happened_at=now,
        actor=actor,
        actor_key=key_prefix,
        address=address,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
    )


def record_all(
    *,
    workspace_id: int,
    action: AuditEntry.Action,
    details: Mapping[str, Mapping[str, Any]],
    actor: User | None = None,
    key_prefix: str = "",
    now: datetime,
) -> None:
    """Add an entry for each subject with its detail, in one statement; everything else as for `record`."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            workspace_id=workspace_id,
            happened_at=now,
            actor=actor,
            actor_key=key_prefix,
            action=action,
            subject=subject,
            detail=dict(detail),
        )
        for subject, detail in details.items()
    )
