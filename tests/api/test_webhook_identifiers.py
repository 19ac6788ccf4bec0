"""PROTOCOLS section 2: which member property is the identifier, and what Mixpanel puts into the fields."""

from __future__ import annotations

import pytest

from accounts.models import Integration
from cohorts.models import CohortSync
from profiles import mapping
from profiles.models import Profile
from tests.api.clients import page_body
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db
IN_ORDER = ["$braze_external_id", "braze_external_id", "external_id", "$user_id", "user_id"]


def reasons() -> dict[str, str]:
    return {it["identifier"]: it["reason"] for it in CohortSync.objects.latest("id").unmatched_sample}


# --- the order ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", IN_ORDER)
def test_external_id_comes_from_any_usual_property(mixpanel, people, members, name):
    mixpanel.add({"mixpanel_distinct_id": "xyz", name: "ann"})
    assert members() == {"ann"}


@pytest.mark.parametrize("index", range(len(IN_ORDER) - 1))
def test_earlier_property_wins(mixpanel, people, members, index):
    first, second = IN_ORDER[index : index + 2]
    mixpanel.add({second: "ben", first: "ann", "mixpanel_distinct_id": "cleo"})
    assert members() == {"ann"}


@pytest.mark.parametrize("index", range(len(IN_ORDER)))
def test_first_that_matches_wins_not_the_first_that_is_there(mixpanel, people, members, index):
    member = dict.fromkeys(IN_ORDER, "nobody-we-know") | {IN_ORDER[index]: "ann"}
    mixpanel.add(member | {"mixpanel_distinct_id": "ben"})
    assert members() == {"ann"}


def test_operators_property_comes_before_the_usual_ones(mixpanel, people, members):
    own = mapping.Rule("crm id", mapping.Kind.EXTERNAL_ID)
    Integration.objects.update(member_mapping=mapping.to_store([own, *mapping.USUAL]))
    mixpanel.add({"crm id": "ann", "$braze_external_id": "ben"}, {"$braze_external_id": "cleo"})
    assert members() == {"ann", "cleo"}


def test_operators_rules_replace_the_usual_ones(mixpanel, people, members):
    rules = [
        mapping.Rule("card", mapping.Kind.ALIAS, "loyalty"),
        mapping.Rule("phone", mapping.Kind.DEVICE_ID),
    ]
    Integration.objects.update(member_mapping=mapping.to_store(rules))
    by_card = ProfileFactory.create(aliases=[("loyalty", "c-1")])
    by_phone = ProfileFactory.create(anonymous=True, devices=["p-1"])
    mixpanel.add({"card": "c-1"}, {"phone": "p-1"}, {"$user_id": "ann", "mixpanel_distinct_id": "ben"})
    assert members() == {str(by_card.pk), str(by_phone.pk)}
    assert reasons() == {"ben": "invalid"}


def test_property_that_the_operator_did_not_name_is_no_identifier(mixpanel, people, members):
    mixpanel.add({"crm id": "ann"})
    assert members() == set()


def test_external_id_wins_over_device(mixpanel, people, members):
    ProfileFactory.create(anonymous=True, devices=["phone"])
    mixpanel.add({"$device_id": "phone", "$user_id": "ann"})
    assert members() == {"ann"}


@pytest.mark.parametrize("member", [{"$device_id": "phone"}, {"mixpanel_distinct_id": "$device:phone"}])
def test_device_of_an_anonymous_profile_matches(mixpanel, workspace, members, member):
    ghost = ProfileFactory.create(anonymous=True, devices=["phone"])
    mixpanel.add(member)
    assert members() == {str(ghost.pk)}


@pytest.mark.parametrize("member", [{"$device_id": "phone"}, {"mixpanel_distinct_id": "$device:phone"}])
def test_device_of_an_identified_profile_does_not_match_and_says_why(mixpanel, workspace, members, member):
    ProfileFactory.create(devices=["phone"])
    mixpanel.add(member)
    assert members() == set()
    assert list(reasons().values()) == ["identified_use_external_id"]
    assert CohortSync.objects.get().identified_count == 1


def test_device_wins_over_distinct_id(mixpanel, people, members):
    ghost = ProfileFactory.create(anonymous=True, devices=["phone"])
    mixpanel.add({"$device_id": "phone", "mixpanel_distinct_id": "ann"})
    assert members() == {str(ghost.pk)}


def test_distinct_id_matches_as_external_id_else_as_alias(mixpanel, people, members):
    by_alias = ProfileFactory.create(
        aliases=[("mixpanel_distinct_id", "abc"), ("mixpanel_distinct_id", "ann")]
    )
    ProfileFactory.create(aliases=[("other_label", "def")])
    mixpanel.add("ann", "abc", "def")
    assert members() == {"ann", str(by_alias.pk)}


