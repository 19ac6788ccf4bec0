"""A chart of several counts a day, one on top of the other: what `rollcall/days_chart.html` shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from profiles import admin_chart, numbers

HEIGHT = 120
# How far apart the stripes of each layer are, and how thick: full, wide, full, fine.
STRIPES = ((4, 4), (6, 2), (4, 4), (4, 2))


class Layer(NamedTuple):
    """One of the counts: its path, its name, what the legend says it comes to, and its stripes."""

    number: int
    path: str
    label: str
    total: str
    stripes: int
    ink: int


def chart(
    *, days: Sequence[date], counts: Mapping[str, Sequence[int]], totals: Sequence[int], **words: Any
) -> dict[str, Any]:
    """Return the chart of some counts by what they are called, the lowest first; each has one for each of `days`.

    `totals` are what the legend says of each. `words` are those of the template: `id`, `title`, `summary`.
    """
    paths = admin_chart.layers(list(counts.values()), height=HEIGHT)
    return {
        "note": _("Days in UTC"),
        "columns": list(counts),
        "path": "".join(paths),
        "layers": [
            Layer(number, path, label, numbers.count(total), *STRIPES[number])
            for number, (path, label, total) in enumerate(zip(paths, counts, totals, strict=True))
        ],
        "width": len(days) * admin_chart.WIDTH,
        "height": HEIGHT,
        "first": days[0],
        "last": days[-1],
        "most": numbers.count(max(map(sum, zip(*counts.values(), strict=True)), default=0)),
        "days": _table(days, counts),
        **words,
    }


def _table(
    days: Sequence[date], counts: Mapping[str, Sequence[int]]
) -> list[tuple[date, list[tuple[str, str]]]]:
    """Return the days on which there was something, the newest first, each with its cells and their headings."""
    rows = zip(days, zip(*counts.values(), strict=True), strict=True)
    return [
        (day, [(label, numbers.count(count)) for label, count in zip(counts, row, strict=True)])
        for day, row in reversed(list(rows))
        if any(row)
    ]
