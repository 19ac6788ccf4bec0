"""Audience > Cohorts: who may look, exact sizes, and what a cohort's page says of its syncs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cohorts import membership
from cohorts.models import CohortDelta, CohortSync
from tests.accounts.factories import UserFactory
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members, make_hourly
from tests.profiles.factories import ProfileFactory, make_people

LIST = reverse("admin:cohorts_cohort_changelist")
ADD = reverse("admin:cohorts_cohort_add")
FOUND, FORBIDDEN = 302, 403


def page_of(cohort):
    return reverse("admin:cohorts_cohort_change", args=[cohort.pk])


def text_of(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def plain(page):
    """Return the text of a page without markup, so that a promise reads as people read it."""
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def names_of(client, **query):
    return {cohort.name for cohort in client.get(LIST, query).context["cl"].result_list}


def queries_of(client, url):
    client.get(url)  # what is cached once per process is not the page's cost
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def fold(cohort):
    with transaction.atomic():
        membership.compact(
            cohort=membership.lock(cohort.workspace_id, cohort.partner, cohort.partner_cohort_id)
        )


@pytest.fixture
def cohort(workspace):
    return CohortFactory.create(
        name="Lapsed",
        partner_cohort_id="mp-77",
        description="Nobody saw them for 90 days.",
        last_sync_at=timezone.now() - timedelta(hours=3),
        created_at=timezone.now() - timedelta(days=2),
        members=ProfileFactory.create_batch(3),
    )


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_see_the_list_and_the_page(request, persona, cohort):
    client = request.getfixturevalue(persona)
    assert "Lapsed" in text_of(client, LIST)
    assert "Nobody saw them for 90 days." in text_of(client, page_of(cohort))


def test_strangers_see_no_cohort_and_no_partner(stranger_client, cohort):
    page = text_of(stranger_client, LIST)
    assert "Lapsed" not in page
    assert "Mixpanel" not in plain(page)
    response = stranger_client.get(page_of(cohort), follow=True)
    assert response.redirect_chain == [(reverse("admin:index"), FOUND)]
    assert "Lapsed" not in response.content.decode()


def test_who_is_not_logged_in_is_asked_to(client, cohort):
    for url in (LIST, page_of(cohort)):
        response = client.get(url)
        assert (response.status_code, response["Location"]) == (FOUND, f"/admin/login/?next={url}")


def test_staff_without_a_role_see_no_cohorts(client_of, workspace, cohort):
    client = client_of(UserFactory.create(workspaces=[workspace]))
    assert [client.get(url).status_code for url in (LIST, page_of(cohort))] == [FORBIDDEN, FORBIDDEN]


def test_nobody_adds_or_changes_cohorts(client_of, administrator, marketer, cohort):
    for user in (administrator, marketer, UserFactory.create(operator=True)):
        client = client_of(user)
        answers = [client.get(ADD), client.post(ADD), client.post(page_of(cohort))]
        assert [response.status_code for response in answers] == [FORBIDDEN] * 3
        assert 'name="_save"' not in text_of(client, page_of(cohort))
        assert 'name="action"' not in text_of(client, LIST)


# --- one cohort --------------------------------------------------------------------------------------------------
def test_page_shows_size_share_and_origin(marketer_client, cohort, workspace):
    make_people(workspace, [f"other-{n}" for n in range(2997)])
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "Users now 3 0.1% of all 3,000 users Sent by Mixpanel – No member was received yet." in page
    assert "Last sync 3 hours ago" in page
    assert "Partner Mixpanel Partner’s ID mp-77 Created by the partner The partner did not say." in page


def test_page_says_why_the_partner_has_another_number(marketer_client, cohort):
    full = {"received_count": 9170, "matched_count": 8482, "unknown_count": 600, "invalid_count": 88}
    later = {"received_count": 20, "matched_count": 17, "entered_count": 15, "left_count": 2}
    running = {"received_count": 1000, "matched_count": 1000}
    CohortSyncFactory.create(cohort=cohort, **full)
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert (
        "Sent by Mixpanel 9,170 in the latest full sync, now Matched 8,482 92.5% of them 600 unknown 88 invalid"
        in page
    )
    assert "since that sync" not in page
    CohortSyncFactory.create(cohort=cohort, action=CohortSync.Action.ADD_MEMBERS, **later)
    CohortSyncFactory.create(cohort=cohort, unfinished=True, **running)
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "Sent by Mixpanel 9,170 in the latest full sync" in page
    assert "15 entered and 2 left since that sync" in page


def test_page_tells_of_the_latest_sync_if_none_was_full(marketer_client, cohort):
    for received in (7, 20):
        CohortSyncFactory.create(
            cohort=cohort, action=CohortSync.Action.CHANGES, received_count=received, matched_count=received
        )
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "Sent by Mixpanel 20 in the latest sync, now Matched 20 100% of them" in page


def test_page_shows_how_each_sync_went(marketer_client, cohort):
    sync = CohortSyncFactory.create(
        cohort=cohort,
        received_count=1500,
        matched_count=1400,
        unknown_count=60,
        identified_count=30,
        invalid_count=5,
        entered_count=1200,
        left_count=7,
        total_pages=2,
        pages_count=2,
    )
    page = text_of(marketer_client, page_of(cohort))
    assert reverse("admin:cohorts_cohortsync_change", args=[sync.pk]) in page
    expected = "Full sync Complete 2 of 2 1,500 1,400 60 unknown 30 identified: use the external ID 5 invalid 1,200 7 now under a second"
    assert expected in plain(page)


def test_added_and_removed_show_a_dash_until_they_are_counted(marketer_client, cohort):
    assert "Add members Complete 1 of 1 0 0 0 – – now under a second" in plain(
        text_of(marketer_client, page_of(cohort))
    )
    fold(cohort)
    assert "Add members Complete 1 of 1 0 0 0 3 0 now under a second" in plain(
        text_of(marketer_client, page_of(cohort))
    )


def test_page_shows_the_latest_10_syncs_newest_first(marketer_client, cohort):
    syncs = CohortSyncFactory.create_batch(25, cohort=cohort)
    page = text_of(marketer_client, page_of(cohort))
    shown = [int(pk) for pk in re.findall(r"/cohortsync/(\d+)/change/", page)]
    assert shown == [sync.pk for sync in reversed(syncs)][:10]


def test_page_shows_whom_the_latest_sync_did_not_reach_and_why(marketer_client, cohort):
    CohortSyncFactory.create(cohort=cohort, unmatched_sample=[{"identifier": "old-one", "reason": "unknown"}])
    reasons = ["unknown", "identified_use_external_id", "invalid"]
    sample = [{"identifier": f"who-{reason}", "reason": reason} for reason in reasons]
    CohortSyncFactory.create(
        cohort=cohort, unmatched_sample=[*sample, {"identifier": "", "reason": "invalid"}]
    )
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "who-unknown Unknown: no user here has this identifier." in page
    assert "who-identified_use_external_id This device belongs to a user with an external ID" in page
    assert "who-invalid Invalid: empty, or a word" in page
    assert "(none) Invalid" in page
    assert "old-one" not in page


def test_page_says_how_the_size_went_and_who_entered_and_left(marketer_client, cohort):
    people = ProfileFactory.create_batch(2)
    change_members(cohort, people, now=timezone.now() - timedelta(days=1))
    change_members(cohort, people[:1], kind=CohortDelta.Kind.REMOVED, now=timezone.now() - timedelta(days=1))
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "Size over time 4 users now · +4 since" in page
    assert "Entered and left per day 5 users entered and 1 left in these days." in page


@pytest.mark.parametrize(("query", "days"), [("", 90), ("?days=30", 30), ("?days=400", 400), ("?days=7", 90)])
def test_days_of_the_charts_can_be_chosen(marketer_client, cohort, query, days):
    page = text_of(marketer_client, page_of(cohort) + query)
    assert f'aria-current="page">{days} days</a>' in page
    assert f"Users in this cohort by day, last {days} days" in page
    assert len(set(re.findall(r' id="([^"]*)"', page))) == len(re.findall(r' id="([^"]*)"', page))


def test_cohort_that_was_only_named_has_a_page_too(marketer_client, workspace):
    cohort = CohortFactory.create(name="Named only")
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "Users now 0" in page
    assert "the partner named this cohort and sent no members so far" in page


def test_markup_in_what_partners_send_stays_text(marketer_client, workspace):
    evil = "<script>alert(1)</script>"
    cohort = CohortFactory.create(name=evil, description=evil, partner_cohort_id=evil)
    sample = [{"identifier": evil, "reason": "unknown"}]
    CohortSyncFactory.create(cohort=cohort, unmatched_sample=sample, last_error=evil, session_id=evil)
    sync = CohortSync.objects.get()
    pages = [LIST, page_of(cohort), reverse("admin:cohorts_cohortsync_change", args=[sync.pk])]
    assert [url for url in pages if evil in text_of(marketer_client, url)] == []


def test_page_costs_the_same_for_1_and_50_syncs(marketer_client, cohort):
    one = len(queries_of(marketer_client, page_of(cohort)))
    CohortSyncFactory.create_batch(49, cohort=cohort)
    assert len(queries_of(marketer_client, page_of(cohort))) == one


def test_numbers_are_written_in_the_readers_language(marketer_client, cohort, workspace):
    make_people(workspace, [f"other-{n}" for n in range(2997)])
    page = marketer_client.get(page_of(cohort), headers={"accept-language": "de"}).content.decode()
    assert "3.000" in page
    assert "vor 3 Stunden" in plain(page).replace("\xa0", " ")


# --- freshness -------------------------------------------------------------------------------------------------
def silent_for(hours, name):
    return make_hourly(silence=timedelta(hours=hours), name=name)


def test_list_says_how_fresh_each_cohort_is_in_words(marketer_client, workspace):
    silent_for(0, "a"), silent_for(3, "b"), silent_for(5, "c"), CohortFactory.create(name="d")
    CohortSyncFactory.create(cohort__name="e")
    page = text_of(marketer_client, LIST)
    tags = re.findall(r'<span class="rc-tag ([\w-]*)" title="([^"]+)">([^<]+)</span>', page)
    assert {(kind, label) for kind, _title, label in tags} == {
        ("rc-tag-good", "Fresh"),
        ("rc-tag-warn", "Late"),
        ("rc-tag-bad", "Stale"),
        ("", "No sync yet"),
        ("", "One-time"),
    }
    titles = {label: title for _kind, title, label in tags}
    assert "twice the expected interval of 1\xa0hour" in titles["Late"]


def test_list_is_filtered_by_freshness(marketer_client, workspace, other_workspace):
    silent_for(0, "a"), silent_for(3, "b"), silent_for(5, "c")
    make_hourly(silence=timedelta(hours=5), name="theirs", workspace=other_workspace)
    assert names_of(marketer_client, freshness="stale") == {"c"}
    assert names_of(marketer_client, freshness="fresh") == {"a"}
    assert names_of(marketer_client, freshness="off") == set()
    assert names_of(marketer_client, freshness="nonsense") == {"a", "b", "c"}


def test_cohorts_page_says_how_fresh_it_is_and_why(marketer_client, workspace):
    text = plain(text_of(marketer_client, page_of(silent_for(5, "Lapsed"))))
    assert "Freshness Stale Out of date since " in text
    assert "no sync came for four times the expected interval of 1\xa0hour".replace("\xa0", " ") in text
