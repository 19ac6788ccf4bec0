"""Cohorts whose members came in the way they come in production: through an import."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.db import transaction
from django.utils import timezone
from factory.django import DjangoModelFactory
from pyroaring import BitMap

from accounts.models import Workspace
from cohorts import held, membership
from cohorts.membership import Page
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles import universe
from profiles.matching import Keys, Reason
from profiles.models import Profile

NO_TALLY = dict.fromkeys(membership.TALLY_FIELDS, 0)


class CohortFactory(DjangoModelFactory[Cohort]):
    """A cohort of the default workspace. `members=[profile, ...]` puts profiles (or their ids) into it."""

    class Meta:
        model = Cohort
        skip_postgeneration_save = True

    workspace = factory.LazyFunction(lambda: Workspace.objects.get(slug="default"))
    partner = "mixpanel"
    partner_cohort_id = factory.Sequence(lambda n: f"cohort-{n}")
    name = factory.Sequence(lambda n: f"Cohort {n}")

    @factory.post_generation
    def members(
        self: Cohort, create: bool, extracted: Iterable[Profile | int] | None, **kwargs: object
    ) -> None:
        if extracted:
            change_members(self, extracted)


class CohortSyncFactory(DjangoModelFactory[CohortSync]):
    """A complete sync of one page."""

    class Meta:
        model = CohortSync

    cohort = factory.SubFactory(CohortFactory)
    session_id = factory.Sequence(lambda n: f"session-{n}")
    action = CohortSync.Action.MEMBERS
    status = CohortSync.Status.COMPLETE
    total_pages = 1
    pages_count = 1
    started_at = factory.LazyFunction(timezone.now)
    last_page_at = factory.SelfAttribute("started_at")
    finished_at = factory.SelfAttribute("started_at")

    class Params:
        unfinished = factory.Trait(status=CohortSync.Status.RUNNING, total_pages=2, finished_at=None)


def make_hourly(*, silence: timedelta, now: datetime | None = None, **more: Any) -> Cohort:
    """Return a cohort that was synced each hour, and whose partner has been silent for so long since."""
    cohort: Cohort = CohortFactory.create(**more)
    latest = (now or timezone.now()) - silence
    for hours in range(5):
        CohortSyncFactory.create(cohort=cohort, started_at=latest - timedelta(hours=hours))
    return cohort


def change_members(
    cohort: Cohort,
    members: Iterable[Profile | int],
    *,
    kind: CohortDelta.Kind = CohortDelta.Kind.ADDED,
    now: datetime | None = None,
) -> CohortSync:
    """Add (or remove) members by a sync of their own; return the sync."""
    moment = now or timezone.now()
    is_added = kind == CohortDelta.Kind.ADDED
    action = CohortSync.Action.ADD_MEMBERS if is_added else CohortSync.Action.REMOVE_MEMBERS
    with transaction.atomic():
        locked = membership.lock(
            workspace_id=cohort.workspace_id,
            partner=cohort.partner,
            partner_cohort_id=cohort.partner_cohort_id,
        )
        assert locked is not None
        sync = CohortSyncFactory.create(cohort=locked, action=action, started_at=moment)
        membership.append(
            cohort=locked,
            sync=sync,
            kind=kind,
            members=BitMap(it.pk if isinstance(it, Profile) else it for it in members),
            page=Page(number=1, digest=b"", tally=NO_TALLY),
            now=moment,
        )
    return sync


def members_of(cohort: Cohort) -> set[int]:
    """Return the ids of a cohort's members now."""
    live = universe.live(workspace_id=cohort.workspace_id)
    return set(membership.members(cohort_ids=[cohort.pk], within=live)[cohort.pk])


def hold(workspace: Workspace, members: Iterable[Keys]) -> None:
    """Hold members, each by its keys, for a new cohort."""
    waiting = held.Waiting()
    unknown = [(keys[0], keys) for keys in members]
    waiting.note(unknown, [Reason.UNKNOWN] * len(unknown), should_remove=False)
    with transaction.atomic():
        held.change(cohort=CohortFactory.create(workspace=workspace), waiting=waiting)


def moments_ago() -> datetime:
    """Return what `changes.as_of` would if no transaction were open; clocks of computers take small steps back."""
    return datetime.now(UTC) - timedelta(milliseconds=50)
