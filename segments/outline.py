"""A definition as an indented list in words: how the filters read where nobody edits them, or without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from segments import filters
from segments.filters import Group, Join, Names, Node


@dataclass(frozen=True)
class Line:
    """A filter's sentence; or what a group asks of its children, and they."""

    text: str
    children: Sequence[Line] = ()


def outline(node: Node, names: Names) -> Line:
    """Return a tree as lines in the active language. `names` has what things are called that filters mention."""
    if isinstance(node, Group):
        return Line(group_text(node), [outline(child, names) for child in node.children])
    return Line(filters.describe(node, names))


def group_text(group: Group) -> str:
    """Return what a group asks of users."""
    if group.operator is Join.AND:
        return _("Leave out users who match all of these") if group.exclude else _("Match all of these")
    if group.exclude:
        return _("Leave out users who match at least one of these")
    return _("Match at least one of these")
