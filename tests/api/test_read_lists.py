"""The lists of segments and cohorts, page by page, and what is told of each; segments whose filters are at fault."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from segments.models import SegmentTag
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, make_hourly
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
UNREADABLE = {"version": 98, "root": {"type": "spell"}}
EVALUATED = ["/size", "/members", "/members/contains?external_id=ann"]


@pytest.fixture
def read(workspace):
    """A function that reads an address, and returns status and body."""
    rest = Rest(make_rest_key(workspace)[1])

    def read(path: str, **query: Any) -> Any:
        answer = rest.read(path, **query)
        return answer.status_code, answer.json()

    return read


def in_pages(read, kind: str, **query: Any) -> list[list[int]]:
    """Return the ids on each page of a list."""
    pages, cursor = [], {}
    while cursor is not None:
        status, body = read(f"/{kind}", **query, **cursor)
        assert status == 200, body
        pages.append([it["id"] for it in body[kind]])
        cursor = body["next_cursor"] and {"cursor": body["next_cursor"]}
    return pages


def moment(value) -> str:
    return value.isoformat().replace("+00:00", "Z")


# --- both ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "factory"), [("segments", SegmentFactory), ("cohorts", CohortFactory)])
def test_pages_of_a_list_are_in_order_and_of_the_size_asked_for(read, kind, factory):
    ids = [it.pk for it in factory.create_batch(5)]
    assert in_pages(read, kind) == [ids]
    assert in_pages(read, kind, limit=5) == [ids]
    assert in_pages(read, kind, limit=2) == [ids[:2], ids[2:4], ids[4:]]


@pytest.mark.parametrize(("kind", "factory"), [("segments", SegmentFactory), ("cohorts", CohortFactory)])
def test_page_of_a_list_has_100_unless_told_otherwise(read, kind, factory):
    factory.create_batch(101)
    assert [len(page) for page in in_pages(read, kind)] == [100, 1]


@pytest.mark.parametrize("kind", ["segments", "cohorts"])
def test_list_costs_the_same_for_1_and_20(read, kind):
    cohort = CohortFactory.create()
    SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    read(f"/{kind}")
    with CaptureQueriesContext(connection) as one:
        read(f"/{kind}")
    for _ in range(19):
        segment = SegmentFactory.create(definition=definition(cohorts(CohortFactory.create().pk)))
        segment.tags.add(SegmentTag.objects.create(workspace=segment.workspace, name=segment.name))
    with CaptureQueriesContext(connection) as twenty:
        _status, body = read(f"/{kind}")
    assert len(body[kind]) == 20
    assert len(twenty) == len(one) <= 5


def test_lists_evaluate_nothing_and_read_no_members(read):
    cohort = CohortFactory.create(members=[ProfileFactory.create()])
    SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    with CaptureQueriesContext(connection) as captured:
        read("/segments")
        read("/cohorts")
    assert [it["sql"] for it in captured if 'snapshot"' in it["sql"] or "filterbitmap" in it["sql"]] == []


# --- cohorts ---------------------------------------------------------------------------------------------------
def test_cohort_is_told_in_the_list_as_by_itself(read):
    synced = timezone.now()
    cohort = CohortFactory.create(
        name="Power users", partner="amplitude", description="Often", last_sync_at=synced
    )
    CohortSyncFactory.create(cohort=cohort)
    expected = {
        "id": cohort.pk,
        "partner": "amplitude",
        "partner_cohort_id": cohort.partner_cohort_id,
        "name": "Power users",
        "description": "Often",
        "created_at": moment(cohort.created_at),
        "last_sync_at": moment(synced),
        "freshness": "one_time",
    }
    assert read(f"/cohorts/{cohort.pk}") == (200, expected)
    assert read("/cohorts") == (200, {"cohorts": [expected], "next_cursor": None})


def test_cohort_that_never_was_synced_has_no_time(read):
    told = read(f"/cohorts/{CohortFactory.create().pk}")[1]
    assert (told["last_sync_at"], told["freshness"]) == (None, "never")


@pytest.mark.parametrize(("hours", "state"), [(0, "fresh"), (3, "late"), (5, "stale")])
def test_cohort_whose_partner_is_silent_says_so(read, hours, state):
    cohort = make_hourly(silence=timedelta(hours=hours))
    assert read(f"/cohorts/{cohort.pk}")[1]["freshness"] == state
    assert [it["freshness"] for it in read("/cohorts")[1]["cohorts"]] == [state]


# --- segments --------------------------------------------------------------------------------------------------
def test_segment_is_told_in_the_list_as_by_itself(read, workspace):
    cohort = CohortFactory.create(name="Lapsed")
    segment = SegmentFactory.create(
        name="Win back", description="Bought once", definition=definition(cohorts(cohort.pk))
    )
    segment.tags.set(SegmentTag.objects.create(workspace=workspace, name=name) for name in ("b", "a"))
    expected = {
        "id": segment.pk,
        "name": "Win back",
        "description": "Bought once",
        "tags": ["a", "b"],
        "sentence": "Mixpanel_Cohorts includes “Lapsed”",
        "is_archived": False,
        "created_at": moment(segment.created_at),
        "updated_at": moment(segment.updated_at),
    }
    assert read(f"/segments/{segment.pk}") == (200, expected)
    assert read("/segments") == (200, {"segments": [expected], "next_cursor": None})


def test_sentence_is_english_whatever_the_client_speaks(workspace):
    cohort = CohortFactory.create(name="Lapsed")
    SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    rest = Rest(make_rest_key(workspace)[1])
    rest.headers["HTTP_ACCEPT_LANGUAGE"] = "fr"
    [segment] = rest.read("/segments").json()["segments"]
    assert segment["sentence"] == "Mixpanel_Cohorts includes “Lapsed”"


def test_archived_segment_is_listed_if_asked_for_and_read_all_the_same(read):
    active = SegmentFactory.create()
    archived = SegmentFactory.create(
        archived_at=timezone.now(), definition=definition(cohorts(CohortFactory.create().pk))
    )
    assert in_pages(read, "segments") == in_pages(read, "segments", archived="false") == [[active.pk]]
    assert in_pages(read, "segments", archived="true", limit=1) == [[active.pk], [archived.pk]]
    assert read(f"/segments/{archived.pk}")[1]["is_archived"]
    for path in EVALUATED:
        assert read(f"/segments/{archived.pk}{path}")[0] == 200


@pytest.mark.parametrize("path", EVALUATED)
def test_segment_of_a_cohort_that_is_gone_is_409_and_never_everybody(read, path):
    ProfileFactory.create(external_id="ann")
    lost = SegmentFactory.create(definition=definition(cohorts(98_765, operator="does_not_include")))
    status, body = read(f"/segments/{lost.pk}{path}")
    assert (status, body["status"]) == (409, 409)
    assert body["title"].startswith("The filters of this segment are at fault")
    assert "This cohort does not exist any more." in body["title"]


@pytest.mark.parametrize("path", EVALUATED)
@pytest.mark.parametrize("wrong", [UNREADABLE, {}, [], "", 7, definition()])
def test_segment_that_cannot_be_read_is_409(read, path, wrong):
    segment = SegmentFactory.create(definition=wrong)
    status, body = read(f"/segments/{segment.pk}{path}")
    assert status == 409
    assert "at fault" in body["title"]


def test_segments_at_fault_are_listed_with_what_is_known_of_them(read):
    unreadable = SegmentFactory.create(definition=UNREADABLE)
    lost = SegmentFactory.create(definition=definition(cohorts(98_765)))
    _status, body = read("/segments")
    assert {it["id"]: it["sentence"] for it in body["segments"]} == {
        unreadable.pk: None,
        lost.pk: "Mixpanel_Cohorts includes a cohort that no longer exists",
    }
    assert read(f"/segments/{unreadable.pk}")[1]["sentence"] is None


def test_segment_that_excludes_counts_the_others(read):
    inside, outside = ProfileFactory.create_batch(2)
    cohort = CohortFactory.create(members=[inside])
    segment = SegmentFactory.create(definition=definition(cohorts(cohort.pk, operator="does_not_include")))
    assert read(f"/segments/{segment.pk}/size")[1]["total"] == 1
    assert [it["profile_id"] for it in read(f"/segments/{segment.pk}/members")[1]["members"]] == [outside.pk]
