"""The catalogue of filters as the builder reads it: groups, filters, subjects, operators and their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.partners import MIXPANEL
from cohorts import freshness_words, latest_syncs
from cohorts.freshness import Freshness, State
from cohorts.models import Cohort
from segments import filters
from segments.filters import Kind, catalogue
from segments.filters.kinds import Operator
from segments.filters.partner_cohorts import COHORT, filter_name
from segments.models import Segment

Choice = dict[str, Any]


@dataclass(frozen=True)
class Offered:
    """What of a workspace can be chosen: cohorts by partner, all partners, and segments."""

    cohorts: Mapping[str, Sequence[Choice]]
    partners: Sequence[str]
    segments: Sequence[Choice]

    def of(self, name: str, partner: str | None) -> Sequence[Choice]:
        """Return the choices of a list: cohorts of one partner, or of all, or segments."""
        if name == "segments":
            return self.segments
        return [it for slug, own in self.cohorts.items() if partner in (None, slug) for it in own]


def offered(*, workspace: Workspace, own_id: int | None, definition: Any, now: datetime) -> Offered:
    """Return what can be chosen: the partner with the most cohorts first, it is whose filter one begins with."""
    cohorts = _cohorts(workspace, now)
    partners = cohorts.keys() | _partners_mentioned(definition) | {MIXPANEL.slug}
    segments = Segment.objects.for_workspace(workspace).active().order_by("name")
    return Offered(
        cohorts,
        sorted(partners, key=lambda it: (-len(cohorts.get(it, [])), it)),
        [_choice(pk, name, "") for pk, name in segments.values_list("id", "name") if pk != own_id],
    )


def _cohorts(workspace: Workspace, now: datetime) -> dict[str, list[Choice]]:
    fields = ("name", "partner_cohort_id", *latest_syncs.FIELDS)
    own = list(Cohort.objects.for_workspace(workspace).current().order_by("name", "id").only(*fields))
    fresh = latest_syncs.of_cohorts(cohorts=own, now=now)
    found: dict[str, list[Choice]] = {}
    for it in own:
        choice = _choice(it.pk, it.name, it.partner_cohort_id) | _warning(fresh[it.pk])
        found.setdefault(it.partner, []).append(choice)
    return found


def _warning(it: Freshness) -> Choice:
    """Return what is to be seen beside the name of a cohort whose partner is silent."""
    if it.state not in {State.LATE, State.STALE}:
        return {}
    return {"mark": {"name": it.state.label, "title": freshness_words.explained(it), "state": it.state.value}}


def _choice(pk: int, name: str, note: str) -> Choice:
    return {"id": pk, "name": name, "note": note}


def _partners_mentioned(definition: Any) -> set[str]:
    try:
        tree = filters.parse(definition, is_draft=True)
    except filters.FilterError:
        return set()
    return {it.subject for it in filters.filters_of(tree) if it.kind is COHORT and it.subject}


def catalogue_data(offer: Offered) -> list[dict[str, Any]]:
    """Return the groups with their filters. Each partner's cohorts are a filter of their own."""
    return [
        {
            "name": str(group.TITLE),
            "filters": [entry for kind in group.KINDS for entry in _entries(kind, offer)],
        }
        for group in catalogue.GROUPS
    ]


def _entries(kind: Kind, offer: Offered) -> Iterator[dict[str, Any]]:
    if kind is COHORT:
        for partner in offer.partners:
            more = {"subject": partner, "name": filter_name(partner), "asks": None}
            waiting = {} if offer.cohorts.get(partner) else {"help": _no_cohorts_yet()}
            yield {**_entry(kind, offer, partner), **more, **waiting}
    else:
        yield _entry(kind, offer, None)


def _no_cohorts_yet() -> str:
    return _("There are no cohorts yet. As soon as a partner sends a cohort, you can filter by it here.")


def _entry(kind: Kind, offer: Offered, partner: str | None) -> dict[str, Any]:
    asks = _with_choices(kind.asks.widget(), offer, partner) if kind.asks else None
    return {
        "type": kind.type,
        "name": str(kind.name),
        "help": str(kind.help),
        "asks": asks,
        "operators": [_operator(operator, offer, partner) for operator in kind.operators],
    }


def _operator(operator: Operator, offer: Offered, partner: str | None) -> dict[str, Any]:
    value = _with_choices(operator.value.widget(), offer, partner)
    types = list(operator.types) or None
    return {"code": operator.code, "name": str(operator.name), "types": types, "value": value}


def _with_choices(widget: dict[str, Any], offer: Offered, partner: str | None) -> dict[str, Any]:
    """Return a widget with what can be chosen of the workspace, where it is a list of such things."""
    of = widget.pop("of", None)
    return {**widget, "choices": list(offer.of(of, partner))} if of else widget
