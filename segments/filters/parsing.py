"""JSON in, a tree of groups and filters out; and back. Pure.

A filter without a value, and a group without filters, are unfinished. Drafts may hold them: they select nobody, join
with nothing and are not mentioned. They are faults in a definition that is saved, so that no segment can come to
mean "everyone" because something was left blank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from segments.filters import catalogue
from segments.filters.kinds import Filter, Kind
from segments.filters.tree import Fault, FilterError, Group, Join, Node, filters_of
from segments.filters.values import ValueFaultError

VERSION = 2


def parse(definition: Any, *, is_draft: bool = False) -> Group:
    """Return the tree of a definition. Raises FilterError with every fault found."""
    if not isinstance(definition, dict) or definition.get("version") != VERSION:
        raise FilterError([Fault("", _("The definition must be an object of version {}.").format(VERSION))])
    parser = _Parser(is_draft)
    root = parser.node(definition.get("root"), "/root", 1)
    if root is not None and not isinstance(root, Group):
        parser.fault("/root", _("The outermost node must be a group."))
    if (count := sum(1 for _filter in filters_of(root)) if root else 0) > settings.MAX_SEGMENT_FILTERS:
        message = _("A segment may have {limit} filters at most; this one has {count}.")
        parser.fault("/root", message.format(limit=settings.MAX_SEGMENT_FILTERS, count=count))
    if parser.faults or not isinstance(root, Group):
        raise FilterError(parser.faults)
    return root


def dump(root: Group) -> dict[str, Any]:
    """Return the definition of a tree: what `parse` reads, and nothing else."""
    return {"version": VERSION, "root": _dump_node(root)}


def _dump_node(node: Node) -> dict[str, Any]:
    if isinstance(node, Group):
        children = [_dump_node(child) for child in node.children]
        return {"type": "group", "operator": node.operator, "exclude": node.exclude, "children": children}
    dumped = {"type": node.kind.type, "subject": node.subject, "operator": node.operator.code}
    value = None if node.value is None else node.operator.value.dump(node.value)
    return {name: it for name, it in {**dumped, "value": value}.items() if it not in (None, [])}


class _Parser:
    """Reads nodes and collects what is wrong with them."""

    def __init__(self, is_draft: bool) -> None:
        self.is_draft = is_draft
        self.faults: list[Fault] = []

    def fault(self, pointer: str, message: str) -> None:
        self.faults.append(Fault(pointer, message))

    def node(self, node: Any, pointer: str, depth: int) -> Node | None:
        type_ = node.get("type") if isinstance(node, dict) else None
        if type_ == "group":
            return self.group(node, pointer, depth)
        kind = catalogue.kind(type_) if isinstance(type_, str) else None
        if kind is not None:
            return self.filter(node, kind, pointer)
        self.fault(pointer, _("There is no filter of this type."))
        return None

    def group(self, node: Mapping[str, Any], pointer: str, depth: int) -> Group | None:
        before = len(self.faults)
        if depth > settings.MAX_SEGMENT_DEPTH:
            message = _("Groups may be nested {limit} levels deep at most.")
            self.fault(pointer, message.format(limit=settings.MAX_SEGMENT_DEPTH))
            return None
        if node.get("operator") not in list(Join):
            self.fault(f"{pointer}/operator", _("A group joins its filters with “and” or “or”."))
        if not isinstance(node.get("exclude", False), bool):
            self.fault(f"{pointer}/exclude", _("“exclude” must be true or false."))
        children = self.children(node.get("children"), pointer, depth)
        if len(self.faults) > before:
            return None
        return Group(Join(node["operator"]), node.get("exclude", False), children)

    def children(self, children: Any, pointer: str, depth: int) -> tuple[Node, ...]:
        if not isinstance(children, list):
            self.fault(f"{pointer}/children", _("“children” must be an array."))
            return ()
        if not children and not self.is_draft:
            is_root = depth == 1
            nothing = _("Add at least one filter."), _("Add a filter to this group, or remove the group.")
            self.fault(pointer, nothing[0] if is_root else nothing[1])
        nodes = (
            self.node(child, f"{pointer}/children/{index}", depth + 1) for index, child in enumerate(children)
        )
        return tuple(node for node in nodes if node)

    def filter(self, node: Mapping[str, Any], kind: Kind, pointer: str) -> Filter | None:
        before = len(self.faults)
        operator = kind.operator(node.get("operator"))
        if operator is None:
            self.fault(f"{pointer}/operator", _("Choose what to ask of users."))
        subject, value = None, None
        if kind.asks is not None:
            subject = self.read(kind.asks.read, node, f"{pointer}/subject", str(kind.asks.missing))
        if operator is not None:
            value = self.read(operator.value.read, node, f"{pointer}/value", operator.value.missing)
        if operator is None or len(self.faults) > before:
            return None
        return Filter(kind, operator, subject, value)

    def read(self, read: Callable[[Any], Any], node: Mapping[str, Any], pointer: str, missing: str) -> Any:
        """Return a field of a filter as `read` reads it; what is missing is a fault unless this is a draft."""
        try:
            found = read(node.get(pointer.rpartition("/")[2]))
        except ValueFaultError as error:
            self.fault(pointer, str(error))
            return None
        if found is None and not self.is_draft:
            self.fault(pointer, missing)
        return found
