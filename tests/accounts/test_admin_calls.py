"""Partner integrations > Rejected calls: for administrators, each with what it means and what helps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import admin_calls, admin_paginator, calls
from accounts.admin_call_cells import WORDS, meaning_of
from accounts.models import RejectedCall
from tests.accounts.factories import UserFactory, make_key, make_rejection

LIST = reverse("admin:accounts_rejectedcall_changelist")
Cause = calls.Cause


def page_of(call: RejectedCall) -> str:
    return reverse("admin:accounts_rejectedcall_change", args=[call.pk])


def shown(client, query: str = "") -> list[RejectedCall]:
    return list(client.get(LIST + query).context["cl"].result_list)


def recent(reader, workspace, partner: str = "mixpanel") -> dict:
    request = RequestFactory().get("/")
    request.user = reader
    return admin_calls.recent_rejections(request, workspace, partner)


@pytest.fixture
def call(workspace) -> RejectedCall:
    return make_rejection(workspace)


# --- who may -----------------------------------------------------------------------------------------------
def test_administrator_sees_list_and_page(administrator_client, call):
    assert shown(administrator_client) == [call]
    page = administrator_client.get(page_of(call)).text
    for words in ("Invalidated key", "rc_abcd1234…", "192.0.2.7", "webhook", "was not kept"):
        assert words in page
    assert "Rejected calls" in administrator_client.get(reverse("admin:index")).text


def test_marketer_and_anonymous_see_nothing_of_it(marketer_client, client, call):
    for url in (LIST, page_of(call)):
        assert marketer_client.get(url).status_code == 403
        assert client.get(url).headers["Location"].startswith("/admin/login/")
    assert "Rejected calls" not in marketer_client.get(reverse("admin:index")).text


def test_stranger_sees_the_own_workspace_s_alone(stranger_client, call, other_workspace):
    nobodys = make_rejection(None)
    own = make_rejection(other_workspace)
    assert shown(stranger_client) == [own]
    for other in (call, nobodys):
        assert stranger_client.get(page_of(other)).status_code == 302


def test_calls_with_nobody_s_key_are_the_operator_s_where_there_are_several_workspaces(
    client_of, administrator_client, workspace, other_workspace
):
    nobodys = make_rejection(None)
    assert shown(administrator_client) == []
    assert shown(client_of(UserFactory.create(operator=True))) == [nobodys]


def test_administrator_of_the_only_workspace_sees_calls_with_nobody_s_key(administrator_client, workspace):
    nobodys = make_rejection(None)
    assert shown(administrator_client) == [nobodys]
    assert "no key of any workspace" in administrator_client.get(page_of(nobodys)).text


def test_nobody_adds_changes_or_deletes_one(client_of, call):
    client = client_of(UserFactory.create(operator=True))
    for url in (page_of(call), page_of(call).replace("change", "delete"), LIST + "add/"):
        assert client.post(url, {"status": 200, "post": "yes"}).status_code == 403
    assert RejectedCall.objects.get() == call


# --- the list ----------------------------------------------------------------------------------------------
def test_latest_comes_first(administrator_client, workspace):
    now = timezone.now()
    ages = [3, 1, 2]
    made = {age: make_rejection(workspace, now=now - timedelta(hours=age)) for age in ages}
    assert {call.pk for call in shown(administrator_client)} == {
        call.pk for call in RejectedCall.objects.all()
    }
    assert [call.last_at for call in shown(administrator_client)] == [
        now - timedelta(hours=age) for age in sorted(made)
    ]


def test_calls_are_found_by_answer_partner_and_key(administrator_client, workspace, call):
    other = make_rejection(
        workspace, partner="segment", status=429, cause=Cause.TOO_MANY_CALLS, key_prefix="rc_wxyz9876"
    )
    make_key(workspace, "segment")
    for query in ("?status=429", "?partner=segment", "?q=rc_wxyz9876", "?q=rc_wx", "?q=+rc_wxyz9876…"):
        assert shown(administrator_client, query) == [other]
    assert ">Segment<" in administrator_client.get(LIST).text.replace(" ", "").replace("\n", "")
    assert shown(administrator_client, "?status=200") == shown(administrator_client)
    assert "Nothing found" in administrator_client.get(LIST + "?q=rc_nobody").text


def test_filter_offers_no_partner_of_other_workspaces(administrator_client, other_workspace, call):
    make_key(other_workspace, "hightouch")
    assert "?partner=hightouch" not in administrator_client.get(LIST).text


def test_invalidated_key_that_still_calls_is_told_with_what_helps(administrator_client, call):
    page = administrator_client.get(LIST).text
    for words in (
        "Mixpanel still calls with the invalidated key rc_abcd1234…",
        "Mixpanel pauses the sync until you act. Enter a valid data import key at Mixpanel.",
    ):
        assert words in page


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_meaning_and_what_helps(cause, workspace):
    assert set(WORDS) == set(Cause)
    meaning = meaning_of(make_rejection(workspace, cause=cause))
    assert meaning.happened
    assert meaning.helps
    assert "{" not in meaning.happened + meaning.helps


def test_what_follows_is_said_of_mixpanel_alone(workspace):
    too_many = make_rejection(workspace, status=429, cause=Cause.TOO_MANY_CALLS)
    malformed = make_rejection(workspace, status=400, cause=Cause.BAD_BODY)
    too_large = make_rejection(workspace, status=413, cause=Cause.BODY_TOO_LARGE)
    others = make_rejection(workspace, partner="segment")
    assert "tries again" in meaning_of(too_many).follows
    assert "pauses" in meaning_of(malformed).follows
    assert [meaning_of(call).follows for call in (too_large, others)] == ["", ""]


def test_calls_of_a_minute_are_one_row_with_their_number(administrator_client, workspace):
    now = timezone.now()
    for _ in range(3):
        make_rejection(workspace, now=now)
    assert len(shown(administrator_client)) == 1
    assert "3 calls in this minute" in administrator_client.get(LIST).text


def test_what_partners_sent_is_shown_as_text(administrator_client, workspace):
    made = make_rejection(workspace, reason="<b>bold</b>")
    for url in (LIST, page_of(made)):
        page = administrator_client.get(url).text
        assert "&lt;b&gt;bold" in page
        assert "<b>bold" not in page


def test_empty_list_says_what_will_be_here_and_for_how_long(administrator_client, settings):
    settings.REJECTED_CALL_DAYS = 12
    page = administrator_client.get(LIST).text
    assert "No call was refused" in page
    assert "12 days" in page


def test_long_list_is_counted_up_to_a_limit(administrator_client, workspace, monkeypatch):
    monkeypatch.setattr(admin_paginator, "MAX_ROWS", 3)
    for number in range(4):
        make_rejection(workspace, address=f"192.0.2.{number}")
    page = administrator_client.get(LIST)
    assert page.context["cl"].result_count == 3
    assert "Older calls are found" in page.text


def test_list_costs_the_same_for_1_and_50_calls(administrator_client, workspace, call):
    administrator_client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        administrator_client.get(LIST)
    now = timezone.now()
    for number in range(49):
        make_rejection(workspace, now=now - timedelta(hours=1, minutes=number))
    with CaptureQueriesContext(connection) as fifty:
        assert len(shown(administrator_client)) == 50
    assert len(fifty) == len(one)


# --- the panel of a partner's page -------------------------------------------------------------------------
def test_panel_has_the_latest_of_the_partner_and_leads_to_all(administrator, workspace):
    now = timezone.now()
    make_rejection(workspace, partner="segment")
    for hours in range(7):
        make_rejection(workspace, now=now - timedelta(hours=hours))
    known = recent(administrator, workspace)
    assert [call.last_at for call, _meaning in known["rejections"]] == [
        now - timedelta(hours=hours) for hours in range(admin_calls.SHOWN)
    ]
    panel = render_to_string("accounts/recent_rejections.html", known)
    assert f'href="{LIST}?partner=mixpanel"' in panel
    assert panel.count("Enter a valid data import key at Mixpanel.") == admin_calls.SHOWN


def test_panel_forgets_what_is_older_than_a_week(administrator, workspace):
    make_rejection(workspace, now=timezone.now() - timedelta(days=8))
    known = recent(administrator, workspace)
    assert known["rejections"] == []
    assert render_to_string("accounts/recent_rejections.html", known).strip() == ""


def test_panel_is_for_those_who_may_see_rejected_calls(marketer, stranger, workspace, other_workspace, call):
    assert recent(marketer, workspace) == {}
    assert recent(stranger, other_workspace)["rejections"] == []


def test_panel_costs_one_query_more_than_whom_to_show(administrator, workspace, call):
    recent(administrator, workspace)
    with CaptureQueriesContext(connection) as one:
        recent(administrator, workspace)
    for number in range(4):
        make_rejection(workspace, address=f"192.0.2.{number}")
    with CaptureQueriesContext(connection) as five:
        assert len(recent(administrator, workspace)["rejections"]) == 5
    assert len(five) == len(one)
