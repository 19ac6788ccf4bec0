"""All that is known of one person, and no field of anybody else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import events, person
from profiles.events import Occurrence
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import NOW
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def happen(profile, *happened: tuple) -> None:
    occurrences = [
        Occurrence(profile.pk, kind, name, currency, AT, *more) for kind, name, currency, *more in happened
    ]
    events.record(workspace_id=profile.workspace_id, occurrences=occurrences, now=NOW)


def test_everything_is_there_in_the_names_of_the_tracking_api():
    ann = ProfileFactory.create(
        external_id="ann",
        email="ann@a.example",
        gender="F",
        date_of_birth=date(1990, 12, 31),
        first_session_at=AT,
        push_tokens=[{"app_id": "a", "token": "t"}],
        custom_attributes={"plan": "pro", "empty": ""},
        aliases=[("crm:x", "7")],
        devices=["phone"],
    )
    happen(
        ann,
        ("custom", "signed_up", "", 2),
        ("purchase", "tea", "EUR", 1, 3, Decimal("7.50")),
    )
    known = person.describe(profile=ann)
    assert {name: known.pop(name) for name in ("created_at", "updated_at")}.keys() <= person.FIELDS
    assert known == {
        "external_id": "ann",
        "braze_id": str(ann.pk),
        "profile_id": ann.pk,
        "user_aliases": [{"alias_name": "7", "alias_label": "crm:x"}],
        "devices": [{"device_id": "phone"}],
        "email": "ann@a.example",
        "gender": "F",
        "dob": "1990-12-31",
        "date_of_first_session": "2026-11-20T08:30:00Z",
        "push_tokens": [{"app_id": "a", "token": "t"}],
        "custom_attributes": {"plan": "pro", "empty": ""},
        "custom_events": [
            {
                "name": "signed_up",
                "first": "2026-11-20T08:30:00Z",
                "last": "2026-11-20T08:30:00Z",
                "count": 2,
                "days": {"2026-11-20": 2},
            }
        ],
        "purchases": [
            {
                "name": "tea",
                "first": "2026-11-20T08:30:00Z",
                "last": "2026-11-20T08:30:00Z",
                "count": 1,
                "days": {"2026-11-20": 1},
                "currency": "EUR",
                "quantity": 3,
                "revenue": 7.5,
            }
        ],
        "total_revenue": 7.5,
    }
    assert orjson.dumps(known)


def test_cohorts_and_segments_are_told_by_the_apps_above():
    ann, ben = ProfileFactory.create(), ProfileFactory.create()
    cohort = CohortFactory.create(name="Lapsed", members=[ann])
    CohortFactory.create(name="Others", members=[ben])
    segment = SegmentFactory.create(name="Win back", definition=definition(cohorts(cohort.pk)))
    known = person.describe(profile=ann)
    assert known["cohorts"] == [
        {"name": "Lapsed", "partner": "mixpanel", "partner_cohort_id": cohort.partner_cohort_id}
    ]
    assert known["segments"] == [{"id": segment.pk, "name": "Win back"}]
    assert "segments" not in person.describe(profile=ben)


def test_revenue_in_several_currencies_has_no_total():
    ann = ProfileFactory.create()
    happen(ann, ("purchase", "tea", "EUR", 1, 1, Decimal(1)), ("purchase", "tea", "USD", 1, 1, Decimal(1)))
    known = person.describe(profile=ann)
    assert "total_revenue" not in known
    assert [it["currency"] for it in known["purchases"]] == ["EUR", "USD"]


def test_fields_that_are_asked_for_are_all_there_is(workspace):
    ann = ProfileFactory.create(external_id="ann", email="")
    known = person.describe_all(
        workspace_id=workspace.pk, profile_ids=[ann.pk], fields=["external_id", "email", "apps"]
    )
    assert known == {ann.pk: {"external_id": "ann"}}


def test_what_apps_above_know_is_asked_only_for_its_fields(workspace):
    ann = ProfileFactory.create()
    CohortFactory.create(members=[ann])

    def cost(fields) -> int:
        with CaptureQueriesContext(connection) as captured:
            person.describe_all(workspace_id=workspace.pk, profile_ids=[ann.pk], fields=fields)
        return len(captured)

    assert cost(["email"]) == 3 < cost(["cohorts"])


def test_fifty_people_cost_as_many_queries_as_one(workspace):
    people = [ProfileFactory.create(aliases=[("n", f"n{number}")]) for number in range(50)]
    CohortFactory.create(members=people)
    for one in people:
        happen(one, ("custom", "signed_up", ""))

    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            ids = [it.pk for it in people[:count]]
            assert len(person.describe_all(workspace_id=workspace.pk, profile_ids=ids)) == count
        return len(captured)

    assert cost(1) == cost(50)


def test_erased_and_foreign_profiles_are_not_described(workspace, other_workspace):
    gone = ProfileFactory.create(deleted_at=NOW)
    theirs = ProfileFactory.create(workspace=other_workspace)
    assert person.describe(profile=gone) == {}
    assert person.describe_all(workspace_id=workspace.pk, profile_ids=[theirs.pk]) == {}
