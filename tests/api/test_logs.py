"""Members' e-mails, names and ids never reach a log, whatever goes wrong."""

from __future__ import annotations

import io
import logging

import pytest
from django.db import OperationalError

from cohorts import imports, membership
from tests import log_witness
from tests.api.clients import page_body
from tests.profiles.factories import make_people

pytestmark = pytest.mark.django_db
SECRETS = [
    "kim-4711",
    "kim@people.example",
    "Kimberly",
    "Whitfield",
    "+4915112345678",
    "kims-phone",
    "kims-alias",
]
MEMBER = {
    "mixpanel_distinct_id": "kim-4711",
    "email": "kim@people.example",
    "first_name": "Kimberly",
    "last_name": "Whitfield",
    "phone_number": "+4915112345678",
    "$device_id": "kims-phone",
}


@pytest.fixture
def log():
    """All that is logged, formatted as in production, from the lowest level up."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log_witness.production_formatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def failing(error):
    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.fixture
def calls(partner, mixpanel):
    """Makes calls of every kind about one person, good and bad."""

    def calls():
        change = {
            "user_ids": ["kim-4711"],
            "device_ids": ["kims-phone"],
            "aliases": [{"alias_label": "l", "alias_name": "kims-alias"}],
        }
        yield mixpanel.page([MEMBER], mixpanel_cohort_name="Whitfield")
        yield mixpanel.add(MEMBER)
        yield mixpanel.page([MEMBER, "x", 7])
        yield mixpanel.send(str(page_body([MEMBER])).encode())
        yield mixpanel.send(page_body([MEMBER]), HTTP_AUTHORIZATION="Bearer kim-4711")
        yield mixpanel.send(page_body([MEMBER]), content_type="text/plain")
        yield mixpanel.send(page_body([MEMBER]), QUERY_STRING="id=kim-4711")
        yield mixpanel.http.post(
            "/partners/mixpanel/kim-4711", page_body([MEMBER]), content_type="application/json"
        )
        yield mixpanel.http.post(
            "/partners/kim-4711/cohorts", page_body([MEMBER]), content_type="application/json"
        )
        yield partner.change(change, cohort_id="kims-alias")
        yield partner.change(change | {"should_remove": "Kimberly"})
        yield partner.change(change | {"user_ids": ["kim-4711", 7]})
        yield partner.name("kims-alias", "Kimberly", created_at="Whitfield")

    return calls


def assert_silent(stream) -> None:
    text = stream.getvalue()
    assert text.count('"event": "request"') >= 13
    assert [line for line in text.splitlines() if any(secret in line for secret in SECRETS)] == []


def test_no_member_is_named_in_any_log(calls, log, workspace):
    make_people(workspace, ["kim-4711"])
    statuses = {answer.status_code for answer in calls()}
    assert statuses >= {200, 201, 400, 401, 404, 415}
    assert_silent(log)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Key (key)=(e:kim-4711) already exists for kim@people.example"),
        OperationalError("DETAIL: kim-4711"),
        KeyError("kim@people.example"),
    ],
)
@pytest.mark.parametrize("where", [(imports, "_match"), (imports, "_receive"), (membership, "lock")])
def test_no_member_is_named_when_something_breaks(calls, log, workspace, monkeypatch, error, where):
    monkeypatch.setattr(*where, failing(error))
    statuses = {answer.status_code for answer in calls()}
    assert statuses & {500, 503}
    assert_silent(log)


def test_fault_of_ours_says_where_it_happened(mixpanel, log, monkeypatch):
    monkeypatch.setattr(imports, "apply", failing(ZeroDivisionError("kim-4711")))
    mixpanel.add(MEMBER)
    text = log.getvalue()
    assert "ZeroDivisionError" in text
    assert "views.py" in text
    assert "kim-4711" not in text


def test_key_is_never_logged(mixpanel, data_import_key, log):
    mixpanel.add()
    assert data_import_key[1] not in log.getvalue()
