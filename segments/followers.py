"""What segments do when people are merged or erased, and what they know of a person (`profiles/followers.py`).

A segment keeps filters, not people: it is evaluated on who is there, so there is nothing to move or to forget. Only the
files of its exports hold people.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import Workspace
from segments import audience, exports


def merged(*, workspace_id: int, kept_by_merged: Mapping[int, int], now: datetime) -> None:  # noqa: ARG001
    """Know people who are in a file under the number they have now."""
    exports.follow(workspace_id=workspace_id, kept_by_merged=kept_by_merged)


def erased(*, workspace_id: int, profile_ids: Collection[int], texts: Collection[str]) -> None:  # noqa: ARG001
    """Delete the files of exports that hold one of them."""
    exports.forget(workspace_id=workspace_id, profile_ids=profile_ids)


def described(*, workspace_id: int, profile_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the segments that select each live profile now, by name."""
    workspace = Workspace.objects.get(pk=workspace_id)
    found = audience.segments_by_profile(workspace=workspace, profile_ids=profile_ids, now=timezone.now())
    return {
        profile_id: {"segments": [{"id": segment.pk, "name": segment.name} for segment in segments]}
        for profile_id, segments in found.items()
    }