def test_email_is_never_an_identifier(mixpanel, workspace, members):
    ProfileFactory.create(external_id="kim", email="kim@people.example")
    named_so = ProfileFactory.create(external_id="lee@people.example", email="other@people.example")
    mixpanel.add(
        {"email": "kim@people.example", "$email": "kim@people.example"},
        {"mixpanel_distinct_id": "x", "email": "lee@people.example"},
    )
    assert members() == set()
    mixpanel.add({"mixpanel_distinct_id": "lee@people.example"})
    assert members() == {str(named_so.pk)}


# --- who is nobody -----------------------------------------------------------------------------------------
NOBODIES = [
    "", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "<nil>", "0", "-1", "true",
    "false", "[]", "{}", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip


@pytest.mark.parametrize("value", NOBODIES)
@pytest.mark.parametrize("name", ["mixpanel_distinct_id", "$user_id", "$device_id"])
def test_what_mixpanel_refuses_as_id_is_invalid(mixpanel, workspace, members, value, name):
    if value:
        ProfileFactory.create(external_id=value)
        ProfileFactory.create(anonymous=True, devices=[value])
    assert mixpanel.add({name: value}).status_code == 200
    assert members() == set()
    assert CohortSync.objects.get().invalid_count == 1


@pytest.mark.parametrize("value", ["NULL", "None", " anonymous ", "TRUE", "$device:", "$device:null"])
def test_nobody_is_nobody_in_any_writing(mixpanel, workspace, value):
    mixpanel.add(value)
    sync = CohortSync.objects.get()
    assert sync.matched_count == 0
    assert sync.unmatched_count == 1


@pytest.mark.parametrize("value", [0, -1, True, False, None, [], {}, [1], {"a": 1}, 1.5, ""])
def test_value_that_is_no_id_is_invalid(mixpanel, workspace, value):
    assert mixpanel.add({"mixpanel_distinct_id": value, "$user_id": value}).status_code == 200
    assert CohortSync.objects.get().invalid_count == 1


def test_nobody_in_one_property_does_not_hide_the_next(mixpanel, people, members):
    mixpanel.add({"$user_id": "null", "user_id": None, "mixpanel_distinct_id": "ann"})
    assert members() == {"ann"}


def test_every_member_without_any_id_is_counted(mixpanel, workspace):
    mixpanel.add({"email": "a@people.example"}, {"email": "b@people.example"}, {})
    sync = CohortSync.objects.get()
    assert (sync.received_count, sync.invalid_count) == (3, 3)


# --- what comes over the wire ------------------------------------------------------------------------------
def test_numbers_may_arrive_as_strings(mixpanel, people, members):
    mixpanel.page(["ann"], page=("2", "2"), session="s")
    assert members() == set()
    mixpanel.page(["ben"], page=("1", "2"), session="s")
    assert members() == {"ann", "ben"}


def test_ids_may_arrive_as_numbers(mixpanel, workspace, members):
    person = ProfileFactory.create(external_id="12345678901234567890")
    other = ProfileFactory.create(external_id="7")
    mixpanel.page(
        [{"mixpanel_distinct_id": 12345678901234567890}, {"$user_id": 7}],
        cohort_id=99,
        session=5,
        page=(1, 1),
    )
    assert members("99") == {str(person.pk), str(other.pk)}
    assert CohortSync.objects.get().session_id == "5"


def test_same_id_as_number_and_as_string_is_the_same(mixpanel, people, members):
    mixpanel.page(["ann"], cohort_id=99, session=5, page=(1, 2))
    mixpanel.page(["ben"], cohort_id="99", session="5", page=(2, 2))
    assert members("99") == {"ann", "ben"}


def test_unknown_fields_are_ignored_everywhere(mixpanel, people, members):
    body = page_body([{"mixpanel_distinct_id": "ann", "plan": {"deep": [1, 2]}}], page=(1, 1))
    body["version"] = 3
    body["parameters"]["new"] = {"a": []}
    body["parameters"]["page_info"]["size"] = "1000"
    assert mixpanel.send(body).status_code == 200
    assert members() == {"ann"}


def test_only_what_is_required_is_enough(mixpanel, people, members):
    body = {
        "action": "members",
        "parameters": {"mixpanel_cohort_id": "c", "members": [{"mixpanel_distinct_id": "ann"}]},
    }
    assert mixpanel.send(body).status_code == 200
    assert members() == {"ann"}


def test_no_profile_is_ever_created(mixpanel, people):
    mixpanel.add("zoe", {"$device_id": "new", "email": "new@people.example"})
    assert Profile.objects.count() == len(people)


def test_member_named_twice_counts_once(mixpanel, people, members):
    mixpanel.add("ann", "ann", {"$user_id": "ann"}, "zoe", "zoe")
    sync = CohortSync.objects.get()
    assert (sync.received_count, sync.matched_count, sync.unknown_count) == (5, 1, 1)
