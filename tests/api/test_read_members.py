"""Members, sizes and memberships as other systems read them: those of a cohort, and of the segment that asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cohorts.models import CohortDelta
from profiles import bitmaps
from profiles.models import Profile
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory, erase, make_people
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(workspace):
    return CohortFactory.create()


@pytest.fixture(params=["cohorts", "segments"])
def path(request, cohort) -> str:
    """The cohort's address, or that of a segment of the same members."""
    if request.param == "cohorts":
        return f"/cohorts/{cohort.pk}"
    return f"/segments/{SegmentFactory.create(definition=definition(cohorts(cohort.pk))).pk}"


@pytest.fixture
def read(workspace, path):
    """A function that reads below that address; what it returns is the answer's body."""
    rest = Rest(make_rest_key(workspace)[1])

    def read(below: str, **query: Any) -> Any:
        answer = rest.read(f"{path}{below}", **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return read


def everybody(read, **query: Any) -> list[Any]:
    """Return the members of all pages, asked for one after the other."""
    page = read("/members", **query)
    found = page["members"]
    while cursor := page["next_cursor"]:
        page = read("/members", cursor=cursor, **query)
        found += page["members"]
    return found


# --- members by page -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10_000])
def test_pages_together_are_the_members_in_order(read, cohort, limit):
    ann, _other, anonymous, ben = (
        ProfileFactory.create(external_id="ann"),
        ProfileFactory.create(),
        ProfileFactory.create(anonymous=True),
        ProfileFactory.create(external_id="ben"),
    )
    change_members(cohort, [ben, anonymous, ann])
    assert everybody(read, limit=limit) == [
        {"profile_id": ann.pk, "external_id": "ann"},
        {"profile_id": anonymous.pk, "external_id": None},
        {"profile_id": ben.pk, "external_id": "ben"},
    ]


def test_nobody_is_an_empty_last_page(read):
    assert read("/members") == {"members": [], "next_cursor": None}


def test_page_has_1000_members_unless_told_otherwise(read, cohort, workspace):
    people = make_people(workspace, [f"user-{n}" for n in range(1_001)])
    change_members(cohort, people.values())
    page = read("/members")
    assert len(page["members"]) == 1_000
    assert len(read("/members", cursor=page["next_cursor"])["members"]) == 1


def test_each_page_is_of_the_moment_it_is_asked_for(read, cohort, workspace):
    ann, ben, cleo, dan = make_people(workspace, ["ann", "ben", "cleo", "dan"]).values()
    change_members(cohort, [ben, cleo])
    first = read("/members", limit=1)
    change_members(cohort, [ann, dan])
    change_members(cohort, [cleo], kind=CohortDelta.Kind.REMOVED)
    rest = read("/members", cursor=first["next_cursor"])
    assert [it["profile_id"] for it in first["members"] + rest["members"]] == [ben, dan]


def test_who_was_erased_is_gone_at_once(read, cohort):
    erased, live = ProfileFactory.create_batch(2)
    change_members(cohort, [erased, live])
    erase(erased)
    assert [it["profile_id"] for it in read("/members")["members"]] == [live.pk]
    assert read("/size")["total"] == 1


# --- size ----------------------------------------------------------------------------------------------------
def test_size_is_exact_and_says_when_it_was_counted(read, path, cohort):
    change_members(cohort, ProfileFactory.create_batch(3))
    ProfileFactory.create_batch(2)
    before = timezone.now()
    size = read("/size")
    counted_at = parse_datetime(size.pop("counted_at"))
    channels = {"email": 3, "push": 0} if path.startswith("/segments") else {}
    assert size == {"total": 3, "universe": 5} | channels
    assert before.replace(microsecond=0) <= counted_at <= timezone.now()


# --- is this user a member? ------------------------------------------------------------------------------------
@pytest.fixture
def people(cohort) -> dict[str, Profile]:
    """Members of every sort of name, and two who are none."""
    people = {
        "identified": ProfileFactory.create(
            external_id="ann", devices=["anns phone"], aliases=[("crm", "7")]
        ),
        "anonymous": ProfileFactory.create(anonymous=True, devices=["tablet"], aliases=[("a:b", "c%")]),
        "other": ProfileFactory.create(external_id="ben", aliases=[("crm", "8")]),
        "stray": ProfileFactory.create(anonymous=True, devices=["kiosk"]),
    }
    change_members(cohort, [people["identified"], people["anonymous"]])
    return people


@pytest.mark.parametrize(
    ("query", "who", "is_member"),
    [
        ({"external_id": "ann"}, "identified", True),
        ({"external_id": "ben"}, "other", False),
        ({"device_id": "tablet"}, "anonymous", True),
        ({"device_id": "kiosk"}, "stray", False),
        ({"alias_label": "crm", "alias_name": "7"}, "identified", True),
        ({"alias_label": "crm", "alias_name": "8"}, "other", False),
        ({"alias_label": "a:b", "alias_name": "c%"}, "anonymous", True),
    ],
)
def test_user_of_an_identifier_is_a_member_or_not(read, people, query, who, is_member):
    expected = {"is_member": is_member, "profile_id": people[who].pk, "reason": None}
    assert read("/members/contains", **query) == expected


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"external_id": "ANN"}, "unknown"),
        ({"external_id": " ann"}, "unknown"),
        ({"external_id": "tablet"}, "unknown"),
        ({"external_id": "ann@people.example"}, "unknown"),
        ({"external_id": "null"}, "invalid"),
        ({"external_id": " "}, "invalid"),
        ({"device_id": "ann"}, "unknown"),
        ({"device_id": "anns phone"}, "identified_use_external_id"),
        ({"device_id": "00000000-0000-0000-0000-000000000000"}, "invalid"),
        ({"alias_label": "CRM", "alias_name": "7"}, "unknown"),
        ({"alias_label": "a", "alias_name": "b:c%"}, "unknown"),
    ],
)
def test_identifier_that_names_nobody_says_why(read, people, query, reason):
    expected = {"is_member": False, "profile_id": None, "reason": reason}
    assert read("/members/contains", **query) == expected


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"external_id": "ann", "device_id": "tablet"},
        {"external_id": "ann", "alias_label": "crm", "alias_name": "7"},
        {"alias_label": "crm"},
        {"alias_name": "7"},
        {"external_id": "ann", "alias_name": "7"},
        {"email": "ann@people.example"},
    ],
)
def test_none_several_or_half_an_identifier_is_400(workspace, path, query):
    answer = Rest(make_rest_key(workspace)[1]).read(f"{path}/members/contains", **query)
    assert answer.status_code == 400
    assert (
        answer.json()["title"]
        == "Name one user: by external_id, by device_id, or by alias_label and alias_name."
    )


