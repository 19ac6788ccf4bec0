"""One person's way through the product, over HTTP only; and what is told and forgotten of her at the end."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry
from cohorts.models import Cohort, CohortSync
from profiles.models import Profile
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.cohorts.factories import members_of
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(workspace):
    """A function that posts a body with a key of all scopes, and returns status and answer."""
    rest = Rest(make_rest_key(workspace)[1])

    def call(path: str, **body: Any) -> Any:
        answer = rest.call(path, body)
        return answer.status_code, answer.json()

    return call


def cohort_members(cohort_id: str = "c") -> set[int]:
    return members_of(Cohort.objects.get(partner_cohort_id=cohort_id))


def unmatched() -> list[dict[str, str]]:
    return CohortSync.objects.latest("id").unmatched_sample


# --- the whole life ----------------------------------------------------------------------------------------------
def test_an_anonymous_device_becomes_a_customer_and_stays_a_member(call, partner):
    # An app that nobody has logged into tracks a device; the partner's cohort names that device.
    event = {"device_id": "phone", "name": "opened", "time": "2026-01-31T09:30:00Z"}
    assert (
        call("/users/track", attributes=[{"device_id": "phone", "country": "FR"}], events=[event])[0] == 201
    )
    assert partner.change({"device_ids": ["phone"]}).status_code == 201
    anonymous = Profile.objects.get()
    assert cohort_members() == {anonymous.pk}
    # She logs in: the external id is free, so the profile takes it.
    pair = {"device_id": "phone", "external_id": "ann"}
    assert call("/users/identify", aliases_to_identify=[pair])[1]["aliases_processed"] == 1
    # The partner sends the same device again: it is told to use the external id, and she stays a member.
    partner.change({"device_ids": ["phone"]})
    assert unmatched() == [{"identifier": "phone", "reason": "identified_use_external_id"}]
    assert cohort_members() == {anonymous.pk}
    partner.change({"user_ids": ["ann"]}, cohort_id="d")
    assert cohort_members("d") == {anonymous.pk}
    told = call("/users/export/ids", external_ids=["ann"])[1]["users"][0]
    assert (told["country"], told["custom_events"][0]["count"], len(told["cohorts"])) == ("FR", 1, 2)


def test_a_second_device_merges_into_the_customer_with_its_cohorts_and_events(call, partner):
    for user in ({"external_id": "ann"}, {"device_id": "tablet"}):
        event = user | {"name": "opened", "time": "2026-01-31T09:30:00Z"}
        call("/users/track", attributes=[user], events=[event])
    partner.change({"device_ids": ["tablet"]})
    ann = Profile.objects.get(external_id="ann")
    call("/users/identify", aliases_to_identify=[{"device_id": "tablet", "external_id": "ann"}])
    assert cohort_members() == {ann.pk}
    partner.change({"device_ids": ["tablet"]})
    assert unmatched() == [{"identifier": "tablet", "reason": "identified_use_external_id"}]
    assert cohort_members() == {ann.pk}
    told = call("/users/export/ids", external_ids=["ann"])[1]["users"][0]
    assert told["custom_events"][0]["count"] == 2
    assert told["devices"] == [{"device_id": "tablet"}]


def test_a_full_sync_that_began_before_she_merged_ends_with_her_in_it(call, mixpanel):
    ProfileFactory.create(anonymous=True, devices=["tablet"])
    ann = ProfileFactory.create(external_id="ann")
    mixpanel.page([{"$device_id": "tablet"}], page=(1, 2), session="s")
    call("/users/identify", aliases_to_identify=[{"device_id": "tablet", "external_id": "ann"}])
    assert cohort_members() == set()
    mixpanel.page([], page=(2, 2), session="s")
    assert cohort_members() == {ann.pk}


def test_she_is_erased_and_a_partner_that_still_names_her_reaches_nobody(call, partner):
    call("/users/track", attributes=[{"external_id": "ann", "email": "ann@a.example"}])
    partner.change({"user_ids": ["ann"]})
    ann = Profile.objects.get()
    answer = call("/users/delete", external_ids=["ann", "nobody-here"])
    assert answer == (201, {"deleted": 1, "message": "success"})
    assert cohort_members() == set()
    partner.change({"user_ids": ["ann"]})
    assert cohort_members() == set()
    assert unmatched() == [{"identifier": "ann", "reason": "unknown"}]
    entry = AuditEntry.objects.get(action="user_erased")
    assert (entry.subject, len(entry.actor_key)) == (f"user {ann.pk}", 11)


# --- delete ------------------------------------------------------------------------------------------------------
def test_users_are_erased_by_any_name(call):
    ProfileFactory.create(external_id="a")
    ProfileFactory.create(anonymous=True, aliases=[("crm", "7")])
    ProfileFactory.create(anonymous=True, devices=["phone"])
    by_id, text_id = ProfileFactory.create(), ProfileFactory.create()
    mail, ring = ProfileFactory.create(email="m@m.example"), ProfileFactory.create(phone="+49123")
    stays = ProfileFactory.create(email="m2@m.example")
    names = {
        "external_ids": ["a"],
        "user_aliases": [{"alias_label": "crm", "alias_name": "7"}],
        "device_ids": ["phone"],
        "profile_ids": [by_id.pk],
        "braze_ids": [str(text_id.pk)],
        "email_addresses": [mail.email, {"email": "m2@m.example", "prioritization": ["unidentified"]}],
        "phone_numbers": [ring.phone],
    }
    assert call("/users/delete", **names) == (201, {"deleted": 7, "message": "success"})
    assert set(Profile.objects.live()) == {stays}


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ("external_ids", [7]),
        ("external_ids", ["null"]),
        ("user_aliases", ["crm:7"]),
        ("braze_ids", ["x"]),
        ("email_addresses", [{"phone": "+49123"}]),
        ("email_addresses", [""]),
        ("phone_numbers", [None]),
    ],
)
def test_one_name_at_fault_erases_nobody(call, array, value):
    ProfileFactory.create(external_id="ann")
    status, answer = call("/users/delete", **{"device_ids": ["x"], "external_ids": ["ann"]} | {array: value})
    assert status == 400
    assert answer["errors"][0]["pointer"] == f"/{array}"
    assert answer["message"].startswith(f"{array}[0]")
    assert Profile.objects.live().count() == 1


# --- export ------------------------------------------------------------------------------------------------------
def test_names_of_nobody_are_listed(call):
    ProfileFactory.create(external_id="ann")
    status, answer = call(
        "/users/export/ids",
        external_ids=["ann", "nobody-here"],
        user_aliases=[{"alias_label": "crm:x", "alias_name": "7"}],
        device_id="phone",
        fields_to_export=["external_id", "apps"],
    )
    assert status == 201
    assert answer == {
        "message": "success",
        "users": [{"external_id": "ann"}],
        "invalid_user_ids": ["nobody-here", "crm:x:7", "phone"],
    }


def test_everybody_with_an_address_is_exported_once(call):
    people = [ProfileFactory.create(email="family@f.example", external_id=name) for name in ("a", "b")]
    answer = call("/users/export/ids", email_address="family@f.example", external_ids=["a"])[1]
    assert [user["external_id"] for user in answer["users"]] == ["a", "b"]
    assert [user["profile_id"] for user in answer["users"]] == [person.pk for person in people]
    assert "invalid_user_ids" not in answer


@pytest.mark.parametrize("fields", ["email", [7], {"email": True}])
def test_fields_to_export_must_be_names(call, fields):
    status, answer = call("/users/export/ids", external_ids=["ann"], fields_to_export=fields)
    assert (status, answer["errors"][0]["pointer"]) == (400, "/fields_to_export")
