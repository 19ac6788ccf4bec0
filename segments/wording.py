"""Definitions in words, many at a time: all that they mention is looked up at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Workspace
from segments import audience, filters
from segments.filters import FilterError, Group
from segments.outline import Line, outline


def sentences(*, workspace: Workspace, definitions: Sequence[Any]) -> list[str]:
    """Return each definition as a sentence in the active language; "" for one this release cannot read."""
    trees = _trees(definitions)
    names = _names(workspace, trees)
    return [filters.describe(tree, names) if tree else "" for tree in trees]


def outlines(*, workspace: Workspace, definitions: Sequence[Any]) -> list[Line | None]:
    """Return each definition as indented lines in the active language; None for one this release cannot read."""
    trees = _trees(definitions)
    names = _names(workspace, trees)
    return [outline(tree, names) if tree else None for tree in trees]


def _trees(definitions: Sequence[Any]) -> list[Group | None]:
    return [_tree(definition) for definition in definitions]


def _tree(definition: Any) -> Group | None:
    try:
        return filters.parse(definition)
    except FilterError:
        return None


def _names(workspace: Workspace, trees: Sequence[Group | None]) -> dict[int, str]:
    readable = [tree for tree in trees if tree]
    return audience.cohort_names(audience.cohorts_of(workspace=workspace, trees=readable))
