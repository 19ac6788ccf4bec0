"""Pages of a partner whose unmatched members are held, and what comes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounts.models import Integration, Workspace
from cohorts import held_joins, imports
from cohorts.imports import Change, Result
from cohorts.models import Cohort, CohortSync, HeldKey, HeldSet
from cohorts.syncs import Export
from profiles import identifiers
from tests.cohorts.factories import members_of

Action = CohortSync.Action
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ALIAS = {"label": "mixpanel_distinct_id", "name": "m1"}


def make_holding(workspace: Workspace) -> Integration:
    """Let Mixpanel's unmatched members be held."""
    return Integration.objects.create(workspace=workspace, partner="mixpanel", holds_unmatched=True)


def send(*who: str | dict[str, str], action: Action = Action.ADD_MEMBERS, **page: Any) -> Result:
    """Apply one page of the webhook: of external ids, or of members."""
    page = {"session_id": "s", "page": 1, "total_pages": 1} | page
    members = [{"external_id": it} if isinstance(it, str) else it for it in who]
    return imports.apply(
        integration=Integration.objects.get(partner="mixpanel"),
        export=Export(partner_cohort_id="c", action=action, **page),
        changes=[Change(identifiers.of_members(members), action == Action.REMOVE_MEMBERS)],
        digest=imports.digest_of(repr((action, who)).encode()),
        now=NOW,
    )


def change(*signed: str) -> Result:
    """Apply one call of the partner protocol: `+ann` adds, `-ann` removes, `+d:x` is a device."""

    def members(name: str) -> list[identifiers.Identified]:
        is_device = name.startswith("d:")
        return identifiers.of_devices([name[2:]]) if is_device else identifiers.of_external_ids([name])

    return imports.apply(
        integration=Integration.objects.get(partner="mixpanel"),
        export=Export(partner_cohort_id="c", action=Action.CHANGES),
        changes=[Change(members(it[1:]), should_remove=it[0] == "-") for it in signed],
        digest=b"",
        now=NOW,
    )


def waiting() -> list[str]:
    """Return the first keys of the members that count as held, without their kind, in order."""
    keys = HeldKey.objects.filter(held_set__state=HeldSet.State.CURRENT, position=0)
    found = sorted({key[2:] for key in keys.values_list("key", flat=True)})
    current = HeldSet.objects.counting().first()
    assert (current.member_count if current else 0) == len(found)
    return found


def members() -> set[int]:
    """Return the members of the only cohort."""
    return members_of(Cohort.objects.get())


def sweep() -> int:
    """Let held members join; return how many profiles did."""
    return held_joins.sweep(now=NOW)
