"""PROTOCOLS section 1: the partner cohort import, sentence by sentence."""

from __future__ import annotations

import json
import runpy
import types

import pytest

from accounts.models import DataPointUsage
from cohorts import membership
from cohorts.models import Cohort, CohortDelta, CohortSync
from profiles.models import Profile
from tests.accounts.factories import make_key
from tests.api.clients import Partner
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def prefixed_urls(settings):
    """Addresses as they are when the operator sets a path prefix: they are built when the module is read."""
    settings.ENDPOINT_PREFIX = "braze/eu-1"
    module = types.ModuleType("prefixed_urls")
    module.__dict__.update(runpy.run_path(str(settings.BASE_DIR / "config" / "urls.py")))
    settings.ROOT_URLCONF = module


# --- addresses ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slash", ["", "/"])
def test_trailing_slash_makes_no_difference(partner, people, members, slash):
    assert partner.name(slash=slash).status_code == 201
    assert partner.change({"user_ids": ["ann"]}, slash=slash).status_code == 201
    assert members() == {"ann"}


@pytest.mark.parametrize("prefix", ["", "/braze/eu-1"])
def test_endpoint_may_have_a_path_prefix(prefixed_urls, data_import_key, people, members, prefix):
    partner = Partner(data_import_key[1], prefix=prefix)
    assert partner.name().status_code == 201
    assert partner.change({"user_ids": ["ann"]}, slash="/").status_code == 201
    assert members() == {"ann"}


def test_any_partner_slug_works(workspace, people, members):
    _key, secret = make_key(workspace, "amplitude")
    assert Partner(secret, partner="amplitude").change({"user_ids": ["ben"]}).status_code == 201
    assert members() == {"ben"}
    assert Cohort.objects.get().partner == "amplitude"


def test_same_cohort_id_of_two_partners_is_two_cohorts(workspace, partner, people):
    _key, secret = make_key(workspace, "segment")
    partner.name("c", "Of Mixpanel")
    Partner(secret, partner="segment").name("c", "Of Segment")
    assert set(Cohort.objects.values_list("partner", "name")) == {
        ("mixpanel", "Of Mixpanel"),
        ("segment", "Of Segment"),
    }


def test_same_cohort_id_of_two_workspaces_is_two_cohorts(other_workspace, partner, people):
    _key, secret = make_key(other_workspace)
    partner.name("c", "Here")
    Partner(secret).name("c", "There")
    assert Cohort.objects.for_workspace(other_workspace).get().name == "There"
    assert Cohort.objects.count() == 2


def test_key_decides_the_workspace(other_workspace, people, members):
    _key, secret = make_key(other_workspace)
    answer = Partner(secret).change({"user_ids": ["ann"]})
    assert answer.json() == {"message": "success", "matched": 0, "unmatched": 1}
    assert members(in_workspace=other_workspace) == set()


# --- naming ------------------------------------------------------------------------------------------------
def test_naming_a_cohort_answers_201_success(partner):
    answer = partner.name("3184512", "Lapsed", created_at="2026-01-31T09:30:00Z")
    assert (answer.status_code, answer.json()) == (201, {"message": "success"})
    assert answer["Content-Type"] == "application/json"


def test_later_call_renames(partner):
    partner.name("c", "Old")
    partner.name("c", "New")
    assert Cohort.objects.get().name == "New"


def test_naming_is_idempotent_and_leaves_members_alone(partner, people, members):
    for _ in range(3):
        partner.name()
        partner.change({"user_ids": ["ann"]})
    assert members() == {"ann"}
    assert Cohort.objects.count() == 1


def test_first_created_at_is_kept(partner):
    partner.name()
    partner.name(created_at="2026-01-31T09:30:00+02:00")
    partner.name(created_at="2026-02-01T00:00:00Z")
    assert Cohort.objects.get().partner_created_at.isoformat() == "2026-01-31T07:30:00+00:00"


