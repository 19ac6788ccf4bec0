"""Attributes edited by hand: only what the editor changed is written, and never over what came in meanwhile.

Race-prone, so the order matters:
1. The editor saw values, and says of each changed one what it was.
2. The profile's row is locked: whoever else writes it waits until this transaction ends.
3. What differs from what the editor saw is a conflict, and then nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from profiles import attributes, changes, tracking_values
from profiles.attributes import AttributeValueError
from profiles.models import Profile
from profiles.tracking_values import Change

NO_EDITS: Mapping[str, Any] = {}
# Devices send these; they are nothing that a person could know better.
NOT_BY_HAND = frozenset(["push_tokens"])


class Edit(NamedTuple):
    """What an attribute was when the editor saw it, and what it shall be."""

    before: Any
    after: Any


class EditConflictError(Exception):
    """Attributes were changed by somebody else since the editor saw them. `current` is what they are now, by name."""

    def __init__(self, current: Mapping[str, Any]) -> None:
        super().__init__(f"changed meanwhile: {', '.join(sorted(current))}")
        self.current = dict(current)


def texts_of(profile: Profile) -> dict[str, str]:
    """Return the standard attributes that can be edited by hand, as `attributes.read` takes them; "" for none."""
    columns = {name: it.column for name, it in attributes.STANDARD.items() if name not in NOT_BY_HAND}
    return {name: text_of(getattr(profile, column)) for name, column in columns.items()}


def text_of(value: str | date | None) -> str:
    """Return the value of a standard attribute as a text; times are in UTC, to the second."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value or ""


def edit(
    *,
    workspace_id: int,
    profile_id: int,
    standard: Mapping[str, Edit] = NO_EDITS,
    custom: Mapping[str, Edit] = NO_EDITS,
    by: User,
    now: datetime,
) -> None:
    """Write edited attributes of one profile: all, or none.

    Standard attributes are texts as in `texts_of`; custom ones JSON values, None for one that is not there.
    Raises Profile.DoesNotExist (erased or merged meanwhile), EditConflictError, AttributeValueError.
    """
    read = {name: attributes.read(name, it.after or None) for name, it in standard.items()}
    new = {name: tracking_values.read(name, it.after) for name, it in custom.items()}
    if not standard and not custom:
        return
    with transaction.atomic():
        locked = Profile.objects.live().filter(workspace_id=workspace_id).select_for_update(no_key=True)
        profile = locked.get(pk=profile_id)
        _check(standard, texts_of(profile))
        _check(custom, profile.custom_attributes)
        columns = {attributes.STANDARD[name].column: value for name, value in read.items()}
        if custom:
            columns["custom_attributes"] = _changed(profile.custom_attributes, new)
        Profile.objects.filter(pk=profile_id).update(**columns, changed_at=Now())
        changes.record(workspace_id=workspace_id, kind=changes.Kind.ATTRIBUTES, profile_ids=[profile_id])
        audit.record(
            workspace_id=workspace_id,
            action=audit.Action.USER_EDITED,
            subject=f"user {profile_id}",
            actor=by,
            detail={"attributes": sorted([*standard, *custom])},
            now=now,
        )


def _check(edits: Mapping[str, Edit], current: Mapping[str, Any]) -> None:
    meanwhile = {
        name: current.get(name)
        for name, it in edits.items()
        if not _same(current.get(name), it.before) and not _same(current.get(name), it.after)
    }
    if meanwhile:
        raise EditConflictError(meanwhile)


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: for Python, `true` is 1."""
    return type(one) is type(other) and bool(one == other)


def _changed(current: Mapping[str, Any], new: Mapping[str, Change]) -> dict[str, Any]:
    after = {name: change(current.get(name)) for name, change in new.items()}
    removed = {name for name, value in after.items() if value is None}
    changed = {name: value for name, value in {**current, **after}.items() if name not in removed}
    if len(changed) > max(settings.MAX_CUSTOM_ATTRIBUTES, len(current)):
        raise AttributeValueError(f"{settings.MAX_CUSTOM_ATTRIBUTES:,} custom attributes are allowed.")
    return changed
