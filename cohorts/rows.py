"""The row of a cohort that a partner's call is about: found and locked, made if it is new, described as the partner says."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Integration
from cohorts import membership
from cohorts.models import Cohort
from cohorts.syncs import Export

LAST_SYNC_RESOLUTION = timedelta(seconds=10)


class IgnoredCohortError(Exception):
    """The cohort was deleted here (`cohorts/ignoring.py`), so nothing that its partner sends is taken."""

    def __init__(self, partner_cohort_id: str) -> None:
        super().__init__(
            f"The cohort “{partner_cohort_id}” was deleted in Rollcall, so its members are not taken any more. "
            "Stop this sync, or ask an administrator to restore the cohort in Rollcall."
        )
        self.partner_cohort_id = partner_cohort_id


def locked(*, integration: Integration, partner_cohort_id: str, name: str | None, now: datetime) -> Cohort:
    """Lock the cohort of a call and return it, made if it is new. Raises IgnoredCohortError for a deleted one."""
    identity = (integration.workspace_id, integration.partner, partner_cohort_id)
    cohort = membership.lock(*identity)
    if cohort is None:
        # Two first calls may meet here: the second finds the first one's row, and waits for its lock.
        workspace_id, partner, _id = identity
        new = Cohort(
            workspace_id=workspace_id,
            partner=partner,
            partner_cohort_id=partner_cohort_id,
            name=name or partner_cohort_id,
            created_at=now,
        )
        Cohort.objects.bulk_create([new], ignore_conflicts=True)
        cohort = membership.lock(*identity)
    if cohort is None:  # pragma: no cover
        raise RuntimeError("A cohort vanished while it was created; rows of cohorts are never deleted.")
    if cohort.ignored_at is not None:
        raise IgnoredCohortError(partner_cohort_id)
    return cohort


def of_export(*, integration: Integration, export: Export, now: datetime) -> Cohort:
    """Lock the cohort of a page as above, and let its name and description follow the partner's latest call."""
    identity, name = export.partner_cohort_id, export.name
    cohort = locked(integration=integration, partner_cohort_id=identity, name=name, now=now)
    _describe(cohort, export, now)
    return cohort


def _describe(cohort: Cohort, export: Export, now: datetime) -> None:
    """Write only what is news."""
    name = export.name or cohort.name
    description = cohort.description if export.description is None else export.description
    is_recent = cohort.last_sync_at is not None and now - cohort.last_sync_at < LAST_SYNC_RESOLUTION
    if is_recent and (name, description) == (cohort.name, cohort.description):
        return
    cohort.last_sync_at, cohort.name, cohort.description = now, name, description
    cohort.save(update_fields=["last_sync_at", "name", "description"])
