"""What apps above do when a profile changes who it is: they are named in settings.PROFILE_FOLLOWERS, never imported.

A follower is a module with the functions called here. They run in the caller's transaction, in the order of the
setting: a person is merged or erased everywhere at once, or nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings


class Follower(Protocol):
    """What a follower's module offers."""

    def merged(self, *, workspace_id: int, kept_by_merged: Mapping[int, int], now: datetime) -> None:
        """Let the profiles that are the values take the places of those that are the keys."""

    def erased(self, *, workspace_id: int, profile_ids: Collection[int], texts: Collection[str]) -> None:
        """Forget profiles, and every text that names one of them (identifiers, e-mail addresses)."""

    def described(self, *, workspace_id: int, profile_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return what the app knows of people, for them: JSON by name, by profile id."""


def merged(*, workspace_id: int, kept_by_merged: Mapping[int, int], now: datetime) -> None:
    """Tell that profiles (keys) became part of others (values)."""
    for follower in _followers():
        follower.merged(workspace_id=workspace_id, kept_by_merged=kept_by_merged, now=now)


def erased(*, workspace_id: int, profile_ids: Collection[int], texts: Collection[str]) -> None:
    """Tell that people were erased; `texts` are what named them."""
    for follower in _followers():
        follower.erased(workspace_id=workspace_id, profile_ids=profile_ids, texts=texts)


def described(*, workspace_id: int, profile_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return what the apps above know of people, by profile id."""
    known: dict[int, dict[str, Any]] = {profile_id: {} for profile_id in profile_ids}
    for follower in _followers():
        found = follower.described(workspace_id=workspace_id, profile_ids=profile_ids)
        for profile_id, facts in found.items():
            known[profile_id] |= facts
    return known


def _followers() -> Iterator[Follower]:
    for name in settings.PROFILE_FOLLOWERS:
        yield cast("Follower", import_module(name))
