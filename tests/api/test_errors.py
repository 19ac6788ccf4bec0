"""Every error in its protocol's shape, never HTML, never a bare 500; and everything that is passing is 503."""

from __future__ import annotations

import json
import time
import types

import psycopg
import pytest
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from redis.exceptions import ConnectionError as RedisAwayError

from accounts.models import Integration
from cohorts import imports, membership
from cohorts.models import Cohort
from profiles import bitmaps
from tests.accounts.factories import make_key
from tests.api.clients import Mixpanel, page_body

pytestmark = pytest.mark.django_db


def shape_of(answer) -> str:
    """Return which protocol's error an answer is."""
    assert answer["Content-Type"] == "application/json", answer["Content-Type"]
    body = answer.json()
    if "error" in body:
        assert set(body) == {"action", "status", "error"}
        assert body["status"] == "failure"
        assert set(body["error"]) <= {"message", "code", "faults", "fault_count"}
        assert type(body["error"]["code"]) is int
        assert body["error"]["code"] == answer.status_code
        assert body["error"]["message"]
        return "webhook"
    assert set(body) <= {"message", "errors", "error_count"}
    assert body["message"]
    return "partner"


@pytest.fixture(params=["partner", "webhook"])
def call(request, partner, mixpanel):
    """A function that makes one good call of a protocol, with HTTP options; checks the shape of its errors."""

    def call(**more):
        if request.param == "partner":
            body = partner.secrets | {"cohort_id": "c", "cohort_changes": [{"user_ids": ["ann"]}]}
            answer = partner.post(partner.path + "/users", body, **more)
        else:
            answer = mixpanel.send(page_body(["ann"], action="add_members"), **more)
        if answer.status_code >= 400:
            assert shape_of(answer) == request.param
        return answer

    return call


# --- the person must act -----------------------------------------------------------------------------------
def test_good_call_is_2xx(call):
    assert call().status_code in {200, 201}


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "text/json", "multipart/form-data; boundary=x", ""],
)
def test_other_content_type_is_415(call, kind):
    assert call(content_type=kind).status_code == 415


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"]
)
def test_json_is_json_with_parameters_too(call, kind):
    assert call(content_type=kind).status_code in {200, 201}


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense", "", "image/png;q=x"])
def test_accept_header_is_no_reason_to_refuse(call, accept):
    assert call(HTTP_ACCEPT=accept).status_code in {200, 201}


@pytest.mark.parametrize("query", ["format=xml", "format=api", "a=%00", "%ff"])
def test_query_string_is_no_reason_to_refuse(call, query):
    assert call(QUERY_STRING=query).status_code in {200, 201}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["webhook", "cohorts", "cohorts/users"])
def test_other_method_is_405_in_the_protocols_shape(mixpanel, method, path):
    answer = getattr(mixpanel.http, method)(f"/partners/mixpanel/{path}", **mixpanel.headers)
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert shape_of(answer) == ("webhook" if path == "webhook" else "partner")


