"""`POST /users/track` as programs speak to it: what is applied, what is refused, and how that is said."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import Scope
from profiles import tracking
from profiles.models import CustomEvent, Profile
from tests.accounts.factories import make_rest_key
from tests.api.clients import Wire
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db


class Tracker(Wire):
    """A program with a REST API key."""

    path = "/users/track"

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.headers = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}

    def send(self, body: Any, *, path: str = path, **more: Any) -> Any:
        """Send a body as it is; return status and answer."""
        answer = self.post(path, body, **self.headers | more)
        return answer.status_code, answer.json()

    def track(self, *attributes: Any, **arrays: Any) -> Any:
        return self.send(({"attributes": list(attributes)} if attributes else {}) | arrays)


@pytest.fixture
def tracker(workspace) -> Tracker:
    return Tracker(make_rest_key(workspace, Scope.USERS_TRACK)[1])


EVENT = {"external_id": "ann", "name": "signed_up", "time": "2026-01-31T09:30:00Z"}
PURCHASE = {
    "external_id": "ann",
    "product_id": "tea",
    "currency": "eur",
    "price": 2.5,
    "time": "2026-01-31T09:30:00Z",
}


def of(external_id: str) -> Profile:
    return Profile.objects.get(external_id=external_id)


# --- what is answered ------------------------------------------------------------------------------------------
def test_counts_come_for_the_arrays_that_were_sent(tracker):
    assert tracker.track({"external_id": "ann", "first_name": "Ann"}) == (
        201,
        {"message": "success", "attributes_processed": 1},
    )
    status, answer = tracker.track({"external_id": "ann"}, events=[EVENT, EVENT], purchases=[PURCHASE])
    assert status == 201
    assert answer == {
        "message": "success",
        "attributes_processed": 1,
        "events_processed": 2,
        "purchases_processed": 1,
    }
    assert of("ann").first_name == "Ann"
    assert CustomEvent.objects.get(name__name="signed_up").count == 2


def test_object_at_fault_is_listed_and_the_others_are_applied(tracker):
    status, answer = tracker.track(
        {"external_id": "ann", "gender": "X"},
        {"external_id": "ben"},
        events=[EVENT | {"name": 7}, EVENT],
        purchases=[PURCHASE | {"currency": "euro"}],
    )
    assert status == 201
    assert (answer["attributes_processed"], answer["events_processed"], answer["purchases_processed"]) == (
        *(1, 1, 0),
    )
    assert answer["errors"] == [
        {
            "type": "gender must be one of M, F, O, N, P.",
            "input_array": "attributes",
            "index": 0,
        },
        {"type": "name must be a string.", "input_array": "events", "index": 0},
        {
            "type": "currency must be a code of three letters, like EUR (ISO 4217).",
            "input_array": "purchases",
            "index": 0,
        },
    ]
    assert of("ann").gender == ""  # the event made her


def test_nothing_applied_is_400_with_every_fault(tracker):
    status, answer = tracker.track({"external_id": ""}, "no object", events=[{"external_id": "ann"}])
    assert status == 400
    assert answer["message"] == "Nothing was applied. external_id must not be blank."
    assert [(it["input_array"], it["index"]) for it in answer["errors"]] == [
        ("attributes", 0),
        ("attributes", 1),
        ("events", 0),
    ]
    assert not Profile.objects.exists()


def test_event_before_2010_is_dropped_and_counted(tracker):
    old = EVENT | {"time": "2009-12-31T23:59:59Z"}
    status, answer = tracker.track(events=[old, EVENT | {"time": "2010-01-01T00:00:00Z"}])
    assert status == 201
    assert (answer["events_processed"], answer["events_dropped"]) == (1, 1)
    assert answer["errors"] == [
        {"type": "time is before 2010-01-01T00:00:00Z: dropped.", "input_array": "events", "index": 0}
    ]


@pytest.mark.parametrize("array", ["attributes", "events", "purchases"])
def test_75_objects_of_an_array_are_taken_and_76_are_none(tracker, array):
    item = {"attributes": {"external_id": "ann"}, "events": EVENT, "purchases": PURCHASE}[array]
    assert tracker.send({array: [item] * 75})[1][f"{array}_processed"] == 75
    Profile.objects.all().update(external_id=None)
    status, answer = tracker.send(
        {array: [item] * 76, "attributes": [{"external_id": "x"}]} | {array: [item] * 76}
    )
    fault = f"{array} has 76 objects; 75 are allowed. Nothing was applied."
    assert status == 400
    assert answer == {
        "message": fault,
        "errors": [{"pointer": f"/{array}", "message": fault}],
        "error_count": 1,
    }
    assert not Profile.objects.filter(external_id="x").exists()


@pytest.mark.parametrize(
    "body", [{}, {"attributes": []}, {"attributes": None, "events": []}, {"api_key": "x"}]
)
def test_request_for_nothing_is_400(tracker, body):
    status, answer = tracker.send(body)
    assert status == 400
    assert "must be an array that is not empty" in answer["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"attributes": "x"}, "attributes must be an array of objects."),
        ({"attributes": [{"external_id": "x"}], "events": "x"}, "events must be an array of objects."),
        ([], "The body must be a JSON object."),
    ],
)
def test_malformed_request_is_400_and_applies_nothing(tracker, body, message):
    status, answer = tracker.send(body)
    assert (status, answer["message"]) == (400, message)
    assert not Profile.objects.exists()


def test_one_object_may_stand_without_its_array(tracker):
    status, answer = tracker.send({"attributes": {"external_id": "ann"}, "events": EVENT, "purchases": {}})
    assert (status, answer["attributes_processed"], answer["events_processed"]) == (201, 1, 1)
    assert [(it["input_array"], it["index"]) for it in answer["errors"]] == [("purchases", 0)]


def test_names_it_does_not_know_are_ignored(tracker):
    status, answer = tracker.track({"external_id": "ann"}, app_group_id="x", api_key="y", partner=3)
    assert (status, answer["attributes_processed"]) == (201, 1)


def test_user_who_does_not_exist_and_is_not_to_be_made_is_no_error(tracker):
    status, answer = tracker.track({"external_id": "ann", "_update_existing_only": True})
    assert (status, answer) == (201, {"message": "success", "attributes_processed": 0})


# --- who may, and how ---------------------------------------------------------------------------------------------
def test_key_without_the_scope_is_403_and_names_the_scope(workspace):
    status, answer = Tracker(make_rest_key(workspace, Scope.USERS_DELETE)[1]).track({"external_id": "ann"})
    assert status == 403
    assert "users.track" in answer["message"]
    assert not Profile.objects.exists()


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic cmM6eA=="])
def test_without_a_valid_key_it_is_401(db, header):
    http = Tracker("")
    http.headers = {"HTTP_AUTHORIZATION": header}
    status, answer = http.track({"external_id": "ann"})
    assert (status, set(answer)) == (401, {"message"})


def test_strangers_key_never_touches_this_workspace(tracker, workspace, other_workspace):
    ann = ProfileFactory.create(external_id="ann", email="ann@example.com", aliases=[("crm", "1")])
    stranger = Tracker(make_rest_key(other_workspace)[1])
    status, answer = stranger.track(
        {"external_id": "ann", "first_name": "Eve"},
        {"user_alias": {"alias_label": "crm", "alias_name": "1"}, "first_name": "Eve"},
        {"email": "ann@example.com", "first_name": "Eve"},
        {"profile_id": ann.pk, "first_name": "Eve"},
    )
    assert (status, answer["attributes_processed"], answer["errors"][0]["index"]) == (201, 1, 3)
    assert Profile.objects.get(workspace=workspace).first_name == ""
    assert Profile.objects.get(workspace=other_workspace).first_name == "Eve"


def test_path_answers_with_a_slash_and_to_post_alone(tracker):
    assert tracker.send({"attributes": [{"external_id": "ann"}]}, path="/users/track/")[0] == 201
    answer = tracker.http.get("/users/track")
    assert (answer.status_code, answer.json()) == (405, {"message": 'Method "GET" not allowed.'})


def test_gzip_is_taken(tracker):
    body = gzip.compress(json.dumps({"attributes": [{"external_id": "ann"}]}).encode())
    assert tracker.send(body, HTTP_CONTENT_ENCODING="gzip")[0] == 201


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (b"{", {}, 400),
        (b'{"attributes": [{"external_id": "a\\u0000"}]}', {}, 400),
        (b"{}", {"content_type": "text/plain"}, 415),
        (b"[" * 20_000_000, {}, 413),
    ],
)
def test_body_that_is_no_json_is_refused_in_the_same_shape(tracker, body, more, status):
    answer = tracker.post(tracker.path, body, **tracker.headers | more)
    assert answer.status_code == status
    assert set(answer.json()) == {"message"}


def test_too_many_calls_are_429_with_retry_after(tracker, settings):
    settings.CALLS_PER_MINUTE = 1
    assert tracker.track({"external_id": "ann"})[0] == 201
    answer = tracker.post(tracker.path, {"attributes": [{"external_id": "ben"}]}, **tracker.headers)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "message" in answer.json()


def test_database_away_is_503_with_retry_after(tracker, monkeypatch):
    def fail(**_arguments: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(tracking, "track", fail)
    answer = tracker.post(tracker.path, {"attributes": [{"external_id": "ben"}]}, **tracker.headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
