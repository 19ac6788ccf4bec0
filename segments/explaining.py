"""Why a user is, or is not, in a segment: filter by filter, with what is known of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from pyroaring import BitMap

from cohorts import membership
from profiles import admin_search
from profiles.models import CustomEvent, EventName, Identifier, Profile
from segments import evaluation, fetching, filters, people
from segments.audience import Question
from segments.evaluation import Evaluated, Sets
from segments.filters import Filter, Known
from segments.filters.sources import SegmentMembers

MAX_PEOPLE = 5


def explain(*, question: Question, identifier: str) -> dict[str, Any]:
    """Return who has an identifier (MAX_PEOPLE at most, who may share an address), and how each filter finds them.

    Evaluated on these users alone, so that it takes no longer in a large workspace than in a small one.
    """
    found = admin_search.by_identifier(
        users=Profile.objects.live().for_workspace(question.workspace),
        workspace_id=question.workspace.pk,
        text=identifier,
        limit=MAX_PEOPLE,
    )
    asked = BitMap(person.pk for person in found)
    sets = fetching.sets_among(
        workspace_id=question.workspace.pk,
        trees=[question.tree],
        mentioned=question.mentioned,
        now=question.now,
        profile_ids=asked,
    )
    # Also of cohorts that a filter asks something else about: who entered or left them.
    cohorts = membership.members(cohort_ids=list(question.mentioned.there.cohorts), within=asked)
    note = "" if found else _("No user has this ID, email address or phone number.")
    result = evaluation.evaluated(question.tree, sets)
    knowns = [_known(person, question, sets, cohorts) for person in found]
    return {"found": [_explained(known, result, sets) for known in knowns], "note": note}


def _explained(known: Known, result: Evaluated, sets: Sets) -> dict[str, Any]:
    person = known.profile
    is_member = person.pk in result.selected.among(sets.universe)
    text = _("{name} is in this segment.") if is_member else _("{name} is not in this segment.")
    described = people.described(person)
    nodes = dict(_nodes(result, "/root", known, sets))
    verdict = text.format(name=described["name"])
    return {**described, "is_member": is_member, "verdict": verdict, "nodes": nodes}


def _nodes(one: Evaluated, pointer: str, known: Known, sets: Sets) -> Iterator[tuple[str, dict[str, Any]]]:
    if filters.is_finished(one.node):
        is_met = known.profile.pk in one.selected.among(sets.universe)
        value = one.node.kind.known(known, one.node) if isinstance(one.node, Filter) else ""
        yield pointer, {"is_met": is_met, "value": value or (_("nothing") if _is_filter(one) else "")}
    for index, child in enumerate(one.children):
        yield from _nodes(child, f"{pointer}/children/{index}", known, sets)


def _is_filter(one: Evaluated) -> bool:
    return isinstance(one.node, Filter)


def _known(person: Profile, question: Question, sets: Sets, cohorts: Mapping[int, BitMap]) -> Known:
    mine = [source for source, members in sets.found.items() if person.pk in members]
    return Known(
        profile=person,
        keys=list(Identifier.objects.filter(profile=person).values_list("key", flat=True)),
        events={event.name.name: event for event in _events(person)},
        cohort_ids={cohort_id for cohort_id, members in cohorts.items() if person.pk in members},
        segment_ids={it.segment_id for it in mine if isinstance(it, SegmentMembers)},
        names=question.mentioned.there.names,
        now=question.now,
    )


def _events(person: Profile) -> list[CustomEvent]:
    events = CustomEvent.objects.filter(profile=person, name__kind=EventName.Kind.CUSTOM)
    return list(events.select_related("name"))
