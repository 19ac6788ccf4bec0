"""A cohort is deleted while segments are saved and pages arrive, on PostgreSQL: one of the two comes first."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone

from accounts.models import Integration
from cohorts import ignoring, imports, uses
from cohorts.ignoring import CohortInUseError
from cohorts.imports import Change
from cohorts.models import CohortSync
from cohorts.rows import IgnoredCohortError
from cohorts.syncs import Export
from profiles.identifiers import of_members
from segments import saving
from segments.filters import FilterError
from segments.models import Segment
from tests.cohorts.factories import CohortFactory, members_of
from tests.profiles.factories import make_people
from tests.profiles.test_identity_races import at_once
from tests.segments.definitions import cohorts, definition

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROUNDS = 12
REFUSALS = (CohortInUseError, FilterError, IgnoredCohortError)


def tried(errors, job):
    try:
        job()
    except REFUSALS as error:
        errors.append(error)


def ignore(cohort):
    ignoring.ignore(cohort=cohort, by=None, now=timezone.now())


def test_of_a_save_that_begins_to_use_a_cohort_and_its_deletion_one_is_refused(workspace):
    for number in range(ROUNDS):
        cohort, errors = CohortFactory.create(), []
        user = Segment(workspace=workspace, name=f"user {number}", definition=definition(cohorts(cohort.pk)))
        save = partial(saving.save, segment=user, tags=[], by=None, now=timezone.now())
        at_once(partial(tried, errors, save), partial(tried, errors, partial(ignore, cohort)))
        cohort.refresh_from_db()
        assert len(errors) == 1
        assert bool(uses.of(cohort=cohort)) != bool(cohort.ignored_at)


def test_a_page_that_meets_the_deletion_counts_or_is_refused(workspace):
    ann = make_people(workspace, ["ann"])["ann"]
    integration, _ = Integration.objects.get_or_create(workspace=workspace, partner="mixpanel")
    members = of_members([{"mixpanel_distinct_id": "ann"}])
    for number in range(ROUNDS):
        cohort, errors = CohortFactory.create(partner_cohort_id=f"race-{number}"), []
        export = Export(
            cohort.partner_cohort_id, CohortSync.Action.MEMBERS, session_id="s", page=1, total_pages=1
        )
        send = partial(
            imports.apply,
            integration=integration,
            export=export,
            changes=[Change(members=members)],
            digest=b"",
            now=timezone.now(),
        )
        at_once(partial(tried, errors, send), partial(ignore, cohort))
        assert members_of(cohort) == (set() if errors else {ann})
        cohort.refresh_from_db()
        assert cohort.ignored_at is not None
