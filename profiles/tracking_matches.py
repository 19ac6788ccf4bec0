"""Which operations of an array of operations name an object: found by the object's own members. Pure.

Comparing each operation with each object would take a quarter of a million comparisons for one attribute.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

Scalar = str | int | float | bool


def identity(element: Any) -> tuple[bool, Any]:
    """Return what makes two scalars the same: true is not 1."""
    return type(element) is bool, element


class Matches:
    """Operations in their order, each of which names objects by one member and its value."""

    def __init__(self, identifiers: Iterable[tuple[str, Scalar]]) -> None:
        self._positions: dict[str, dict[tuple[bool, Any], list[int]]] = {}
        for position, (key, value) in enumerate(identifiers):
            self._positions.setdefault(key, {}).setdefault(identity(value), []).append(position)

    def first(self, element: Mapping[str, Any], start: int = 0) -> int | None:
        """Return the place of the first operation from `start` on that names an object; None if there is none."""
        found = [
            position
            for key in self._positions.keys() & element.keys()
            if type(value := element[key]) not in (list, dict)
            for position in self._next(key, value, start)
        ]
        return min(found, default=None)

    def _next(self, key: str, value: Scalar, start: int) -> list[int]:
        positions = self._positions[key].get(identity(value), [])
        place = bisect_left(positions, start)
        return positions[place : place + 1]
