"""Definitions in words, many at a time: all that they mention is looked up at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Workspace
from segments import filters, references
from segments.filters import FilterError, Group
from segments.outline import Line, outline


@dataclass(frozen=True)
class Words:
    """A definition in one sentence and as indented lines; "" and None if it says nothing yet, or cannot be read."""

    sentence: str = ""
    outline: Line | None = None


def of(*, workspace: Workspace, definitions: Sequence[Any]) -> list[Words]:
    """Return each definition, a draft or not, in words of the active language."""
    trees = [_tree(definition) for definition in definitions]
    readable = [tree for tree in trees if tree]
    names = references.load(workspace=workspace, trees=readable).there.names
    return [Words(filters.describe(tree, names), outline(tree, names)) if tree else Words() for tree in trees]


def _tree(definition: Any) -> Group | None:
    try:
        tree = filters.parse(definition, is_draft=True)
    except FilterError:
        return None
    return tree if filters.is_finished(tree) else None
