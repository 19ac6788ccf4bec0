"""What tests of identity ask: what happened to each object, which keys a profile has, what was marked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from profiles import bitmaps, changes
from profiles.identity import Author
from profiles.models import Identifier, Profile, ProfileChange

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BY_KEY = Author(key_prefix="rk_12345678")


def keys_of(person: Profile) -> set[str]:
    """Return the keys of a profile's identifiers."""
    return set(Identifier.objects.filter(profile=person).values_list("key", flat=True))


def kinds(outcomes: Iterable[Exception | None]) -> list[type | None]:
    """Return the class of each error, None for what was applied."""
    return [type(outcome) if outcome else None for outcome in outcomes]


def call(operation, workspace, **arguments) -> list[type | None]:
    """Return how an operation of `profiles/identity.py` fared with each object."""
    return kinds(operation(workspace_id=workspace.pk, author=BY_KEY, now=NOW, **arguments))


def changed(kind: changes.Kind) -> set[int]:
    """Return the profiles that were marked with exactly this kind of change."""
    rows = ProfileChange.objects.filter(kind=kind).values_list("members", flat=True)
    return {profile_id for blob in rows for profile_id in bitmaps.unpack(blob)}
