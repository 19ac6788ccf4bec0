"""Bars, layers of bars, or a line, as SVG paths: drawn here, so that a page needs no script and a reader of the page no eyes."""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign

WIDTH, GAP, SHORTEST = 10, 2, 2


def bars(counts: Sequence[int], *, height: int) -> str:
    """Return the path of one bar for each count, the highest as high as `height`; "" if there is nothing to draw.

    A bar is WIDTH wide with its gap; whoever did anything on a day is seen to have.
    """
    return _bars(counts, line=height, scale=height / max(counts, default=0)) if any(counts) else ""


def both_ways(above: Sequence[int], below: Sequence[int], *, height: int) -> tuple[str, str, int]:
    """Return the paths of bars that stand on a line and of bars that hang from it, and where the line is.

    Both have one scale: the highest and the deepest bar are together as high as `height`.
    """
    up, down = max(above, default=0), max(below, default=0)
    scale = height / (up + down or 1)
    line = round(up * scale) if up or down else height // 2
    return _bars(above, line=line, scale=scale), _bars(below, line=line, scale=-scale), line


def _bars(counts: Sequence[int], *, line: int, scale: float) -> str:
    return "".join(
        f"M{index * WIDTH} {line}v{_length(-count * scale)}h{WIDTH - GAP}V{line}z"
        for index, count in enumerate(counts)
        if count
    )


def _length(length: float) -> int:
    return round(length) if abs(length) > SHORTEST else round(copysign(SHORTEST, length))


def layers(counts: Sequence[Sequence[int]], *, height: int) -> list[str]:
    """Return a path of bars for each layer of counts, one on top of the other; the highest stack as high as `height`.

    The first layer is the lowest. A layer of a bar is seen, however little it is.
    """
    highest = max(map(sum, zip(*counts, strict=True)), default=0)
    floors = [height] * max(map(len, counts), default=0)
    paths = []
    for layer in counts:
        path = ""
        for index, count in enumerate(layer):
            if count:
                rise = _length(count * height / highest)
                path += f"M{index * WIDTH} {floors[index]}v-{rise}h{WIDTH - GAP}v{rise}z"
                floors[index] -= rise
        paths.append(path)
    return paths


def line(values: Sequence[int | None], *, height: int) -> str:
    """Return the path of a line through values, WIDTH apart, that breaks where one is unknown; "" if all are.

    It goes from 0 to `height`, whatever the smallest and the largest value are; level in the middle if they are the same.
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    path, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = round(height * (high - value) / (high - low), 1) if high > low else height / 2
        # A point without neighbours is a line too: its round ends make a dot of it.
        path.append(f"{pen}{index * WIDTH} {y:g}" + ("h0" if pen == "M" else ""))
        pen = "L"
    return "".join(path)
