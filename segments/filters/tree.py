"""A definition as a tree of groups and filters, and the faults that may be found in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from segments.filters.kinds import Filter, There


class Join(StrEnum):
    """How a group joins its children."""

    AND = "and"
    OR = "or"


@dataclass(frozen=True)
class Group:
    """Profiles that all children, or any child, select; those left over if `exclude`."""

    operator: Join
    exclude: bool
    children: tuple[Node, ...]


Node = Filter | Group


@dataclass(frozen=True)
class Fault:
    """What is wrong with one node."""

    pointer: str
    message: str


class FilterError(ValueError):
    """A definition that says nothing sensible. `faults` has all of them, each with its node's pointer."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.message}" for fault in faults))
        self.faults = faults


def walk(node: Node, pointer: str = "/root") -> Iterator[tuple[str, Node]]:
    """Yield all nodes of a tree with their pointers, a group before its children."""
    yield pointer, node
    if isinstance(node, Group):
        for index, child in enumerate(node.children):
            yield from walk(child, f"{pointer}/children/{index}")


def filters_of(node: Node) -> Iterator[Filter]:
    """Yield all filters of a tree, in order."""
    return (it for _pointer, it in walk(node) if isinstance(it, Filter))


def is_finished(node: Node) -> bool:
    """Whether a node says something: a filter with a value, or a group with at least one such filter."""
    return any(filter_.is_finished for filter_ in filters_of(node))


def faults(root: Group, there: There) -> list[Fault]:
    """Return the faults of filters that mention what the workspace does not have, or not any more."""
    return [
        Fault(f"{pointer}/{field}", message)
        for pointer, node in walk(root)
        if isinstance(node, Filter) and node.is_finished
        for field, message in node.kind.faults(node, there).items()
    ]
