"""What `/metrics` counts of calls: by endpoints, never by what callers choose; members once, when they are kept."""

from __future__ import annotations

import pytest

from accounts.metrics import MEASURED
from cohorts import metrics as metrics_of_cohorts
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db


def counted(name, **labels):
    return MEASURED.get_sample_value(name, labels) or 0


# --- requests ------------------------------------------------------------------------------------------------
def test_requests_are_counted_by_endpoint_method_and_status(scrape, client):
    labels = {"endpoint": "config.health.livez", "method": "GET"}
    before = counted("rollcall_requests_total", **labels, status="200")
    client.get("/livez")
    client.get("/livez")
    value = scrape()
    assert value("rollcall_requests_total", **labels, status="200") == before + 2
    assert value("rollcall_request_duration_seconds_count", **labels) >= 2
    assert value("rollcall_request_duration_seconds_bucket", **labels, le="+Inf") >= 2


def test_address_with_and_without_slash_is_one_endpoint(mixpanel, scrape):
    labels = {"endpoint": "cohorts.api.views.WebhookView", "method": "POST", "status": "200"}
    before = counted("rollcall_requests_total", **labels)
    mixpanel.add("ann")
    mixpanel.path += "/"
    mixpanel.add("ann")
    assert scrape()("rollcall_requests_total", **labels) == before + 2


def test_what_callers_choose_makes_no_series(scrape, client, mixpanel):
    def choose(number):
        client.get(f"/somewhere-{number}?number={number}")
        client.generic(f"BREW{number}", "/livez")
        client.post(f"/partners/somebody-{number}/cohorts", "{}", content_type="application/json")
        client.get(f"/admin/x/{number}/")

    def series_of_requests():
        return {it for it in scrape().all if it[0].startswith("rollcall_request")}

    choose(0)
    scrape()  # which is a request too
    before = series_of_requests()
    for number in range(1, 21):
        choose(number)
    assert series_of_requests() == before
    value = scrape()
    assert value("rollcall_requests_total", endpoint="(none)", method="GET", status="404") >= 20
    assert (
        value("rollcall_requests_total", endpoint="config.health.livez", method="(other)", status="405") >= 20
    )
    assert not [labels for _name, labels in value.all if "somebody" in str(labels) or "BREW" in str(labels)]


# --- imports -------------------------------------------------------------------------------------------------
def members(partner="mixpanel"):
    unmatched = [
        counted("rollcall_members_unmatched_total", partner=partner, reason=reason)
        for reason in ("unknown", "identified_use_external_id", "invalid")
    ]
    received, matched = (
        counted(f"rollcall_members_{name}_total", partner=partner) for name in ("received", "matched")
    )
    return received, matched, *unmatched


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """A context in which what waits for a commit is done, and which tells how members were counted meanwhile."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def change_of(before):
    return tuple(now - then for now, then in zip(members(), before, strict=True))


def test_members_are_counted_by_how_they_fared(mixpanel, people, committed):
    ProfileFactory.create(devices=["phone"])
    before = members()
    with committed():
        mixpanel.add("ann", "ben", "nobody", {"mixpanel_distinct_id": "null"}, {"$device_id": "phone"})
    assert change_of(before) == (5, 2, 1, 1, 1)


def test_page_that_comes_again_or_is_refused_is_not_counted(mixpanel, people, committed):
    with committed():
        mixpanel.page(["ann"], action="add_members", session="s")
    before = members()
    with committed():
        mixpanel.page(["ann"], action="add_members", session="s")
        mixpanel.add("x" * 300, 7)
        mixpanel.send(b"{")
    assert change_of(before) == (0, 0, 0, 0, 0)


def test_page_is_not_counted_before_it_is_committed(mixpanel, people, django_capture_on_commit_callbacks):
    before = members()
    with django_capture_on_commit_callbacks(execute=False) as waiting:
        mixpanel.add("ann")
    assert change_of(before) == (0, 0, 0, 0, 0)
    assert waiting


def test_fault_of_the_metrics_costs_no_page(mixpanel, people, committed, monkeypatch):
    monkeypatch.setattr(metrics_of_cohorts, "RECEIVED", None)
    with committed():
        assert mixpanel.add("ann").status_code == 200


def test_sync_is_timed_from_its_first_page_to_its_last(mixpanel, people, committed):
    name = "rollcall_sync_duration_seconds_count"
    before = counted(name, action="members")
    with committed():
        mixpanel.page(["ann"], page=(1, 2), session="s")
    assert counted(name, action="members") == before
    with committed():
        mixpanel.page(["ben"], page=(2, 2), session="s")
    assert counted(name, action="members") == before + 1
    with committed():
        mixpanel.page(["ben"], page=(2, 2), session="s")
    assert counted(name, action="members") == before + 1


def test_calls_of_the_partner_protocol_are_counted_and_have_no_length(partner, people, committed):
    before = counted("rollcall_sync_duration_seconds_count", action="changes")
    received = members()[0]
    with committed():
        partner.change({"user_ids": ["ann", "ben"]})
    assert members()[0] == received + 2
    assert counted("rollcall_sync_duration_seconds_count", action="changes") == before
