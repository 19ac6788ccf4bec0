"""The lines of the logs: what they carry, and what they leave out."""

from __future__ import annotations

import json
import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q import conf as django_q_conf

from cohorts import imports
from cohorts.models import CohortSync
from profiles.models import Profile
from tests.profiles.factories import make_people

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def lines(logs_witness):
    """A function that returns the lines of a logger."""
    return lambda logger: [
        line for line in map(json.loads, logs_witness.lines) if line["logger"].startswith(logger)
    ]


def last(lines):
    return lines("rollcall.request")[-1]


# --- the id of a request --------------------------------------------------------------------------------------
@pytest.mark.parametrize("proposed", [UUID, UUID.replace("-", "")])
def test_random_id_of_a_proxy_is_kept(client, lines, proposed):
    answer = client.get("/livez", headers={"X-Request-Id": proposed})
    assert answer["X-Request-Id"] == last(lines)["request_id"] == proposed


@pytest.mark.parametrize(
    "proposed",
    [
        "",
        "kim-4711",
        "kim@people.example",
        UUID + "x",
        UUID[:-1],
        f" {UUID}",
        f"{UUID}\n",
        UUID.upper(),
        "0" * 31 + "٣",
        "a" * 10_000,
        '{"a": 1}',
    ],
)
def test_id_that_could_say_anything_is_replaced(client, lines, proposed):
    answer = client.get("/livez", HTTP_X_REQUEST_ID=proposed)
    assert answer["X-Request-Id"] == last(lines)["request_id"] != proposed
    assert len(answer["X-Request-Id"]) == 32


def test_every_request_has_an_id_of_its_own(client, lines):
    client.get("/livez")
    client.get("/livez")
    first, second = lines("rollcall.request")
    assert first["request_id"] != second["request_id"]


# --- key and sync ---------------------------------------------------------------------------------------------
@pytest.fixture
def mixpanel(data_import_key):
    """Speaks the webhook with a valid key."""
    from tests.api.clients import Mixpanel

    return Mixpanel(data_import_key[1])


def test_lines_of_an_import_carry_key_and_sync(mixpanel, data_import_key, workspace, lines):
    make_people(workspace, ["kim-4711"])
    mixpanel.page(["kim-4711"], page=(1, 2), session="s")
    first = last(lines)
    mixpanel.page(["kim-4711"], page=(2, 2), session="s")
    assert first["key"] == data_import_key[0].prefix
    assert first["sync"] == last(lines)["sync"] == CohortSync.objects.get().pk


def test_line_of_a_fault_carries_them_too(mixpanel, data_import_key, monkeypatch, lines):
    def fail(*_args, **_more):
        raise ZeroDivisionError("kim-4711")

    monkeypatch.setattr(imports, "_keep", fail)
    mixpanel.add("kim-4711")
    (fault,) = lines("rollcall.api")
    assert (fault["exception"], fault["key"]) == ("ZeroDivisionError", data_import_key[0].prefix)
    assert fault["sync"] == last(lines)["sync"]
    assert fault["request_id"] == last(lines)["request_id"]


def test_rest_key_is_carried(client, workspace, lines):
    from tests.accounts.factories import make_rest_key

    key, secret = make_rest_key(workspace)
    client.get("/cohorts", headers={"Authorization": f"Bearer {secret}"})
    assert last(lines)["key"] == key.prefix


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["kim-4711", "rc_kim-4711-and-more"])
def test_what_is_no_key_of_ours_is_not_carried(client, lines, secret):
    client.post("/partners/mixpanel/webhook", HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert "key" not in last(lines)


def test_request_carries_nothing_of_the_one_before(mixpanel, client, lines):
    mixpanel.add("kim-4711")
    client.get("/livez")
    assert not {"key", "sync"} & set(last(lines))


# --- values ---------------------------------------------------------------------------------------------------
FAILED_TASK = """Failed 'accounts.tasks.beat' (ten-yankee) - Key (key)=(e:kim-4711) already exists - really
 : Traceback (most recent call last):
  File "/srv/django_q/worker.py", line 109, in worker
    res = f(*task["args"], **task["kwargs"])
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/accounts/tasks.py", line 12, in beat
    heartbeat.beat(now=timezone.now())
django.db.utils.IntegrityError: duplicate key
DETAIL:  Key (key)=(e:kim-4711) already exists.
kim-4711: again
"""


def test_task_that_failed_is_told_by_class_and_places(lines):
    django_q_conf.logger.error(FAILED_TASK)
    (line,) = lines("django-q")
    assert line["event"] == "Failed 'accounts.tasks.beat' (ten-yankee)"
    assert line["exception"] == "django.db.utils.IntegrityError"
    assert line["places"] == ["/srv/django_q/worker.py:109 worker", "/srv/accounts/tasks.py:12 beat"]
    assert "kim-4711" not in json.dumps(line)


def test_what_the_worker_says_otherwise_stands_as_it_is(lines):
    django_q_conf.logger.info("Processed 'accounts.tasks.beat' - ten")
    assert lines("django-q")[0]["event"] == "Processed 'accounts.tasks.beat' - ten"


def test_query_of_an_address_is_cut_from_what_the_web_server_says(lines):
    logging.getLogger("gunicorn.error").error("Error handling request %s", "/cohorts?external_id=kim-4711")
    assert lines("gunicorn.error")[0]["event"] == "Error handling request /cohorts"


@pytest.mark.django_db
def test_statements_are_never_logged_with_their_values(lines):
    with CaptureQueriesContext(connection):  # what DEBUG does
        list(Profile.objects.filter(external_id="kim-4711"))
    assert lines("django.db") == []
