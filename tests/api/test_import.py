"""`POST /import` as Mixpanel's clients call it: what is taken, and what is answered."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.db import OperationalError

from accounts.models import Scope
from profiles import event_import
from profiles.models import EventReceipt
from tests.accounts.factories import make_rest_key
from tests.api.clients import Wire, basic
from tests.profiles.event_data import TIME, exported, lines, totals
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db
LINES = "application/x-ndjson"
FORM = "application/x-www-form-urlencoded"
NONE = {"duplicates": 0, "too_old": 0, "unknown_users": 0, "invalid": 0}


class Importer(Wire):
    """A program with a REST API key."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret

    def send(
        self, body: Any, *, query: str = "?strict=1&project_id=7", path: str = "/import", **more: Any
    ) -> Any:
        """Send a body as it is; return status and answer."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.secret}"} | more
        answer = self.post(path + query, body, **headers)
        return answer.status_code, answer.json()


@pytest.fixture
def importer(workspace) -> Importer:
    ProfileFactory.create(external_id="ann")
    return Importer(make_rest_key(workspace, Scope.EVENTS_IMPORT)[1])


# --- what is taken --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/import", "/import/"])
def test_an_array_of_events_is_imported(importer, path):
    assert importer.send([exported(), exported(time=TIME + 1)], path=path) == (
        200,
        {"code": 200, "status": "OK", "num_records_imported": 2, **NONE},
    )
    assert totals() == {("ann", "Signed up"): 2}


@pytest.mark.parametrize("media_type", [LINES, f"{LINES}; charset=utf-8"])
def test_lines_of_json_are_imported(importer, media_type):
    body = b"\n" + lines(exported(), exported(time=TIME + 1)).replace(b"\n", b"\r\n") + b"  \n"
    status, answer = importer.send(body, content_type=media_type)
    assert (status, answer["num_records_imported"]) == (200, 2)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("application/json", json.dumps([exported()]).encode()), (LINES, lines(exported()))],
)
def test_gzip_is_read(importer, media_type, body):
    status, answer = importer.send(gzip.compress(body), content_type=media_type, HTTP_CONTENT_ENCODING="gzip")
    assert (status, answer["num_records_imported"]) == (200, 1)


@pytest.mark.parametrize("events", [exported(name="Größe"), [exported(name="Größe")]])
def test_a_form_with_json_in_it_is_imported_and_answered_with_a_number(importer, events):
    body = urlencode({"data": json.dumps(events), "verbose": 1, "ip": 0}).encode()
    status, answer = importer.send(body, content_type=FORM, query="")
    assert (status, answer["status"], answer["num_records_imported"]) == (200, 1, 1)
    assert totals() == {("ann", "Größe"): 1}


def test_the_most_events_are_imported_and_one_more_is_refused(importer):
    events = [exported(time=TIME + it) for it in range(2_001)]
    assert importer.send(events[:2_000])[1]["num_records_imported"] == 2_000
    status, answer = importer.send(events)
    assert status == 413
    assert answer["error"] == "The request holds 2,001 events; 2,000 are allowed. Send them in several."
    assert totals() == {("ann", "Signed up"): 2_000}


def test_more_bytes_than_allowed_are_refused(importer, settings):
    settings.MAX_BODY_BYTES = 1_000
    body = lines(*[exported(time=TIME + it) for it in range(20)])
    for sent, more in ((body, {}), (gzip.compress(body), {"HTTP_CONTENT_ENCODING": "gzip"})):
        status, answer = importer.send(sent, content_type=LINES, **more)
        assert (status, answer["code"]) == (413, 413)
    assert totals() == {}


@pytest.mark.parametrize(("media_type", "body"), [("application/json", b"[]"), (LINES, b"\n")])
def test_no_events_are_imported(importer, media_type, body):
    assert importer.send(body, content_type=media_type) == (
        200,
        {"code": 200, "status": "OK", "num_records_imported": 0, **NONE},
    )


# --- what is answered -----------------------------------------------------------------------------------------
def test_every_event_is_accounted_for(importer):
    events = [exported(), exported(), exported(time=5), exported(distinct_id="x"), exported(distinct_id="")]
    assert importer.send(events) == (
        200,
        {
            "code": 200,
            "status": "OK",
            "num_records_imported": 1,
            "duplicates": 1,
            "too_old": 1,
            "unknown_users": 2,
            "invalid": 0,
        },
    )


@pytest.mark.parametrize("query", ["", "?strict=1"])
def test_strictly_those_at_fault_are_named_while_the_others_are_imported(importer, query):
    events = [exported(time="soon", **{"$insert_id": "i-1"}), exported()]
    status, answer = importer.send(events, query=query)
    assert status == 400
    message = answer["failed_records"][0].pop("message")
    assert message == "must be a number: seconds or milliseconds since 1970 (UTC)."
    assert answer == {
        "code": 400,
        "error": "some data points in the request failed validation",
        "status": "Bad Request",
        **NONE,
        "num_records_imported": 1,
        "invalid": 1,
        "failed_records": [{"index": 0, "insert_id": "i-1", "field": "properties.time"}],
    }
    assert totals() == {("ann", "Signed up"): 1}


def test_leniently_those_at_fault_are_named_all_the_same(importer):
    status, answer = importer.send([exported(), exported(name="")], query="?strict=0")
    assert (status, answer["num_records_imported"], answer["invalid"]) == (200, 1, 1)
    assert [it["index"] for it in answer["failed_records"]] == [1]


def test_a_line_that_is_no_json_is_a_fault_of_its_own(importer):
    status, answer = importer.send(b"{oops\n" + lines(exported()), content_type=LINES)
    assert (status, answer["num_records_imported"]) == (400, 1)
    assert answer["failed_records"][0]["message"].startswith("Malformed JSON")


@pytest.mark.parametrize(
    ("body", "more", "error"),
    [
        (b"[{", {}, "Malformed JSON"),
        (b"7", {}, "The body must be an array of events, or an event."),
        (b"x=1", {"content_type": FORM}, "The form's field data must be events as JSON."),
        (b"data=%7B", {"content_type": FORM}, "The form's field data must be events as JSON."),
        (b"data=7", {"content_type": FORM}, "The body must be an array of events, or an event."),
        (b"&".join([b"a=1"] * 30), {"content_type": FORM}, "The form's field data must be events as JSON."),
        (b"[]", {"query": "?strict=2"}, "The parameter strict must be 0 or 1."),
        (b"", {}, "The body must be an array of events, or an event."),
        (b"{}", {}, "The body must be an array of events, or an event."),
        (b"", {"content_type": FORM}, "The"),
        (b"x", {"HTTP_CONTENT_ENCODING": "gzip"}, "The body is not"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_as_a_whole(importer, body, more, error):
    status, answer = importer.send(body, **more)
    assert (status, answer["code"], answer["status"]) == (400, 400, "Bad Request")
    assert answer["error"].startswith(error)


def test_other_media_types_are_refused(importer):
    status, answer = importer.send(b"<x/>", content_type="text/xml")
    assert (status, answer["status"]) == (415, "Unsupported Media Type")


def test_an_event_sent_again_after_an_answer_that_was_lost_counts_once(importer):
    for expected in (1, 0):
        assert importer.send([exported()])[1]["num_records_imported"] == expected
    assert totals() == {("ann", "Signed up"): 1}


def test_a_database_that_is_away_imports_nothing_and_is_asked_again(importer, monkeypatch):
    def away(**_more: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(event_import.events, "record_each", away)
    answer = importer.post("/import", [exported()], HTTP_AUTHORIZATION=f"Bearer {importer.secret}")
    assert (answer.status_code, answer.json()["code"]) == (503, 503)
    assert answer["Retry-After"]
    assert not EventReceipt.objects.exists()


# --- who may --------------------------------------------------------------------------------------------------
def test_the_key_is_taken_in_every_way_that_clients_send_it(importer):
    secret = importer.secret
    ways = [
        f"Bearer {secret}",
        basic(secret),
        "Basic " + base64.b64encode(f"{secret}:".encode()).decode(),
    ]
    for number, way in enumerate(ways):
        status, answer = importer.send([exported(time=TIME + number)], HTTP_AUTHORIZATION=way)
        assert (status, answer["num_records_imported"]) == (200, 1)


def test_without_a_key_nothing_is_read(importer):
    status, answer = importer.send([exported()], HTTP_AUTHORIZATION="")
    assert (status, answer["code"], answer["status"]) == (401, 401, "Unauthorized")
    status, _ = importer.send([exported()], HTTP_AUTHORIZATION="Bearer wrong")
    assert status == 401
    assert totals() == {}


def test_a_key_without_the_scope_is_refused(importer, workspace):
    importer.secret = make_rest_key(workspace, Scope.USERS_TRACK)[1]
    status, answer = importer.send([exported()])
    assert (status, answer["status"]) == (403, "Forbidden")
    assert "events.import" in answer["error"]


def test_a_strangers_key_reaches_nobody_here(importer, other_workspace):
    importer.secret = make_rest_key(other_workspace, Scope.EVENTS_IMPORT)[1]
    assert importer.send([exported()])[1]["unknown_users"] == 1
    assert totals() == {}


def test_nothing_personal_is_logged(importer, caplog):
    importer.send(
        [exported(distinct_id="ann@example.com", time="soon"), exported(distinct_id="ann@example.com")]
    )
    assert "ann" not in caplog.text


@pytest.mark.parametrize("number", [1, 300])
def test_queries_do_not_grow_with_the_events(importer, workspace, number, django_assert_max_num_queries):
    make_people(workspace, [f"p{it}" for it in range(20)])
    events = [exported(f"e{it}", f"p{it % 20}", TIME + it) for it in range(number)]
    body = orjson.dumps(events)
    with django_assert_max_num_queries(16):
        assert importer.send(body)[1]["num_records_imported"] == number
