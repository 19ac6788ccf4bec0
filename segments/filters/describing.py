"""A tree in words: one sentence in the active language. Pure."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from segments.filters.kinds import Filter
from segments.filters.tree import Group, Join, Node, is_finished
from segments.filters.values import Names


def describe(node: Node, names: Names) -> str:
    """Return a tree as a sentence in the active language."""
    if not is_finished(node):
        return _("nobody")
    if isinstance(node, Filter):
        return node.sentence(names)
    parts = [_describe_child(child, names) for child in node.children if is_finished(child)]
    word = (
        pgettext("joins conditions", "and")
        if node.operator is Join.AND
        else pgettext("joins conditions", "or")
    )
    sentence = f" {word} ".join(parts)
    return _("not ({condition})").format(condition=sentence) if node.exclude else sentence


def _describe_child(child: Node, names: Names) -> str:
    sentence = describe(child, names)
    if isinstance(child, Group) and not child.exclude and sum(map(is_finished, child.children)) > 1:
        return f"({sentence})"
    return sentence
