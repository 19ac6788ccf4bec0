"""Bars as one SVG path: drawn here, so that a page needs no script and a reader of the page no eyes."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, GAP = 10, 2


def bars(counts: Sequence[int], *, height: int) -> str:
    """Return the path of one bar for each count, the highest as high as `height`; "" if there is nothing to draw.

    A bar is WIDTH wide with its gap; whoever did anything on a day is seen to have.
    """
    highest = max(counts, default=0)
    return "".join(
        f"M{index * WIDTH} {height}v-{_height(count, highest, height)}h{WIDTH - GAP}V{height}z"
        for index, count in enumerate(counts)
        if count
    )


def _height(count: int, highest: int, height: int) -> int:
    return max(round(count * height / highest), 2)
