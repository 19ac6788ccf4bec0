"""What the builder asks: who may, what it is answered, and what happens when something goes wrong."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.logging import traceback_without_values
from profiles import bitmaps, selection
from profiles.models import FilterBitmap
from segments import audience
from tests.accounts.factories import make_marketer
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition, leaf
from tests.segments.factories import SegmentFactory

COUNTS, SUGGEST, PEOPLE, EXPLAIN = (
    reverse(f"admin:segments_segment_{name}") for name in ("counts", "suggest", "people", "explain")
)
FRENCH = definition(leaf("country", "is_one_of", ["FR"]))
POSTED = [COUNTS, PEOPLE, EXPLAIN]


def ask(client, url, body, **query):
    body = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(url, body, content_type="application/json", query_params=query)


def body_of(url, draft):
    return {"definition": draft, "identifier": "ann"} if url == EXPLAIN else draft


def lines(answer):
    return [json.loads(line) for line in b"".join(answer).splitlines()]


@pytest.fixture
def ann(workspace):
    return ProfileFactory.create(external_id="ann", country="FR", custom_attributes={"plan": "plus"})


# --- who may -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_count_sample_explain_and_get_suggestions(request, persona, ann):
    client = request.getfixturevalue(persona)
    assert lines(ask(client, COUNTS, FRENCH))[-1]["total"] == 1
    assert [it["id"] for it in ask(client, PEOPLE, FRENCH).json()["people"]] == [ann.pk]
    assert ask(client, EXPLAIN, body_of(EXPLAIN, FRENCH)).json()["found"][0]["is_member"]
    found = client.get(SUGGEST, {"type": "custom_attribute", "subject": "plan"}).json()
    assert found == {"values": [{"id": "plus", "name": "plus", "note": "100%"}]}


def test_a_stranger_learns_nothing_of_others(stranger_client, ann):
    cohort, segment = CohortFactory(members=[ann]), SegmentFactory.create(definition=FRENCH)
    assert lines(ask(stranger_client, COUNTS, FRENCH))[-1]["universe"] == 0
    assert ask(stranger_client, PEOPLE, FRENCH).json()["people"] == []
    assert ask(stranger_client, EXPLAIN, body_of(EXPLAIN, FRENCH)).json()["found"] == []
    assert stranger_client.get(SUGGEST, {"type": "custom_attribute"}).json() == {"subjects": []}
    for foreign in (cohorts(cohort.pk), leaf("segment", "in", [segment.pk])):
        for url in POSTED:
            answer = ask(stranger_client, url, body_of(url, definition(foreign)), own=segment.pk)
            assert answer.status_code == 422
            assert segment.name not in answer.content.decode()


def test_without_login_there_is_nothing(client, ann):
    for url in POSTED:
        assert ask(client, url, body_of(url, FRENCH)).status_code == 302
    assert client.get(SUGGEST, {"type": "country"}).status_code == 302


def test_who_may_not_build_asks_nothing_and_who_may_not_see_users_sees_none(client_of, workspace, ann):
    viewer = make_marketer(workspace, username="viewer")
    viewer.groups.clear()
    client = client_of(viewer)
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    assert [ask(client, url, body_of(url, FRENCH)).status_code for url in POSTED] == [403] * 3
    assert client.get(SUGGEST, {"type": "country"}).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="change_segment"))
    answers = [ask(client, url, body_of(url, FRENCH)) for url in POSTED]
    assert [answer.status_code for answer in answers] == [200, 403, 403]
    assert lines(answers[0])[-1]["total"] == 1


# --- what is wrong with a question -------------------------------------------------------------------------------
@pytest.mark.parametrize("url", POSTED)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000, b'"\\ud800"'])
def test_what_is_no_json_is_refused(marketer_client, workspace, url, body):
    answer = ask(marketer_client, url, body)
    assert answer.status_code == 400
    assert answer.json() == {"faults": [{"pointer": "", "message": "The body must be JSON."}]}


@pytest.mark.parametrize("url", POSTED)
@pytest.mark.parametrize(
    ("draft", "pointer"),
    [
        (5, ""),
        ([], ""),
        ({"version": 1}, ""),
        (definition(cohorts(987_654)), "/root/children/0/value"),
        (definition(leaf("email", "nonsense")), "/root/children/0/operator"),
        (definition(leaf("email", "matches", "(")), "/root/children/0/value"),
    ],
)
def test_a_draft_at_fault_is_answered_with_the_node_at_once(marketer_client, workspace, url, draft, pointer):
    answer = ask(marketer_client, url, body_of(url, draft))
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/json")
    (fault,) = answer.json()["faults"]
    assert fault["pointer"] == pointer
    assert fault["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        5,
        {"definition": FRENCH},
        *({"definition": FRENCH, "identifier": it} for it in (None, 7, "", "  ", "x" * 1_001, "a\x00b")),
    ],
)
def test_an_explanation_needs_an_identifier(marketer_client, workspace, body):
    answer = ask(marketer_client, EXPLAIN, body)
    assert answer.status_code == 400
    assert answer.json()["faults"][0]["message"].startswith("Type an ID")


def test_each_address_is_asked_in_one_way_only(marketer_client, workspace):
    assert [marketer_client.get(url).status_code for url in POSTED] == [405] * 3
    assert marketer_client.post(SUGGEST).status_code == 405


@pytest.mark.parametrize("own", ["", "x", "-1", "0", "9" * 40, "٣"])
def test_a_senseless_own_segment_is_none(marketer_client, ann, own):
    assert lines(ask(marketer_client, COUNTS, FRENCH, own=own))[-1]["total"] == 1


def test_a_draft_of_a_segment_that_would_be_made_of_itself_is_at_fault(marketer_client, workspace):
    own = SegmentFactory.create(name="VIP", definition=FRENCH)
    draft = definition(leaf("segment", "in", [own.pk]))
    assert ask(marketer_client, COUNTS, draft).status_code == 200
    answer = ask(marketer_client, COUNTS, draft, own=own.pk)
    assert answer.status_code == 422
    assert "“VIP” → “VIP”" in answer.json()["faults"][0]["message"]


def test_suggestions_of_anything_are_an_answer(marketer_client, ann):
    for type_ in ("", "nonsense", "custom_attribute", "gender"):
        for subject in ("", "nonsense", "\x00"):
            answer = marketer_client.get(SUGGEST, {"type": type_, "subject": subject, "q": "\x00%"})
            assert answer.status_code == 200
            assert answer.json().keys() <= {"subjects", "values"}


# --- the stream --------------------------------------------------------------------------------------------------
def test_progress_comes_before_the_counts_and_is_a_share(marketer_client, ann, monkeypatch):
    monkeypatch.setattr(selection, "RANGE", 1)
    *earlier, last = lines(ask(marketer_client, COUNTS, FRENCH))
    shares = [line["progress"] for line in earlier]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert last["total"] == 1


@pytest.mark.parametrize("error", [OperationalError, DatabaseError])
def test_a_failure_of_the_database_midway_is_told_and_logged_without_personal_data(
    marketer_client, ann, monkeypatch, caplog, error
):
    def fails(**_asked):
        raise error("no such thing as ann@people.example")
        yield

    monkeypatch.setattr(selection, "everywhere", fails)
    answer = ask(marketer_client, COUNTS, definition(leaf("email", "is", "ann@people.example")))
    assert answer.status_code == 200
    assert lines(answer) == [{"failed": True}]
    (record,) = [it for it in caplog.records if it.name == "rollcall.segments"]
    logged = traceback_without_values(None, "", dict(record.msg))
    assert (logged["event"], logged["workspace"]) == ("count_failed", ann.workspace_id)
    assert logged["exception"] == error.__qualname__
    assert any("admin_views.py" in place for place in logged["places"])
    assert "people.example" not in str(logged)


def test_what_fails_is_counted_when_it_is_asked_again(marketer_client, ann, monkeypatch):
    def fails(**_asked):
        raise OperationalError
        yield

    with monkeypatch.context() as patched:
        patched.setattr(selection, "everywhere", fails)
        assert lines(ask(marketer_client, COUNTS, FRENCH)) == [{"failed": True}]
    assert lines(ask(marketer_client, COUNTS, FRENCH))[-1]["total"] == 1


def test_whoever_closes_the_stream_ends_the_work(marketer_client, ann, monkeypatch):
    """No statement runs after the connection is closed, and nothing half done is kept."""
    steps, ended, statements = [], [], []
    half = selection.Progress(1, 2) if hasattr(selection.Progress, "_fields") else 0.5

    def slowly(**_asked):
        try:
            for number in range(10):
                steps.append(number)
                yield half
            pytest.fail("nobody closed it")
        finally:
            ended.append(True)

    monkeypatch.setattr(selection, "everywhere", slowly)
    answer = ask(marketer_client, COUNTS, FRENCH)
    stream = iter(answer.streaming_content)
    assert [json.loads(next(stream)).keys() for _ in range(3)] == [{"progress"}] * 3
    fetch = bitmaps.fetch
    monkeypatch.setattr(bitmaps, "fetch", lambda sql, params: statements.append(sql) or fetch(sql, params))
    with CaptureQueriesContext(connection) as queries:
        answer._iterator.close()  # as the server does when the browser is gone
    assert (steps, ended, statements, len(queries)) == ([0, 1, 2], [True], [], 0)
    assert not FilterBitmap.objects.exists()


def test_a_question_is_checked_before_the_stream_begins(workspace, marketer_client, monkeypatch):
    monkeypatch.setattr(audience, "counting", None)
    assert ask(marketer_client, COUNTS, definition(cohorts(987_654))).status_code == 422
