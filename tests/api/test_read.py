"""The read API of segments and cohorts, where both are alike: who may read, and how what makes no sense is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts.models import Scope
from tests.accounts.factories import make_key, make_rest_key
from tests.api.clients import Rest, Wire
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
SCOPES = {"segments": Scope.SEGMENTS_READ, "cohorts": Scope.COHORTS_READ}
ONE = ("", "/size", "/members", "/members/contains?external_id=ann")
# Every endpoint; {id} is that of the fixture's segment, or of its cohort.
ALL = [f"/{kind}{path}" for kind in SCOPES for path in ("", *(f"/{{id}}{one}" for one in ONE))]
WITH_ID = [path for path in ALL if "{id}" in path]
PAGED = [path for path in ALL if path.endswith("s")]

every_endpoint = pytest.mark.parametrize("path", ALL)


@pytest.fixture
def ids(workspace) -> dict[str, int]:
    """One cohort with one member, and the segment of it."""
    cohort = CohortFactory.create(members=[ProfileFactory.create(external_id="ann")])
    segment = SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    return {"cohorts": cohort.pk, "segments": segment.pk}


def kind_of(path: str) -> str:
    return path.split("/")[1]


@pytest.fixture
def read(workspace, ids):
    """A function that reads an endpoint with a key that allows it and nothing else, or with another one."""

    def read(path: str, secret: str = "", **query: Any) -> Any:
        secret = secret or make_rest_key(workspace, SCOPES[kind_of(path)])[1]
        return Rest(secret).read(path.format(id=ids[kind_of(path)]), **query)

    return read


def problem(answer, status: int) -> dict[str, Any]:
    """Return an error's body, which is RFC 9457."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    body: dict[str, Any] = answer.json()
    assert set(body) <= {"title", "status", "errors", "error_count"}
    assert body["title"]
    assert body["status"] == status
    return body


# --- who may read -------------------------------------------------------------------------------------------
@every_endpoint
def test_key_with_the_scope_reads(read, path):
    assert read(path).status_code == 200


@every_endpoint
def test_slash_at_the_end_does_no_harm(read, path):
    name, _, query = path.partition("?")
    assert read(f"{name}/?{query}").json().keys() == read(path).json().keys()


@every_endpoint
def test_key_without_the_scope_is_told_which_it_lacks(read, workspace, path):
    others = [scope for scope in Scope if scope != SCOPES[kind_of(path)]]
    refused = problem(read(path, make_rest_key(workspace, *others)[1]), 403)
    assert f"“{SCOPES[kind_of(path)]}”" in refused["title"]


@every_endpoint
def test_other_keys_and_none_are_401(read, ids, workspace, path):
    for secret in ("wrong", make_key(workspace)[1]):
        problem(read(path, secret), 401)
    problem(Wire().http.get(path.format(id=ids[kind_of(path)])), 401)


@pytest.mark.parametrize("path", WITH_ID)
def test_stranger_s_key_finds_nothing(read, other_workspace, path):
    refused = problem(read(path, make_rest_key(other_workspace)[1]), 404)
    assert refused["title"].startswith("This workspace has no ")


@pytest.mark.parametrize("kind", SCOPES)
def test_stranger_s_lists_are_empty(read, other_workspace, kind):
    answer = read(f"/{kind}", make_rest_key(other_workspace)[1])
    assert answer.json() == {kind: [], "next_cursor": None}


@pytest.mark.parametrize("kind", SCOPES)
def test_stranger_s_people_are_no_members_and_not_looked_up(read, other_workspace, kind):
    ProfileFactory.create(workspace=other_workspace, external_id="zoe")
    answer = read(f"/{kind}/{{id}}/members/contains?external_id=zoe")
    assert answer.json() == {"is_member": False, "profile_id": None, "reason": "unknown"}


@every_endpoint
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "head", "options"])
def test_nothing_can_be_written(read, ids, workspace, path, method):
    rest = Rest(make_rest_key(workspace)[1])
    answer = getattr(rest.http, method)(path.format(id=ids[kind_of(path)]), **rest.headers)
    assert (answer.status_code, answer["Allow"]) == (405, "GET")


@every_endpoint
def test_calls_are_counted_by_key(read, workspace, settings, path):
    settings.CALLS_PER_MINUTE = 2
    secret = make_rest_key(workspace)[1]
    assert [read(path, secret).status_code for _ in range(2)] == [200, 200]
    problem(read(path, secret), 429)


# --- what is not there, and what makes no sense ----------------------------------------------------------------
@pytest.mark.parametrize("path", WITH_ID)
@pytest.mark.parametrize("number", [0, 98_765, 2**63, 10**30])
def test_unknown_id_is_404_and_named(read, path, number):
    refused = problem(read(path.replace("{id}", str(number))), 404)
    assert refused["title"] == f"This workspace has no {kind_of(path)[:-1]} {number}."


@pytest.mark.parametrize("kind", SCOPES)
@pytest.mark.parametrize("name", ["-1", "one", "1.5", "%00", "1%2F2"])
def test_what_is_no_number_is_404(read, kind, name):
    problem(read(f"/{kind}/{name}"), 404)


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("limit", ["0", "-1", "10001", "1e3", "1.5", "", " ", "ten", "\x00", "9" * 5_000])
def test_limit_that_makes_no_sense_is_400_and_named(read, path, limit):
    refused = problem(read(path, limit=limit), 400)
    largest = "10,000" if "members" in path else "500"
    message = f"limit must be a whole number from 1 to {largest}."
    assert refused == {
        "title": message,
        "status": 400,
        "errors": [{"pointer": "/limit", "message": message}],
        "error_count": 1,
    }


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("cursor", ["", "7", "bWVtYmVyczo=", "c2VnbWVudHM6LTE", "é", "\x00", "x" * 5_000])
def test_cursor_that_is_none_is_400_and_named(read, path, cursor):
    refused = problem(read(path, cursor=cursor), 400)
    assert refused["title"].startswith("cursor must be")
    assert [fault["pointer"] for fault in refused["errors"]] == ["/cursor"]


def test_cursor_of_another_list_is_400(read, ids):
    CohortFactory.create()
    cursor = read("/cohorts", limit=1).json()["next_cursor"]
    assert read("/cohorts", cursor=cursor).status_code == 200
    for path in ("/segments", "/cohorts/{id}/members"):
        problem(read(path, cursor=cursor), 400)


def test_all_faults_are_told_at_once(read):
    refused = problem(read("/segments", limit="x", cursor="x", archived="perhaps"), 400)
    assert {fault["pointer"] for fault in refused["errors"]} == {"/limit", "/cursor", "/archived"}


@every_endpoint
def test_database_that_is_away_is_503_and_passing(read, path):
    def away(execute, sql, params, many, context):
        if re.search(r"FROM \W?(segments_segment|cohorts_cohort)\b", sql):
            raise OperationalError("gone")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away):
        answer = read(path)
    problem(answer, 503)
    assert answer["Retry-After"]
