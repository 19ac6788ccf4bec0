"""Partner integrations > Import history: every count explained, missing pages named, nobody else's syncs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pyroaring import BitMap

from accounts import admin_paginator
from cohorts import admin_syncs
from cohorts.models import CohortSync
from profiles import bitmaps
from tests.accounts.factories import UserFactory
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members
from tests.cohorts.test_admin import FORBIDDEN, FOUND, fold, plain, queries_of, text_of
from tests.profiles.factories import ProfileFactory

LIST = reverse("admin:cohorts_cohortsync_changelist")
ADD = reverse("admin:cohorts_cohortsync_add")
Status, Action = CohortSync.Status, CohortSync.Action


def page_of(sync):
    return reverse("admin:cohorts_cohortsync_change", args=[sync.pk])


def shown(client, **query):
    return [sync.pk for sync in client.get(LIST, query).context["cl"].result_list]


def unfinished(pages, total, **more):
    seen = BitMap(pages)
    return CohortSync(
        status=Status.RUNNING, pages=bitmaps.pack(seen), pages_count=len(seen), total_pages=total, **more
    )


@pytest.fixture
def sync(workspace):
    return CohortSyncFactory.create(
        cohort=CohortFactory.create(name="Lapsed"),
        received_count=1500,
        matched_count=1400,
        unknown_count=40,
        identified_count=30,
        invalid_count=5,
        entered_count=1200,
        left_count=7,
    )


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_see_the_history_and_its_pages(request, persona, sync):
    client = request.getfixturevalue(persona)
    assert "Lapsed" in text_of(client, LIST)
    assert "Lapsed" in text_of(client, page_of(sync))


def test_strangers_see_no_sync_and_no_partner(stranger_client, sync):
    page = text_of(stranger_client, LIST)
    assert "Lapsed" not in page
    assert "Mixpanel" not in plain(page)
    response = stranger_client.get(page_of(sync), follow=True)
    assert response.redirect_chain == [(reverse("admin:index"), FOUND)]
    assert "Lapsed" not in response.content.decode()


def test_strangers_cannot_ask_for_a_cohort_by_its_number(stranger_client, sync):
    assert shown(stranger_client, cohort__id__exact=sync.cohort_id) == []


def test_who_is_not_logged_in_is_asked_to(client, sync):
    for url in (LIST, page_of(sync)):
        response = client.get(url)
        assert (response.status_code, response["Location"]) == (FOUND, f"/admin/login/?next={url}")


def test_staff_without_a_role_see_no_syncs(client_of, workspace, sync):
    client = client_of(UserFactory.create(workspaces=[workspace]))
    assert [client.get(url).status_code for url in (LIST, page_of(sync))] == [FORBIDDEN, FORBIDDEN]


def test_nobody_adds_changes_or_deletes_syncs(client_of, administrator, marketer, sync):
    delete = reverse("admin:cohorts_cohortsync_delete", args=[sync.pk])
    for user in (administrator, marketer, UserFactory.create(operator=True)):
        client = client_of(user)
        answers = [
            client.get(ADD),
            client.post(ADD),
            client.post(page_of(sync)),
            client.post(delete, {"post": "yes"}),
        ]
        assert [response.status_code for response in answers] == [FORBIDDEN] * 4
        assert 'name="_save"' not in text_of(client, page_of(sync))
        assert 'name="action"' not in text_of(client, LIST)


# --- the list --------------------------------------------------------------------------------------------------
def test_list_says_in_one_line_how_a_sync_went(marketer_client, sync):
    expected = "Lapsed Full sync Complete 1 of 1 1,500 1,400 75 +1,200 / −7 now"
    assert expected in plain(text_of(marketer_client, LIST))


def test_list_begins_with_the_sync_heard_of_last(marketer_client, sync):
    earlier = CohortSyncFactory.create(started_at=timezone.now() - timedelta(days=2))
    later = CohortSyncFactory.create(started_at=timezone.now() + timedelta(seconds=1))
    assert shown(marketer_client) == [later.pk, sync.pk, earlier.pk]


def test_filters_keep_status_action_partner_and_cohort(marketer_client, sync):
    readers = CohortFactory.create(name="Readers", partner="segment")
    other = CohortSyncFactory.create(cohort=readers, action=Action.CHANGES, unfinished=True)
    for query in (
        {"status__exact": "running"},
        {"action__exact": "changes"},
        {"partner": "segment"},
        {"cohort__id__exact": readers.pk},
        {"q": "read"},
    ):
        assert shown(marketer_client, **query) == [other.pk]


def test_partners_of_other_workspaces_are_not_offered(marketer_client, sync, other_workspace):
    CohortSyncFactory.create(cohort=CohortFactory.create(workspace=other_workspace, partner="amplitude"))
    page = plain(text_of(marketer_client, LIST))
    assert "By partner All Mixpanel" in page
    assert "Amplitude" not in page


def test_empty_history_says_what_will_be_here(marketer_client):
    assert "Nothing was imported yet" in text_of(marketer_client, LIST)


def test_long_history_is_counted_up_to_a_limit_and_says_so(marketer_client, sync, monkeypatch):
    CohortSyncFactory.create_batch(60, cohort=sync.cohort)
    assert "61 in all" in plain(text_of(marketer_client, LIST))
    monkeypatch.setattr(admin_paginator, "MAX_ROWS", 55)
    page = plain(text_of(marketer_client, LIST))
    assert "the newest 55" in page
    assert "Older syncs are found with the filters and the search." in page
    counts = [sql for sql in queries_of(marketer_client, LIST) if "COUNT(" in sql]
    assert len(counts) == 1
    assert "LIMIT 55" in counts[0]


def test_list_costs_the_same_for_1_and_50_syncs_and_fetches_no_members(marketer_client, sync):
    one = queries_of(marketer_client, LIST)
    for _n in range(49):
        CohortSyncFactory.create(unmatched_sample=[{"identifier": "x", "reason": "unknown"}] * 50)
    fifty = queries_of(marketer_client, LIST)
    assert len(fifty) == len(one)
    heavy = ('"snapshot"', '"unmatched_sample"', '"pages",')
    assert [sql for sql in fifty if any(column in sql for column in heavy)] == []


# --- one sync --------------------------------------------------------------------------------------------------
def test_page_explains_every_count(marketer_client, sync):
    page = plain(text_of(marketer_client, page_of(sync)))
    for expected in (
        "Received 1,500",
        "Matched 1,400",
        "Unmatched 75",
        "Repeats 25 received, less matched and unmatched",
        "Added 1,200",
        "Removed 7",
        "Unknown 40 Identified: use the external ID 30 Invalid 5",
    ):
        assert expected in page


def test_changes_are_a_dash_with_a_reason_until_they_are_counted(marketer_client, workspace):
    cohort = CohortFactory.create()
    sync = change_members(cohort, [ProfileFactory.create()])
    hint = "Added – Counted when the sync is complete, or within a minute."
    assert hint in plain(text_of(marketer_client, page_of(sync)))
    assert "+0" not in plain(text_of(marketer_client, LIST))
    fold(cohort)
    assert "Added 1 " in plain(text_of(marketer_client, page_of(sync)))


def test_full_sync_that_waits_changes_nothing_and_says_so(marketer_client, workspace):
    sync = CohortSyncFactory.create(unfinished=True)
    page = plain(text_of(marketer_client, page_of(sync)))
    assert "Waiting for pages" in page
    assert "Added – Nothing changes until all pages are here." in page


def test_page_names_the_missing_pages(marketer_client, workspace):
    seen = bitmaps.pack(BitMap([1, 2, 7, 9]))
    sync = CohortSyncFactory.create(
        status=Status.EXPIRED, total_pages=12, pages_count=4, pages=seen, finished_at=None
    )
    page = plain(text_of(marketer_client, page_of(sync)))
    assert "Pages 4 of 12 Missing pages 3–6, 8, 10–12" in page


@pytest.mark.parametrize(
    ("seen", "total", "missing"),
    [
        ([], 1, "1"),
        ([], 5, "1–5"),
        ([1, 3], 3, "2"),
        ([2], 3, "1, 3"),
        ([1, 2, 9], 3, "3"),
        ([1, 2], 2, ""),
        ([5], None, ""),
    ],
)
def test_missing_pages_are_written_as_ranges(seen, total, missing):
    assert admin_syncs.missing_pages(unfinished(seen, total)) == missing


def test_missing_pages_of_an_absurd_total_are_named_at_once():
    assert admin_syncs.missing_pages(unfinished([1], 4_000_000_000)) == "2–4,000,000,000"
    every_other = admin_syncs.missing_pages(unfinished(range(1, 2_000, 2), 2_000))
    assert every_other.startswith("2, 4, 6, ")
    assert every_other.endswith(", 40 and more")


def test_complete_sync_misses_no_page(sync):
    assert admin_syncs.missing_pages(sync) == ""


def test_page_shows_the_sample_with_reasons_and_when_it_goes(marketer_client, sync):
    sync.unmatched_sample = [{"identifier": "who?", "reason": "identified_use_external_id"}]
    sync.save()
    page = plain(text_of(marketer_client, page_of(sync)))
    assert "who? This device belongs to a user with an external ID: send the external ID." in page
    assert "it is deleted 30 days after the sync’s last page" in page


def test_page_tells_an_expired_sample_from_nobody_unmatched(marketer_client, sync):
    assert "The sample has expired: it is kept for 30 days." in text_of(marketer_client, page_of(sync))
    all_matched = CohortSyncFactory.create(matched_count=3)
    assert "None: every member matched a user." in text_of(marketer_client, page_of(all_matched))


def test_page_costs_the_same_for_1_and_50_unmatched(marketer_client, sync):
    one = len(queries_of(marketer_client, page_of(sync)))
    sync.unmatched_sample = [{"identifier": f"x{n}", "reason": "unknown"} for n in range(50)]
    sync.save()
    assert len(queries_of(marketer_client, page_of(sync))) == one