@pytest.mark.parametrize(
    "path",
    [
        "/partners/mixpanel/webhok",
        "/partners/mixpanel",
        "/partners/Mixpanel/cohorts",
        "/nothing",
        "/partners/segment/webhook",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_address_is_404_and_never_html(path, method):
    answer = getattr(Client(raise_request_exception=False), method)(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] in {"application/json", "application/problem+json"}
    assert answer.json()["status"] == 404


def test_wrong_host_is_400_and_never_html(call):
    answer = Client(raise_request_exception=False).post(
        "/partners/mixpanel/webhook", HTTP_HOST="evil.example"
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("language", ["fr", "de"])
def test_messages_are_english_whatever_the_client_reads(call, language):
    answer = call(content_type="text/plain", HTTP_ACCEPT_LANGUAGE=language)
    assert "Unsupported media type" in answer.content.decode()


# --- the action is echoed ----------------------------------------------------------------------------------
def test_success_echoes_the_action(mixpanel):
    for action in ("members", "add_members", "remove_members"):
        assert mixpanel.page([], action=action).json() == {"action": action, "status": "success"}


@pytest.mark.parametrize(
    ("body", "action"),
    [
        ({"action": "dance", "parameters": {}}, "dance"),
        ({"action": "members"}, "members"),
        ({"action": 7}, None),
        ({"parameters": {}}, None),
        ([], None),
        (None, None),
        ("members", None),
        (b'{"action": "members"', None),
        (b"", None),
    ],
)
def test_failure_echoes_the_action_or_null(mixpanel, body, action):
    answer = mixpanel.send(body)
    assert answer.status_code == 400
    assert shape_of(answer) == "webhook"
    assert answer.json()["action"] == action


def test_refused_key_echoes_the_action_too(mixpanel):
    answer = mixpanel.send(page_body([]), HTTP_AUTHORIZATION="Bearer wrong")
    assert (answer.status_code, answer.json()["action"]) == (401, "members")


# --- passing: 503 and 429 with Retry-After -----------------------------------------------------------------
def test_integration_off_is_503_with_retry_after(call):
    Integration.objects.update(is_enabled=False)
    answer = call()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert not Cohort.objects.exists()


def test_redis_away_is_503_with_retry_after(call, settings, monkeypatch):
    def away(*_args, **_more):
        raise RedisAwayError("Error 111 connecting to 10.0.0.5:6379")

    settings.CALLS_PER_MINUTE = 5
    monkeypatch.setattr(cache, "get", away)
    answer = call()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert b"10.0.0.5" not in answer.content


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("where", ["connect", "apply"])
def test_database_away_is_503_with_retry_after(call, monkeypatch, error, where):
    def away(*args, **kwargs):
        raise error("secret.host.example refused ann")

    if where == "connect":
        monkeypatch.setattr(BaseDatabaseWrapper, "cursor", away)
    else:
        monkeypatch.setattr(imports, "_receive", away)
    answer = call()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "secret.host" not in answer.content.decode()


@pytest.mark.postgresql
def test_connection_lost_in_a_statement_past_the_orm_is_503(call, monkeypatch):
    def lost(*args, **kwargs):
        raise psycopg.errors.AdminShutdown("terminating connection due to administrator command")

    monkeypatch.setattr(bitmaps, "psycopg", types.SimpleNamespace(Cursor=lost))
    assert call().status_code == 503


def test_database_lost_while_members_are_stored_is_503_and_changes_nothing(call, people, monkeypatch):
    def lost(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(membership, "append", lost)
    assert call().status_code == 503
    assert not Cohort.objects.exists()


def test_fault_of_ours_is_500_in_the_protocols_shape(call, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("a secret of ann")

    monkeypatch.setattr(imports, "apply", broken)
    answer = call()
    assert answer.status_code == 500
    assert "ann" not in answer.content.decode()


def test_blob_of_a_newer_release_is_500_and_says_nothing_of_members(mixpanel, people):
    mixpanel.replace(["ann"])
    Cohort.objects.update(snapshot=b"\x09" + bitmaps.pack(bitmaps.BitMap([1]))[1:])
    answer = mixpanel.page(["ben"])
    assert answer.status_code == 500
    assert shape_of(answer) == "webhook"


def test_too_many_calls_are_429_with_retry_after(call, settings):
    settings.CALLS_PER_MINUTE = 2
    statuses = [call().status_code for _ in range(3)]
    assert statuses[:2] in ([200, 200], [201, 201])
    assert statuses[2] == 429
    answer = call()
    assert 0 < int(answer["Retry-After"]) <= 60
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("2", "0")
    assert 0 <= int(answer["X-RateLimit-Reset"]) - time.time() <= 60


def test_keys_do_not_throttle_each_other(call, mixpanel, workspace, settings):
    settings.CALLS_PER_MINUTE = 1
    assert mixpanel.add().status_code == 200
    assert mixpanel.add().status_code == 429
    assert Mixpanel(make_key(workspace)[1]).add().status_code == 200


def test_answers_are_not_cached_and_load_nothing(call):
    answer = call()
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Request-Id"]
    assert "Set-Cookie" not in answer
    assert json.loads(answer.content)
