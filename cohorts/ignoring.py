"""Cohorts are deleted here, not at their partner: what it goes on sending is refused until somebody restores them.

The members of a deleted cohort stay as they were, and come back with it; whoever was held for it is held no longer.
Race-prone, because segments are saved and pages arrive meanwhile:

1. The lock of the workspace's segments: whoever begins to use the cohort comes before and keeps it, or after and finds
   it gone (`segments/saving.py`). It is taken before any row is locked.
2. The lock of the cohort's row: a page comes before and counts, or after and is refused (`cohorts/imports.py`).
3. Only then is looked whether anything uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from accounts import audit
from accounts.models import User
from cohorts import held, syncs, uses
from cohorts.models import Cohort
from profiles import locks
from profiles.locks import Lock


class CohortInUseError(Exception):
    """A cohort that something uses cannot go. `users` has what does."""

    def __init__(self, users: Sequence[Model]) -> None:
        super().__init__(", ".join(str(user) for user in users))
        self.users = users


def ignore(*, cohort: Cohort, by: User | None, address: str | None = None, now: datetime) -> None:
    """Delete a cohort here: its syncs are refused from now on. Raises CohortInUseError while anything uses it."""
    with transaction.atomic():
        locks.alone(Lock.SEGMENTS, workspace_id=cohort.workspace_id)
        current = _locked(cohort)
        if current.ignored_at is not None:
            return
        if users := uses.of(cohort=current):
            raise CohortInUseError(users)
        syncs.give_up(cohort=current, reason=_reason(current), now=now)
        held.forget(cohort_ids=[current.pk])
        _write(current, ignored_at=now, by=by)
        _note(current, audit.Action.COHORT_DELETED, by, address, now)


def restore(*, cohort: Cohort, by: User | None, address: str | None = None, now: datetime) -> None:
    """Take a deleted cohort back, with the members it had; its next sync is taken again."""
    with transaction.atomic():
        current = _locked(cohort)
        if current.ignored_at is None:
            return
        _write(current, ignored_at=None, by=None)
        _note(current, audit.Action.COHORT_RESTORED, by, address, now)


def _locked(cohort: Cohort) -> Cohort:
    return Cohort.objects.without_members().select_for_update(no_key=True).get(pk=cohort.pk)


def _reason(cohort: Cohort) -> str:
    return f"The cohort “{cohort.partner_cohort_id}” was deleted before all pages were here."


def _write(cohort: Cohort, *, ignored_at: datetime | None, by: User | None) -> None:
    cohort.ignored_at, cohort.ignored_by = ignored_at, by
    cohort.save(update_fields=["ignored_at", "ignored_by"])


def _note(cohort: Cohort, action: audit.Action, by: User | None, address: str | None, now: datetime) -> None:
    audit.record(
        workspace_id=cohort.workspace_id,
        action=action,
        subject=f"cohort {cohort.pk}",
        actor=by,
        address=address,
        detail={
            "name": cohort.name,
            "partner": cohort.partner,
            "partner_cohort_id": cohort.partner_cohort_id,
        },
        now=now,
    )
