"""Through the real endpoints: every refusal is kept with its reason and nobody's data, every call is counted."""

from __future__ import annotations

import gzip
import json

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import calls, keys
from accounts.models import Integration, KeyCalls, RejectedCall
from tests.accounts.factories import make_key, make_rest_key
from tests.api.clients import Partner, page_body

pytestmark = pytest.mark.django_db
Cause = calls.Cause
# Whatever is put where something else belongs: an address, a name, a number, an id.
PERSONAL = ["kim@people.example", "Kimberly Whitfield", "4915112345678", "kim-4711"]


def kept() -> RejectedCall:
    return RejectedCall.objects.get()


def tally() -> tuple[int, int]:
    """Return calls and refused calls of all keys."""
    rows = list(KeyCalls.objects.values_list("call_count", "refused_count"))
    return sum(row[0] for row in rows), sum(row[1] for row in rows)


# --- every status ------------------------------------------------------------------------------------------
def test_good_call_is_counted_and_leaves_no_refusal(knock, data_import_key):
    assert knock(data_import_key[1]).status_code in {200, 201}
    assert tally() == (1, 0)
    assert not RejectedCall.objects.exists()


def test_401_of_an_unknown_key_is_nobody_s(knock, endpoint, workspace):
    assert knock("rc_abcd1234-made-up", REMOTE_ADDR="192.0.2.7").status_code == 401
    row = kept()
    assert (row.workspace, row.cause, row.key_prefix) == (None, Cause.UNKNOWN_KEY, "rc_abcd1234")
    assert (row.partner, row.endpoint, row.address) == ("mixpanel", endpoint, "192.0.2.7")
    assert row.body_bytes > 10
    assert tally() == (0, 0)


def test_401_of_an_invalidated_key_is_its_workspace_s(knock, data_import_key, workspace, administrator):
    key, secret = data_import_key
    keys.invalidate(key=key, by=administrator, now=timezone.now())
    for _ in range(2):
        assert knock(secret).status_code == 401
    row = kept()
    assert (row.workspace, row.cause, row.key_prefix) == (workspace, Cause.INVALIDATED_KEY, key.prefix)
    assert row.call_count == 2
    assert tally() == (0, 0)


def test_401_with_the_beginning_of_a_key_alone_is_nobody_s(knock, data_import_key):
    key, secret = data_import_key
    assert knock(secret[:-1]).status_code == 401
    assert (kept().workspace, kept().key_prefix) == (None, key.prefix)


def test_401_of_another_partner_s_key_is_its_workspace_s(knock, workspace):
    key, secret = make_key(workspace, "segment")
    assert knock(secret).status_code == 401
    row = kept()
    assert (row.workspace, row.cause, row.key_prefix) == (workspace, Cause.OTHER_PARTNERS_KEY, key.prefix)


def test_401_of_a_rest_api_key_is_kept_as_an_unknown_key(knock, workspace):
    key, secret = make_rest_key(workspace)
    assert knock(secret).status_code == 401
    assert (kept().workspace, kept().cause, kept().key_prefix) == (None, Cause.UNKNOWN_KEY, key.prefix)


def test_401_of_a_wrong_partner_api_key_is_its_workspace_s(partner, data_import_key, workspace):
    Integration.objects.update(partner_api_key_digest=keys.digest_of("right"))
    assert partner.name().status_code == 401
    row = kept()
    assert (row.workspace, row.cause, row.key_prefix) == (
        workspace,
        Cause.WRONG_PARTNER_KEY,
        data_import_key[0].prefix,
    )


def test_401_without_a_key_says_so(knock, endpoint, workspace):
    knock("", body={"cohort_id": "c"}, HTTP_AUTHORIZATION="")
    assert (kept().status, kept().cause, kept().key_prefix) == (401, Cause.NO_KEY, "")


@pytest.mark.parametrize("header", ["Basic !", "Basic bm90IGEga2V5", "Bearer my-own-password"])
def test_401_keeps_nothing_of_what_is_no_key(mixpanel, header):
    assert mixpanel.send(page_body([]), HTTP_AUTHORIZATION=header).status_code == 401
    assert (kept().cause, kept().key_prefix) == (Cause.UNKNOWN_KEY, "")


def test_400_is_kept_with_the_place_of_the_first_fault(mixpanel, data_import_key, workspace):
    assert mixpanel.page(["ann", 7]).status_code == 400
    row = kept()
    assert (row.workspace, row.status, row.cause) == (workspace, 400, Cause.BAD_BODY)
    assert row.reason == "/parameters/members/1: A member must be an object."
    assert row.key_prefix == data_import_key[0].prefix
    assert tally() == (1, 1)


def test_413_is_kept(knock, endpoint, data_import_key, workspace, settings):
    settings.MAX_BODY_BYTES = 20
    assert knock(data_import_key[1]).status_code == 413
    assert (kept().status, kept().cause) == (413, Cause.BODY_TOO_LARGE)
    # The partner protocol has its key in the body, which nobody read.
    assert kept().workspace == (workspace if endpoint == "webhook" else None)


