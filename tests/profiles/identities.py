"""What tests of identity ask: what happened to each object, which keys a profile has, what was marked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from profiles import changes
from profiles.identity import Author
from profiles.models import Identifier, Profile

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BY_KEY = Author(key_prefix="rk_12345678")


def keys_of(person: Profile) -> set[str]:
    return set(Identifier.objects.filter(profile=person).values_list("key", flat=True))


def kinds(outcomes: Iterable[Exception | None]) -> list[type | None]:
    return [type(outcome) if outcome else None for outcome in outcomes]


def call(operation, workspace, **arguments) -> list[type | None]:
    return kinds(operation(workspace_id=workspace.pk, author=BY_KEY, now=NOW, **arguments))


def changed(workspace, kind: changes.Kind) -> set[int]:
    a_while_ago = datetime.now(UTC) - timedelta(minutes=5)
    return set(changes.since(workspace_id=workspace.pk, kind=kind, moment=a_while_ago) or ())