@pytest.mark.parametrize("name", ["external_id", "device_id", "alias_label", "alias_name"])
@pytest.mark.parametrize("value", ["", "x" * 256, "a\x00b"])
def test_identifier_that_cannot_be_is_400_and_named(workspace, path, name, value):
    query = {"alias_label": "crm", "alias_name": "7"} if name.startswith("alias") else {}
    answer = Rest(make_rest_key(workspace)[1]).read(f"{path}/members/contains", **query | {name: value})
    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{name}"]


# --- what it costs ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("below", ["/size", "/members", "/members/contains?external_id=user-1"])
def test_answer_costs_the_same_for_1_and_200_members(read, cohort, workspace, below):
    people = list(make_people(workspace, [f"user-{n}" for n in range(200)]).values())
    change_members(cohort, people[:1])
    read(below)
    with CaptureQueriesContext(connection) as few:
        read(below)
    change_members(cohort, people)
    with CaptureQueriesContext(connection) as many:
        read(below)
    assert len(many) == len(few) <= 12


def test_page_of_members_fetches_no_other_profile(read, cohort, workspace, monkeypatch):
    people = list(make_people(workspace, [f"user-{n}" for n in range(200)]).values())
    change_members(cohort, people)
    cursor = read("/members", limit=150)["next_cursor"]
    fetched = []
    real = bitmaps.fetch

    def fetch(sql, parameters):
        rows = real(sql, parameters)
        fetched.extend(rows if "external_id" in sql else [])
        return rows

    monkeypatch.setattr(bitmaps, "fetch", fetch)
    with CaptureQueriesContext(connection) as captured:
        assert len(read("/members", limit=20, cursor=cursor)["members"]) == 20
    assert [profile_id for profile_id, _external_id in fetched] == people[150:170]
    through_the_orm = [it["sql"] for it in captured if 'FROM "profiles_profile"' in it["sql"]]
    assert through_the_orm == []
