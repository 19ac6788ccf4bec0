"""Malformed requests: every fault at once, each with its JSON pointer, 20 shown and all counted."""

from __future__ import annotations

import pytest

from cohorts.models import Cohort
from config.api import _faults
from tests.api.clients import page_body

pytestmark = pytest.mark.django_db


def faults(answer) -> dict[str, str]:
    """Return message by pointer; the answer is a 400 that applied nothing and shows its first fault as message."""
    assert answer.status_code == 400, answer.content
    assert not Cohort.objects.exists()
    body = answer.json()
    error = body.get("error", body)
    listed = error.get("errors", error.get("faults"))
    assert error["message"] == listed[0]["message"]
    assert error.get("error_count", error.get("fault_count")) >= len(listed)
    return {fault["pointer"]: fault["message"] for fault in listed}


# --- the partner protocol ----------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [None, "", "  ", 7, True, [], {}, "x" * 256])
@pytest.mark.parametrize("call", ["name", "change"])
def test_cohort_id_must_be_a_valid_string(partner, value, call):
    found = faults(getattr(partner, call)(cohort_id=value))
    assert set(found) == {"/cohort_id"}
    assert "cohort_id" in found["/cohort_id"]


@pytest.mark.parametrize("value", [None, "", "  ", 7, True, [], {}, "x" * 1_001])
def test_name_must_be_a_non_empty_string(partner, value):
    assert set(faults(partner.name(name=value))) == {"/name"}


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31",
        "2026-01-31T09:30:00",
        "yesterday",
        "",
        1769851800,
        True,
        [],
        "2026-02-30T00:00:00Z",
        "2026-01-31T25:00:00Z",
    ],
)
def test_created_at_must_be_iso_8601_with_offset(partner, value):
    found = faults(partner.name(created_at=value))
    assert set(found) == {"/created_at"}
    assert "ISO 8601" in found["/created_at"]


@pytest.mark.parametrize(
    "value", ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123456+05:30", "2026-01-31 09:30:00-08:00", None]
)
def test_created_at_in_iso_8601_is_taken(partner, value):
    assert partner.name(created_at=value).status_code == 201


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"]
)
def test_moment_at_the_end_of_time_is_no_500(partner, value):
    assert partner.name(created_at=value).status_code in {201, 400}


@pytest.mark.parametrize("value", [None, 7, True, {}, "text", "{}", ""])
def test_cohort_changes_must_be_an_array_of_objects(partner, value):
    found = faults(partner.change(cohort_changes=value))
    assert set(found) == {"/cohort_changes"}
    assert "cohort_changes" in found["/cohort_changes"]


@pytest.mark.parametrize("change", [None, 7, "ann", ["ann"], True])
def test_each_change_must_be_an_object(partner, change):
    assert set(faults(partner.change({"user_ids": []}, change))) == {"/cohort_changes/1"}


def test_change_without_any_of_the_three_keys_is_refused(partner):
    assert set(faults(partner.change({}, {"should_remove": True}, {"user_id": []}))) == {
        "/cohort_changes/0",
        "/cohort_changes/1",
        "/cohort_changes/2",
    }


@pytest.mark.parametrize("key", ["user_ids", "device_ids", "aliases"])
@pytest.mark.parametrize("value", [None, "ann", 7, {}, True])
def test_ids_must_be_an_array(partner, key, value):
    assert set(faults(partner.change({key: value}))) == {f"/cohort_changes/0/{key}"}


@pytest.mark.parametrize("key", ["user_ids", "device_ids"])
@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}])
def test_ids_must_be_strings(partner, key, value):
    assert set(faults(partner.change({key: ["ann", value]}))) == {f"/cohort_changes/0/{key}/1"}


@pytest.mark.parametrize(
    "alias",
    [
        None,
        "ann",
        [],
        {},
        {"alias_name": "a"},
        {"alias_label": "a"},
        {"alias_name": 7, "alias_label": "l"},
        {"alias_name": "a", "alias_label": None},
    ],
)
def test_alias_must_be_an_object_of_two_strings(partner, alias):
    good = {"alias_name": "a", "alias_label": "l"}
    assert set(faults(partner.change({"aliases": [good, alias]}))) == {"/cohort_changes/0/aliases/1"}


@pytest.mark.parametrize("value", [None, "true", 1, 0, [], {}])
def test_should_remove_must_be_a_boolean(partner, value):
    answer = partner.change({"user_ids": [], "should_remove": value})
    assert set(faults(answer)) == {"/cohort_changes/0/should_remove"}


def test_empty_text_as_id_is_invalid_and_no_fault(partner):
    answer = partner.change({"user_ids": [""], "aliases": [{"alias_name": "", "alias_label": ""}]})
    assert answer.json() == {"message": "success", "matched": 0, "unmatched": 2}


