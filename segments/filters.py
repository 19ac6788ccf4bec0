"""A segment's definition: JSON in, a tree of groups and filters out, and the sentence that says what it means.

    {"version": 1, "root": {"type": "group", "operator": "and", "exclude": false, "children": [
        {"type": "cohort", "partner": "mixpanel", "operator": "includes", "cohorts": [7]}]}}

Pure: nothing here asks the database. Faults carry the JSON pointer of the node they stand at.

A filter without a value, and a group without filters, are unfinished. Drafts may hold them: they select nobody, join
with nothing and are not mentioned. They are faults in a definition that is saved, so that no segment can come to
mean "everyone" because something was left blank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

VERSION = 1
MAX_COHORTS = 100  # in one filter; its list of chosen cohorts is no longer readable long before
MAX_ID = 2**63 - 1


class Join(StrEnum):
    """How a group joins its children."""

    AND = "and"
    OR = "or"


class CohortOperator(StrEnum):
    """What a cohort filter asks."""

    INCLUDES = "includes"
    EXCLUDES = "does_not_include"


@dataclass(frozen=True)
class CohortFilter:
    """Profiles that are in at least one of the cohorts, or in none of them."""

    partner: str
    operator: CohortOperator
    cohort_ids: tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """Profiles that all children, or any child, select; those left over if `exclude`."""

    operator: Join
    exclude: bool
    children: tuple[Node, ...]


Node = CohortFilter | Group


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


# --- parse -------------------------------------------------------------------------------------------------
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


class _Parser:
    """Reads nodes and collects what is wrong with them."""

    def __init__(self, is_draft: bool) -> None:
        self.is_draft = is_draft
        self.faults: list[Fault] = []

    def fault(self, pointer: str, message: str) -> None:
        self.faults.append(Fault(pointer, message))

    def node(self, node: Any, pointer: str, depth: int) -> Node | None:
        kind = node.get("type") if isinstance(node, dict) else None
        if kind == "group":
            return self.group(node, pointer, depth)
        if kind == "cohort":
            return self.cohort(node, pointer)
        self.fault(pointer, _("A node must be an object of type “group” or “cohort”."))
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

    def cohort(self, node: Mapping[str, Any], pointer: str) -> CohortFilter | None:
        before = len(self.faults)
        if node.get("operator") not in list(CohortOperator):
            self.fault(f"{pointer}/operator", _("Choose “includes” or “does not include”."))
        if not isinstance(node.get("partner"), str) or not node["partner"]:
            self.fault(f"{pointer}/partner", _("The filter must name its partner."))
        ids = node.get("cohorts")
        if not isinstance(ids, list) or not all(type(value) is int and 0 < value <= MAX_ID for value in ids):
            self.fault(f"{pointer}/cohorts", _("“cohorts” must be an array of numbers."))
        elif not ids and not self.is_draft:
            self.fault(f"{pointer}/cohorts", _("Choose at least one cohort."))
        elif len(ids) > MAX_COHORTS:
            message = _("Choose {limit} cohorts at most.")
            self.fault(f"{pointer}/cohorts", message.format(limit=MAX_COHORTS))
        if len(self.faults) > before:
            return None
        cohorts = tuple(dict.fromkeys(node["cohorts"]))
        return CohortFilter(node["partner"], CohortOperator(node["operator"]), cohorts)


def dump(root: Group) -> dict[str, Any]:
    """Return the definition of a tree: what `parse` reads, and nothing else."""
    return {"version": VERSION, "root": _dump_node(root)}


def _dump_node(node: Node) -> dict[str, Any]:
    if isinstance(node, Group):
        children = [_dump_node(child) for child in node.children]
        return {"type": "group", "operator": node.operator, "exclude": node.exclude, "children": children}
    cohorts = list(node.cohort_ids)
    return {"type": "cohort", "partner": node.partner, "operator": node.operator, "cohorts": cohorts}


# --- walk --------------------------------------------------------------------------------------------------
def filters_of(node: Node) -> Iterator[CohortFilter]:
    """Yield all filters of a tree, in order."""
    if isinstance(node, CohortFilter):
        yield node
    else:
        for child in node.children:
            yield from filters_of(child)


def is_finished(node: Node) -> bool:
    """Whether a node says something: a filter with a value, or a group with at least one such filter."""
    return any(filter_.cohort_ids for filter_ in filters_of(node))


def cohort_ids_of(node: Node) -> set[int]:
    """Return the ids of all cohorts a tree mentions."""
    return {cohort_id for cohort_filter in filters_of(node) for cohort_id in cohort_filter.cohort_ids}


def check_cohorts(root: Group, partner_of: Mapping[int, str]) -> None:
    """Raise FilterError for cohorts that the workspace or the filter's partner does not have."""
    faults = list(_cohort_faults(root, "/root", partner_of))
    if faults:
        raise FilterError(faults)


def _cohort_faults(node: Node, pointer: str, partner_of: Mapping[int, str]) -> Iterator[Fault]:
    if isinstance(node, Group):
        for index, child in enumerate(node.children):
            yield from _cohort_faults(child, f"{pointer}/children/{index}", partner_of)
    elif any(partner_of.get(cohort_id) != node.partner for cohort_id in node.cohort_ids):
        yield Fault(f"{pointer}/cohorts", _("This cohort does not exist any more. Choose another one."))


# --- describe ----------------------------------------------------------------------------------------------
def filter_name(partner: str) -> str:
    """Return the name of a partner's cohort filter, the same in every language: `Mixpanel_Cohorts`."""
    return f"{partner.capitalize()}_Cohorts"


def describe(node: Node, names: Mapping[int, str]) -> str:
    """Return a tree as a sentence in the active language. `names` has the cohorts' names by id."""
    if not is_finished(node):
        return _("nobody")
    if isinstance(node, CohortFilter):
        return _describe_cohort(node, names)
    parts = [_describe_child(child, names) for child in node.children if is_finished(child)]
    word = (
        pgettext("joins conditions", "and")
        if node.operator is Join.AND
        else pgettext("joins conditions", "or")
    )
    sentence = f" {word} ".join(parts)
    return _("not ({condition})").format(condition=sentence) if node.exclude else sentence


def _describe_child(child: Node, names: Mapping[int, str]) -> str:
    sentence = describe(child, names)
    if isinstance(child, Group) and not child.exclude and sum(map(is_finished, child.children)) > 1:
        return f"({sentence})"
    return sentence


def _describe_cohort(node: CohortFilter, names: Mapping[int, str]) -> str:
    cohorts = get_text_list(
        [_name(names.get(cohort_id)) for cohort_id in node.cohort_ids], pgettext("joins conditions", "or")
    )
    if node.operator is CohortOperator.INCLUDES:
        return _("{filter} includes {cohorts}").format(filter=filter_name(node.partner), cohorts=cohorts)
    return _("{filter} does not include {cohorts}").format(filter=filter_name(node.partner), cohorts=cohorts)


def _name(name: str | None) -> str:
    return _("“{name}”").format(name=name) if name else _("a cohort that no longer exists")