@pytest.mark.parametrize("more", [{"content_type": "text/kim"}, {"HTTP_CONTENT_ENCODING": "kim"}])
def test_415_is_kept_without_what_the_header_said(knock, data_import_key, more):
    assert knock(data_import_key[1], **more).status_code == 415
    assert (kept().status, kept().cause) == (415, Cause.NOT_JSON)
    assert "kim" not in kept().reason


def test_429_is_kept_as_one_row_and_counted(knock, data_import_key, workspace, settings):
    settings.CALLS_PER_MINUTE = 1
    statuses = [knock(data_import_key[1]).status_code for _ in range(4)]
    assert statuses[1:] == [429] * 3
    rows = RejectedCall.objects.all()
    assert {(row.workspace, row.status, row.cause) for row in rows} == {
        (workspace, 429, Cause.TOO_MANY_CALLS)
    }
    assert sum(row.call_count for row in rows) == 3
    assert len(rows) <= 2  # the minute may end meanwhile
    assert tally() == (4, 3)


def test_call_that_is_put_off_is_neither_kept_nor_counted(knock, data_import_key):
    Integration.objects.update(is_enabled=False)
    assert knock(data_import_key[1]).status_code == 503
    assert tally() == (0, 0)
    assert not RejectedCall.objects.exists()


def test_other_method_and_unknown_address_are_no_partner_s_call(mixpanel):
    assert mixpanel.http.get(mixpanel.path).status_code == 405
    assert mixpanel.post("/partners/Mixpanel/cohorts", {}).status_code == 404
    assert not RejectedCall.objects.exists()


# --- nobody's data -----------------------------------------------------------------------------------------
def _spoiled(value):
    """Yield good bodies in which one place holds the value."""
    for path in (
        ("action",),
        ("parameters",),
        ("parameters", "mixpanel_cohort_id"),
        ("parameters", "mixpanel_session_id"),
        ("parameters", "page_info"),
        ("parameters", "page_info", "total_pages"),
        ("parameters", "page_info", "page_count"),
        ("parameters", "members"),
        ("parameters", "members", 0),
        (value,),
    ):
        body = page_body(["ann"], page=(1, 2))
        place = body
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        yield body


def _changes(value):
    """Yield cohort changes in which one place holds the value."""
    yield from (value, [value], {value: value}, [{value: value}], [[value]])
    for name in ("user_ids", "device_ids", "aliases", "should_remove"):
        yield [{"user_ids": [], name: value}]
        yield [{"user_ids": [], name: {value: value}}]
    yield [{"user_ids": [{value: value}]}]
    yield [{"aliases": [value]}]
    yield [{"aliases": [{"alias_name": {value: value}, "alias_label": value}]}]


@pytest.mark.parametrize("value", PERSONAL)
def test_no_reason_holds_what_somebody_sent(mixpanel, partner, value, monkeypatch):
    monkeypatch.setattr(calls, "MAX_ROWS_A_MINUTE", 1_000)
    statuses = [mixpanel.send(body).status_code for body in _spoiled(value)]
    statuses += [partner.change(cohort_changes=changes).status_code for changes in _changes(value)]
    for name in ("cohort_id", "name", "created_at", "partner_api_key"):
        for odd in (value, {value: value}, [value], value * 300):
            statuses.append(partner.name(**{name: odd}).status_code)
    text = json.dumps(value)
    for raw in (
        text,
        f"{{{text}: {text}",
        f"{{{text}: 1, {text}: 2}}",
        f'{{"a": {text}]}}',
        value,
        text[:-1],
    ):
        statuses.append(mixpanel.send(raw.encode()).status_code)
        statuses.append(partner.post(partner.path, raw.encode()).status_code)
    statuses.append(mixpanel.send(value.encode(), HTTP_CONTENT_ENCODING="gzip").status_code)
    statuses.append(mixpanel.send(gzip.compress(value.encode()), HTTP_CONTENT_ENCODING="gzip").status_code)
    statuses.append(mixpanel.send({}, HTTP_AUTHORIZATION=f"Bearer {value}").status_code)
    statuses.append(Partner(value).name().status_code)
    assert statuses.count(400) > 40
    kept = str(list(RejectedCall.objects.values()))
    assert value not in kept
    assert value[:8] not in kept


def test_long_reason_is_cut(mixpanel, monkeypatch):
    monkeypatch.setattr("cohorts.api.partner_view._reason", lambda *_: "x" * 1_000)
    assert mixpanel.page([7]).status_code == 400
    assert kept().reason == "x" * 300


# --- cost and failure --------------------------------------------------------------------------------------
def test_keeping_costs_the_same_whatever_the_body_holds(mixpanel):
    costs = []
    for size in (10, 1_000):
        body = page_body([7] * size)
        mixpanel.send(body)
        with CaptureQueriesContext(connection) as captured:
            assert mixpanel.send(body).status_code == 400
        costs.append(len(captured))
    assert costs[0] == costs[1]


def test_answer_is_the_same_when_nothing_can_be_kept(knock, data_import_key, monkeypatch):
    def away(*_args):
        raise OperationalError

    monkeypatch.setattr(calls, "_execute", away)
    assert knock(data_import_key[1]).status_code in {200, 201}
    assert knock("rc_unknown").status_code == 401
