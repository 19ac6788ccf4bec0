"""Definitions as the builder writes them."""

from __future__ import annotations

from typing import Any


def cohorts(*ids: int, partner: str = "mixpanel", operator: str = "includes") -> dict[str, Any]:
    """Return a cohort filter."""
    return leaf("cohort", operator, list(ids), subject=partner)


def leaf(type_: str, operator: str, value: Any = None, *, subject: Any = None) -> dict[str, Any]:
    """Return a filter."""
    node = {"type": type_, "subject": subject, "operator": operator, "value": value}
    return {name: it for name, it in node.items() if it is not None}


def group(*children: Any, operator: str = "and", exclude: bool = False) -> dict[str, Any]:
    """Return a group."""
    return {"type": "group", "operator": operator, "exclude": exclude, "children": list(children)}


def definition(*children: Any, operator: str = "and", exclude: bool = False) -> dict[str, Any]:
    """Return a whole definition, with the children in its outermost group."""
    return {"version": 2, "root": group(*children, operator=operator, exclude=exclude)}


def members_of(*segment_ids: int) -> dict[str, Any]:
    """Return a whole definition that mentions other segments."""
    return definition({"type": "segment", "operator": "in", "value": list(segment_ids)})