def test_every_fault_is_listed_at_once(partner):
    answer = partner.change({"user_ids": [1, "a", 2], "should_remove": "no"}, 7, {}, cohort_id=7)
    assert set(faults(answer)) == {
        "/cohort_id",
        "/cohort_changes/0/user_ids/0",
        "/cohort_changes/0/user_ids/2",
        "/cohort_changes/0/should_remove",
        "/cohort_changes/1",
        "/cohort_changes/2",
    }
    assert answer.json()["error_count"] == 6


def test_faults_are_capped_at_20_with_their_total(partner):
    answer = partner.change({"user_ids": list(range(500))})
    assert len(answer.json()["errors"]) == 20
    assert answer.json()["error_count"] == 500
    assert answer.json()["errors"][19]["pointer"] == "/cohort_changes/0/user_ids/19"


def test_one_fault_anywhere_and_nothing_is_applied(partner, people):
    faults(partner.change({"user_ids": ["ann"]}, {"user_ids": ["ben", None]}))


# --- the webhook -------------------------------------------------------------------------------------------
def spoiled(**parameters) -> dict:
    body = page_body(["ann"], page=(1, 1))
    body["parameters"] |= parameters
    return body


@pytest.mark.parametrize("action", [None, "", 7, "Members", "delete", [], {}, True])
def test_action_must_be_one_of_three(mixpanel, action):
    found = faults(mixpanel.send(page_body(["ann"]) | {"action": action}))
    assert set(found) == {"/action"}
    assert "action" in found["/action"]


@pytest.mark.parametrize("value", [None, "", 7, [], "x"])
def test_parameters_must_be_an_object(mixpanel, value):
    assert set(faults(mixpanel.send({"action": "members", "parameters": value}))) == {"/parameters"}


@pytest.mark.parametrize("value", [None, "", " ", True, 1.5, [], {}, "x" * 256])
def test_cohort_id_must_be_text_or_a_number(mixpanel, value):
    assert set(faults(mixpanel.send(spoiled(mixpanel_cohort_id=value)))) == {"/parameters/mixpanel_cohort_id"}


@pytest.mark.parametrize("value", [None, "x", 7, {}, True])
def test_members_must_be_an_array(mixpanel, value):
    assert set(faults(mixpanel.send(spoiled(members=value)))) == {"/parameters/members"}


@pytest.mark.parametrize("value", [None, "ann", 7, [], True])
def test_member_must_be_an_object(mixpanel, value):
    assert set(faults(mixpanel.send(spoiled(members=[{}, value])))) == {"/parameters/members/1"}


def test_more_members_than_a_page_holds_are_refused(mixpanel, settings):
    settings.MAX_IDS_PER_REQUEST = 3
    assert set(faults(mixpanel.send(spoiled(members=[{}] * 4)))) == {"/parameters/members"}
    assert mixpanel.send(spoiled(members=[{}] * 3)).status_code == 200


@pytest.mark.parametrize(
    "info",
    [
        {"total_pages": 0, "page_count": 1},
        {"total_pages": 1, "page_count": 0},
        {"total_pages": -1, "page_count": -1},
        {"total_pages": 2, "page_count": 3},
        {"total_pages": "x", "page_count": 1},
        {"total_pages": 10**12, "page_count": 1},
        {"page_count": 1},
        {},
        {"total_pages": 1.5, "page_count": 1},
        {"total_pages": True, "page_count": 1},
        {"total_pages": "9" * 2_000, "page_count": 1},
        "1/2",
        [],
        7,
    ],
)
def test_page_info_must_say_which_page_of_how_many(mixpanel, info):
    found = faults(mixpanel.send(spoiled(page_info=info)))
    assert all(pointer.startswith("/parameters/page_info") for pointer in found)


@pytest.mark.parametrize("value", [None, ""])
def test_several_pages_need_a_session(mixpanel, value):
    answer = mixpanel.send(spoiled(mixpanel_session_id=value, page_info={"total_pages": 2, "page_count": 1}))
    assert set(faults(answer)) == {"/parameters/mixpanel_session_id"}


@pytest.mark.parametrize("name", ["mixpanel_cohort_name", "mixpanel_cohort_description"])
@pytest.mark.parametrize("value", [[], {}, True, "x" * 10_001])
def test_name_and_description_must_be_text(mixpanel, name, value):
    assert set(faults(mixpanel.send(spoiled(**{name: value})))) == {f"/parameters/{name}"}


def test_every_fault_of_a_page_is_listed_at_once(mixpanel):
    answer = mixpanel.send({"action": "x", "parameters": {"members": [1, 2], "page_info": {"page_count": 0}}})
    assert set(faults(answer)) == {
        "/action",
        "/parameters/mixpanel_cohort_id",
        "/parameters/page_info/total_pages",
        "/parameters/page_info/page_count",
        "/parameters/members/0",
        "/parameters/members/1",
    }


def test_property_name_is_escaped_in_its_pointer(mixpanel):
    assert [fault.pointer for fault in _faults({"a/b~c": {0: ["x"]}})] == ["/a~1b~0c/0"]