def test_users_call_before_naming_creates_the_cohort_named_after_its_id(partner, people, members):
    assert partner.change({"user_ids": ["ann"]}, cohort_id="3184512").status_code == 201
    assert Cohort.objects.get().name == "3184512"
    partner.name("3184512", "Lapsed")
    assert Cohort.objects.get().name == "Lapsed"
    assert members("3184512") == {"ann"}


def test_users_call_never_renames(partner, people):
    partner.name("c", "Lapsed")
    partner.change({"user_ids": ["ann"]})
    assert Cohort.objects.get().name == "Lapsed"


# --- members -----------------------------------------------------------------------------------------------
def test_all_three_identifiers_reach_profiles(partner, workspace, people, members):
    by_alias = ProfileFactory.create(aliases=[("crm:eu", "9%1")])
    by_device = ProfileFactory.create(anonymous=True, devices=["phone"])
    answer = partner.change(
        {
            "user_ids": ["ann"],
            "aliases": [{"alias_label": "crm:eu", "alias_name": "9%1"}],
            "device_ids": ["phone"],
        }
    )
    assert answer.json() == {"message": "success", "matched": 3, "unmatched": 0}
    assert members() == {"ann", str(by_alias.pk), str(by_device.pk)}


def test_should_remove_is_false_by_default(partner, people, members):
    partner.change({"user_ids": ["ann", "ben"]}, {"user_ids": ["ann"], "should_remove": True})
    partner.change({"user_ids": ["cleo"], "should_remove": False})
    assert members() == {"ben", "cleo"}


def test_removing_somebody_who_is_no_member_is_no_fault(partner, people, members):
    assert partner.change({"user_ids": ["ann"], "should_remove": True}).json()["matched"] == 1
    assert members() == set()


@pytest.mark.parametrize(("first", "result"), [(True, {"ann"}), (False, set())])
def test_objects_are_applied_in_their_order(partner, people, members, first, result):
    partner.change(
        {"user_ids": ["ann"], "should_remove": first}, {"user_ids": ["ann"], "should_remove": not first}
    )
    assert members() == result


def test_three_objects_on_one_person_end_with_the_last(partner, people, members):
    partner.change({"user_ids": ["ann"]})
    remove = {"user_ids": ["ann"], "should_remove": True}
    partner.change(remove, {"user_ids": ["ann"]}, remove)
    assert members() == set()


def test_array_may_be_empty(partner, people, members):
    assert partner.change({"user_ids": []}).json() == {"message": "success", "matched": 0, "unmatched": 0}
    assert members() == set()


def test_changes_may_come_as_a_json_string(partner, people, members):
    changes = json.dumps([{"user_ids": ["ann"]}, {"user_ids": ["ben"]}])
    assert partner.change(cohort_changes=changes).json()["matched"] == 2
    assert members() == {"ann", "ben"}


@pytest.mark.parametrize(
    "text", ["", "[", "{}", "null", '[{"user_ids": ["\\u0000"]}]', '[{"user_ids": "ann"}]']
)
def test_json_string_of_anything_else_is_refused(partner, text):
    assert partner.change(cohort_changes=text).status_code == 400
    assert not Cohort.objects.exists()


def test_connection_test_creates_no_cohort(partner):
    assert partner.change().status_code == 201
    assert partner.change(cohort_changes="[]").status_code == 201
    assert not Cohort.objects.exists()


def test_person_added_by_id_and_removed_by_device_stays(partner, workspace, members):
    person = ProfileFactory.create(external_id="kim", devices=["kims-phone"])
    answer = partner.change({"user_ids": ["kim"]}, {"device_ids": ["kims-phone"], "should_remove": True})
    assert answer.json() == {"message": "success", "matched": 1, "unmatched": 1}
    assert members() == {str(person.pk)}
    assert CohortSync.objects.get().identified_count == 1


