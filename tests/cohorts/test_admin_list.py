"""Audience > Cohorts, the list: exact sizes, trends, match rates and uses, at the same cost for 1 and 50 cohorts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cohorts import history
from cohorts.models import CohortDelta
from tests.accounts.factories import UserFactory
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members
from tests.cohorts.test_admin import LIST, fold, names_of, page_of, plain, queries_of, text_of
from tests.profiles.factories import ProfileFactory, erase
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory


@pytest.fixture
def cohort(workspace):
    return CohortFactory.create(
        name="Lapsed",
        partner_cohort_id="mp-77",
        last_sync_at=timezone.now() - timedelta(hours=3),
        created_at=timezone.now() - timedelta(days=2),
        members=ProfileFactory.create_batch(3),
    )


def test_list_shows_partner_its_id_exact_size_trend_and_last_sync(marketer_client, cohort):
    page = plain(text_of(marketer_client, LIST))
    assert (
        "Lapsed Mixpanel mp-77 3 +3 , 0 2 days ago, 3 now – No member was received yet. 3 hours ago" in page
    )


def test_list_shows_the_match_rate_of_the_latest_sync_that_brought_members_without_repeats(
    marketer_client, cohort
):
    CohortSyncFactory.create(cohort=cohort, received_count=9, matched_count=1, unknown_count=8)
    CohortSyncFactory.create(cohort=cohort, received_count=12, matched_count=3, unknown_count=1)
    CohortSyncFactory.create(cohort=cohort)  # a heartbeat
    CohortSyncFactory.create(received_count=5, matched_count=5)  # of another cohort
    page = text_of(marketer_client, f"{LIST}?q=Lapsed")
    assert "3 now 75% 3 hours ago" in plain(page)
    assert 'title="3 of 4 in the latest sync"' in page


def test_list_shows_which_segments_use_a_cohort(marketer_client, cohort):
    segments = [
        SegmentFactory.create(name=name, definition=definition(cohorts(cohort.pk)))
        for name in ("a", "b", "c")
    ]
    page = text_of(marketer_client, LIST)
    addresses = [reverse("admin:segments_segment_change", args=[segment.pk]) for segment in segments]
    assert [address in page for address in addresses] == [True, True, False]
    assert f'href="{page_of(cohort)}#used-by">1 more' in page
    assert 'id="used-by"' in text_of(marketer_client, page_of(cohort))


def test_who_may_not_look_at_segments_is_not_told_of_them(client_of, workspace, cohort):
    SegmentFactory.create(name="Secret plans", definition=definition(cohorts(cohort.pk)))
    user = UserFactory.create(workspaces=[workspace])
    user.user_permissions.add(Permission.objects.get(codename="view_cohort"))
    assert "Secret plans" not in text_of(client_of(user), LIST)


def test_sizes_are_exact_with_changes_not_folded_yet_and_without_the_erased(marketer_client, cohort):
    gone, removed, *others = ProfileFactory.create_batch(5)
    change_members(cohort, [gone, removed, *others])
    fold(cohort)
    change_members(cohort, [removed], kind=CohortDelta.Kind.REMOVED)
    erase(gone)
    assert "mp-77 6 +6" in plain(text_of(marketer_client, LIST))
    assert "Users now 6" in plain(text_of(marketer_client, page_of(cohort)))


def test_search_finds_by_name_and_by_the_partners_id(marketer_client, cohort):
    CohortFactory.create(name="Loyal", partner_cohort_id="mp-78")
    assert names_of(marketer_client, q="laps") == names_of(marketer_client, q="mp-77") == {"Lapsed"}


def test_filter_keeps_one_partner_and_offers_those_of_the_workspace(marketer_client, cohort, other_workspace):
    CohortFactory.create(name="Readers", partner="segment")
    CohortFactory.create(workspace=other_workspace, partner="amplitude")
    assert names_of(marketer_client, partner="segment") == {"Readers"}
    page = plain(text_of(marketer_client, LIST))
    assert "By partner All Mixpanel Segment" in page
    assert "Amplitude" not in page


def test_nothing_found_offers_a_way_back(marketer_client, cohort):
    page = text_of(marketer_client, f"{LIST}?q=nothing")
    assert "Nothing found" in page
    assert "No cohorts yet" not in page


def test_empty_list_sends_administrators_to_the_partners_and_tells_marketers_whom_to_ask(
    administrator_client, marketer_client
):
    partners = f'href="{reverse("admin:technology_partners")}"'
    empty = [text_of(client, LIST) for client in (administrator_client, marketer_client)]
    assert all("No cohorts yet" in page for page in empty)
    assert [page.count("An administrator of this workspace can connect a partner.") for page in empty] == [
        0,
        1,
    ]
    assert [f"{partners}>Open" in page for page in empty] == [True, False]


def test_list_costs_the_same_for_1_and_50_cohorts(marketer_client, cohort):
    gone = ProfileFactory.create()
    change_members(cohort, [gone])
    erase(gone)
    one = len(queries_of(marketer_client, LIST))
    for other in CohortFactory.create_batch(49, members=[ProfileFactory.create(), gone]):
        CohortSyncFactory.create(cohort=other, received_count=1)
        SegmentFactory.create(definition=definition(cohorts(other.pk)))
    assert len(queries_of(marketer_client, LIST)) == one


def test_members_are_fetched_once_and_only_to_be_counted(marketer_client, cohort, monkeypatch):
    fetched = []
    read = history.of
    monkeypatch.setattr(history, "of", lambda **asked: fetched.append(asked) or read(**asked))
    CohortFactory.create_batch(3)
    for url in (LIST, page_of(cohort)):
        fetched.clear()
        queries = CaptureQueriesContext(connection)
        with queries:
            text_of(marketer_client, url)
        assert len(fetched) == 1
        assert [query for query in queries if '"cohorts_cohort"."snapshot",' in query["sql"]] == []


# --- deleted ones ------------------------------------------------------------------------------------------------
def test_deleted_cohorts_are_out_of_the_way_until_asked_for(marketer_client, cohort):
    CohortFactory.create(name="Gone", ignored_at=timezone.now())
    assert names_of(marketer_client) == {"Lapsed"}
    assert names_of(marketer_client, state="deleted") == {"Gone"}
    assert names_of(marketer_client, state="all") == {"Lapsed", "Gone"}
    assert "Gone Deleted" in plain(text_of(marketer_client, f"{LIST}?state=all"))


def test_where_all_are_deleted_the_empty_list_leads_to_them(marketer_client, workspace):
    link = 'href="?state=deleted">Show deleted cohorts'
    assert link not in text_of(marketer_client, LIST)
    CohortFactory.create(ignored_at=timezone.now())
    assert link in text_of(marketer_client, LIST)
