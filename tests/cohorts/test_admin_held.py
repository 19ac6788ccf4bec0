"""What a cohort's page says of members that wait for a user."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Integration
from cohorts.models import Cohort, CohortSync
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, hold

pytestmark = pytest.mark.django_db
FOUND = 302


@pytest.fixture
def cohort(workspace) -> Cohort:
    """A cohort with two held members, of a partner whose unmatched members are held."""
    Integration.objects.create(workspace=workspace, partner="mixpanel", holds_unmatched=True)
    hold(workspace, [["e:ann"], ["e:ben", "a:mixpanel_distinct_id:ben"]])
    return Cohort.objects.get()


def page_of(client, cohort: Cohort) -> str:
    return client.get(reverse("admin:cohorts_cohort_change", args=[cohort.pk])).content.decode()


@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_see_how_many_wait_and_for_how_long(request, persona, cohort):
    page = page_of(request.getfixturevalue(persona), cohort)
    assert '<dd id="held-count">2</dd>' in page
    assert "up to 90 days" in page
    assert "ann" not in page[page.index('id="held"') :]
    assert "further ones are dropped" not in page


def test_strangers_see_nothing(stranger_client, cohort):
    response = stranger_client.get(reverse("admin:cohorts_cohort_change", args=[cohort.pk]))
    assert (response.status_code, b"held-count" in response.content) == (FOUND, False)


def test_page_says_when_no_more_are_held(marketer_client, cohort, settings):
    settings.HELD_MEMBERS_PER_COHORT = 2
    assert "No more than 2 are held" in page_of(marketer_client, cohort)


def test_page_says_that_nobody_waits_only_where_somebody_would(marketer_client, cohort):
    other = CohortFactory.create()
    assert "Nobody waits." in page_of(marketer_client, other)
    Cohort.objects.filter(pk=other.pk).update(ignored_at=timezone.now())
    assert "Held members" not in page_of(marketer_client, other)
    Integration.objects.update(holds_unmatched=False)
    assert "Held members" not in page_of(marketer_client, cohort)


def test_page_costs_the_same_whoever_waits(marketer_client, cohort, workspace):
    def cost(one: Cohort) -> int:
        page_of(marketer_client, one)  # the first look at it is no measure
        with CaptureQueriesContext(connection) as captured:
            page_of(marketer_client, one)
        return len(captured)

    hold(workspace, [[f"e:{number}"] for number in range(50)])
    assert cost(Cohort.objects.latest("pk")) == cost(cohort)


def test_joins_do_not_hide_whom_the_partner_sent_last(marketer_client, cohort):
    sample = [{"identifier": "zoe-of-mixpanel", "reason": "unknown"}]
    CohortSyncFactory.create(cohort=cohort, unmatched_sample=sample)
    CohortSyncFactory.create(cohort=cohort, action=CohortSync.Action.HELD)
    assert "zoe-of-mixpanel" in page_of(marketer_client, cohort)


def test_sync_says_how_many_of_its_members_are_held(marketer_client, cohort):
    sync = CohortSyncFactory.create(cohort=cohort, unknown_count=3, held_count=2)
    url = reverse("admin:cohorts_cohortsync_change", args=[sync.pk])
    assert "2 are held and join when such users exist" in marketer_client.get(url).content.decode()


def test_page_of_a_join_speaks_of_no_page_that_the_partner_would_have_sent(marketer_client, cohort):
    sync = CohortSyncFactory.create(
        cohort=cohort, action=CohortSync.Action.HELD, session_id="2026-11-25", entered_count=7
    )
    page = marketer_client.get(reverse("admin:cohorts_cohortsync_change", args=[sync.pk])).text
    assert "The partner sent these members earlier" in page
    assert "<dd>7</dd>" in page
    for untold in ("Received", "every member matched", "Session", "Last page"):
        assert f">{untold}" not in page