def test_device_matches_anonymous_profiles_only(partner, workspace, members):
    ProfileFactory.create(devices=["hers"])
    ghost = ProfileFactory.create(anonymous=True, devices=["a-ghosts"])
    partner.change({"device_ids": ["hers", "a-ghosts", "nobodys"]})
    assert members() == {str(ghost.pk)}
    sync = CohortSync.objects.get()
    assert (sync.matched_count, sync.identified_count, sync.unknown_count) == (1, 1, 1)


def test_profile_reached_by_two_identifiers_counts_once(partner, workspace, members):
    person = ProfileFactory.create(external_id="kim", aliases=[("crm", "1")])
    answer = partner.change(
        {"user_ids": ["kim", "kim"], "aliases": [{"alias_label": "crm", "alias_name": "1"}]}
    )
    assert answer.json() == {"message": "success", "matched": 1, "unmatched": 0}
    assert members() == {str(person.pk)}


def test_no_profile_is_ever_created(partner, people):
    partner.change(
        {"user_ids": ["zoe"], "device_ids": ["x"], "aliases": [{"alias_name": "1", "alias_label": "l"}]}
    )
    assert Profile.objects.count() == len(people)
    assert CohortSync.objects.get().unknown_count == 3


def test_same_text_as_two_kinds_of_identifier_is_two_unmatched(partner, workspace):
    answer = partner.change({"user_ids": ["x"], "device_ids": ["x"]})
    assert answer.json()["unmatched"] == 2


def test_ids_are_exact_and_case_sensitive(partner, people, members):
    answer = partner.change({"user_ids": ["Ann", " ann", "ann ", "ANN"]})
    assert answer.json() == {"message": "success", "matched": 0, "unmatched": 4}
    assert members() == set()


def test_unmatched_are_kept_with_their_reason(partner, workspace):
    ProfileFactory.create(devices=["hers"])
    partner.change({"user_ids": ["zoe", "null"], "device_ids": ["hers"]})
    sample = CohortSync.objects.get().unmatched_sample
    assert {it["identifier"]: it["reason"] for it in sample} == {
        "zoe": "unknown",
        "null": "invalid",
        "hers": "identified_use_external_id",
    }


def test_sample_of_unmatched_is_capped(partner, workspace, settings):
    settings.UNMATCHED_SAMPLE_SIZE = 3
    partner.change({"user_ids": ["a", "b"]})
    partner.change({"user_ids": ["c", "d"]})
    sync = CohortSync.objects.get()
    assert [it["identifier"] for it in sync.unmatched_sample] == ["a", "b", "c"]
    assert sync.unknown_count == 4


# --- limits ------------------------------------------------------------------------------------------------
def test_thousand_ids_of_all_kinds_are_allowed(partner, people, members):
    answer = partner.change(
        {"user_ids": ["ann"] + [f"u{n}" for n in range(499)]},
        {"device_ids": [f"d{n}" for n in range(500)], "should_remove": True},
    )
    assert answer.status_code == 201
    assert members() == {"ann"}


def test_above_a_thousand_ids_nothing_is_applied(partner, people, members):
    partner.name()
    answer = partner.change(
        {"user_ids": ["ann"]},
        {"device_ids": [f"d{n}" for n in range(999)], "aliases": [{"alias_name": "1", "alias_label": "l"}]},
    )
    assert answer.status_code == 400
    assert "1,000" in answer.json()["message"]
    assert answer.json()["errors"][0]["pointer"] == "/cohort_changes"
    assert members() == set()
    assert not CohortDelta.objects.exists()


def test_operator_can_raise_the_limit(partner, people, settings):
    settings.MAX_IDS_PER_REQUEST = 5_000
    assert partner.change({"user_ids": [f"u{n}" for n in range(5_000)]}).json()["unmatched"] == 5_000


# --- accounting --------------------------------------------------------------------------------------------
def test_each_effective_change_is_one_data_point(partner, people):
    partner.change({"user_ids": ["ann", "ben"]})
    partner.change({"user_ids": ["ann"]})
    partner.change({"user_ids": ["ann", "eve"], "should_remove": True})
    membership.compact(cohort=Cohort.objects.get())
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 3
