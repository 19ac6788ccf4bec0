"""A segment's definition: JSON in, a tree of groups and filters out, and the sentence that says what it means.

    {"version": 1, "root": {"type": "group", "operator": "and", "exclude": false, "children": [
        {"type": "cohort", "partner": "mixpanel", "operator": "includes", "cohorts": [7]}]}}

Pure: nothing here asks the database. Faults carry the JSON pointer of the node they stand at.
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
def parse(definition: Any) -> Group:
    """Return the tree of a definition. Raises FilterError with every fault found."""
    faults: list[Fault] = []
    if not isinstance(definition, dict) or definition.get("version") != VERSION:
        raise FilterError([Fault("", _("The definition must be an object of version {}.").format(VERSION))])
    root = _parse_node(definition.get("root"), "/root", 1, faults)
    if root is not None and not isinstance(root, Group):
        faults.append(Fault("/root", _("The outermost node must be a group.")))
    filters = sum(1 for _filter in filters_of(root)) if root else 0
    if filters > settings.MAX_SEGMENT_FILTERS:
        message = _("A segment may have {limit} filters at most; this one has {count}.")
        faults.append(Fault("/root", message.format(limit=settings.MAX_SEGMENT_FILTERS, count=filters)))
    if faults or not isinstance(root, Group):
        raise FilterError(faults)
    return root


def _parse_node(node: Any, pointer: str, depth: int, faults: list[Fault]) -> Node | None:
    kind = node.get("type") if isinstance(node, dict) else None
    if kind == "group":
        return _parse_group(node, pointer, depth, faults)
    if kind == "cohort":
        return _parse_cohort(node, pointer, faults)
    faults.append(Fault(pointer, _("A node must be an object of type “group” or “cohort”.")))
    return None


def _parse_group(node: Mapping[str, Any], pointer: str, depth: int, faults: list[Fault]) -> Group | None:
    before = len(faults)
    if depth > settings.MAX_SEGMENT_DEPTH:
        message = _("Groups may be nested {limit} levels deep at most.")
        faults.append(Fault(pointer, message.format(limit=settings.MAX_SEGMENT_DEPTH)))
        return None
    if node.get("operator") not in list(Join):
        faults.append(Fault(f"{pointer}/operator", _("A group joins its filters with “and” or “or”.")))
    if not isinstance(node.get("exclude", False), bool):
        faults.append(Fault(f"{pointer}/exclude", _("“exclude” must be true or false.")))
    children = node.get("children")
    if not isinstance(children, list):
        faults.append(Fault(f"{pointer}/children", _("“children” must be an array.")))
        return None
    parsed = [
        _parse_node(child, f"{pointer}/children/{index}", depth + 1, faults)
        for index, child in enumerate(children)
    ]
    if len(faults) > before:
        return None
    return Group(
        Join(node["operator"]), node.get("exclude", False), tuple(child for child in parsed if child)
    )


def _parse_cohort(node: Mapping[str, Any], pointer: str, faults: list[Fault]) -> CohortFilter | None:
    before = len(faults)
    if node.get("operator") not in list(CohortOperator):
        faults.append(Fault(f"{pointer}/operator", _("Choose “includes” or “does not include”.")))
    if not isinstance(node.get("partner"), str) or not node["partner"]:
        faults.append(Fault(f"{pointer}/partner", _("The filter must name its partner.")))
    ids = node.get("cohorts")
    if not isinstance(ids, list) or not all(type(value) is int for value in ids):
        faults.append(Fault(f"{pointer}/cohorts", _("“cohorts” must be an array of numbers.")))
    elif not ids:
        faults.append(Fault(f"{pointer}/cohorts", _("Choose at least one cohort.")))
    if len(faults) > before:
        return None
    return CohortFilter(
        node["partner"], CohortOperator(node["operator"]), tuple(dict.fromkeys(node["cohorts"]))
    )


# --- walk --------------------------------------------------------------------------------------------------
def filters_of(node: Node) -> Iterator[CohortFilter]:
    """Yield all filters of a tree, in order."""
    if isinstance(node, CohortFilter):
        yield node
    else:
        for child in node.children:
            yield from filters_of(child)


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
    if isinstance(node, CohortFilter):
        return _describe_cohort(node, names)
    if not node.children:
        return _("nobody") if node.exclude else _("all users")
    last_word = (
        pgettext("joins conditions", "and")
        if node.operator is Join.AND
        else pgettext("joins conditions", "or")
    )
    parts = [
        f"({describe(child, names)})"
        if isinstance(child, Group) and len(child.children) > 1 and not child.exclude
        else describe(child, names)
        for child in node.children
    ]
    sentence = f" {last_word} ".join(parts)
    return _("not ({condition})").format(condition=sentence) if node.exclude else sentence


def _describe_cohort(node: CohortFilter, names: Mapping[int, str]) -> str:
    quoted = [
        _("“{name}”").format(name=names.get(cohort_id, f"#{cohort_id}")) for cohort_id in node.cohort_ids
    ]
    cohorts = get_text_list(quoted, pgettext("joins conditions", "or"))
    if node.operator is CohortOperator.INCLUDES:
        return _("{filter} includes {cohorts}").format(filter=filter_name(node.partner), cohorts=cohorts)
    return _("{filter} does not include {cohorts}").format(filter=filter_name(node.partner), cohorts=cohorts)
