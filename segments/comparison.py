"""Two definitions in words beside each other: which lines stayed, which came, which went. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from segments.outline import Line


@dataclass(frozen=True)
class Entry:
    """One line of an outline and how deep it stands in it; the outermost line has depth 0."""

    depth: int
    text: str


@dataclass(frozen=True)
class Row:
    """A line as it was and as it is; one of them is missing where it came or went. Both are the same, or differ."""

    before: Entry | None
    after: Entry | None

    @property
    def is_same(self) -> bool:
        """Whether nothing changed in this line."""
        return self.before == self.after


def compare(before: Line | None, after: Line | None) -> list[Row]:
    """Return two outlines row by row, with what stands in both beside each other."""
    old, new = list(_entries(before, 0)), list(_entries(after, 0))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        row for code in matcher.get_opcodes() for row in _rows(old[code[1] : code[2]], new[code[3] : code[4]])
    ]


def _entries(line: Line | None, depth: int) -> Iterator[Entry]:
    if line is not None:
        yield Entry(depth, line.text)
        for child in line.children:
            yield from _entries(child, depth + 1)


def _rows(old: Sequence[Entry], new: Sequence[Entry]) -> list[Row]:
    return [Row(before, after) for before, after in zip_longest(old, new)]
