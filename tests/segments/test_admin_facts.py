"""What the pages of technology partners tell of cohorts and segments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import partners
from cohorts import admin_facts as of_cohorts
from segments import admin_facts as of_segments
from tests.cohorts.factories import CohortFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_both_apps_tell_the_partners_page():
    assert {of_cohorts.of_partner, of_segments.of_partner} <= set(partners.FACTS)


def test_cohorts_heard_of_last_are_named_first_up_to_ten(workspace, other_workspace):
    for number in range(12):
        CohortFactory.create(name=str(number), last_sync_at=NOW - timedelta(hours=number))
    CohortFactory.create(name="deleted", ignored_at=NOW)
    CohortFactory.create(name="of another partner", partner="heap")
    CohortFactory.create(name="elsewhere", workspace=other_workspace)
    found = of_cohorts.of_partner(workspace, "mixpanel")
    assert found == {"cohort_count": 12, "cohort_names": [str(number) for number in range(10)]}


def test_segments_are_counted_that_mention_a_cohort_of_the_partner(workspace, other_workspace):
    mine, heap = CohortFactory.create(), CohortFactory.create(partner="heap")
    elsewhere = CohortFactory.create(workspace=other_workspace)
    SegmentFactory.create(definition=definition(cohorts(mine.pk)))
    SegmentFactory.create(definition=definition(cohorts(mine.pk, operator="does_not_include")))
    SegmentFactory.create(definition=definition(cohorts(mine.pk)), archived_at=NOW)
    SegmentFactory.create(definition=definition(cohorts(heap.pk, partner="heap")))
    SegmentFactory.create(definition=definition(cohorts(elsewhere.pk)), workspace=other_workspace)
    SegmentFactory.create(definition={"version": 99})
    assert of_segments.of_partner(workspace, "mixpanel") == {"segment_count": 2}
    assert of_segments.of_partner(workspace, "heap") == {"segment_count": 1}
    assert of_segments.of_partner(workspace, "amplitude") == {"segment_count": 0}


def test_facts_cost_the_same_for_1_and_20_segments(workspace, django_assert_num_queries):
    cohort = CohortFactory.create()
    for count in (1, 19):
        SegmentFactory.create_batch(count, definition=definition(cohorts(cohort.pk)))
        with django_assert_num_queries(2):
            of_segments.of_partner(workspace, "mixpanel")
