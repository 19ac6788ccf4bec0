"""All filters, in the groups and the order in which the builder offers them."""

from __future__ import annotations

from segments.filters import (
    custom_attributes,
    custom_events,
    other_segments,
    partner_cohorts,
    profile,
    reachability,
)
from segments.filters.kinds import Kind

GROUPS = (partner_cohorts, profile, custom_attributes, custom_events, reachability, other_segments)
_KINDS = {kind.type: kind for group in GROUPS for kind in group.KINDS}


def kind(type_: str) -> Kind | None:
    """Return the kind of a node's type; None if there is none."""
    return _KINDS.get(type_)
