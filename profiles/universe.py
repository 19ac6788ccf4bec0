"""The universe of a workspace: the exact set of its live profiles. It is a filter bitmap like others."""

from __future__ import annotations

from pyroaring import BitMap

from profiles import filter_bitmaps


def live(*, workspace_id: int) -> BitMap:
    """Return the ids of all live profiles of a workspace. The caller must not change the bitmap."""
    everybody = filter_bitmaps.EVERYBODY
    return filter_bitmaps.members(workspace_id=workspace_id, queries=[everybody])[everybody]
