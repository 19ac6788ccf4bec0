"""Members that match nobody are held where the operator chose so: who, for how long, and what a full sync does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import integrations
from accounts.models import Integration
from cohorts import held, retention
from cohorts.models import Cohort, CohortSync, HeldKey, HeldSet
from profiles import erasure, matching
from profiles.identity import Author
from profiles.identity_names import alias, device, external_id
from tests.cohorts.holding import ALIAS, NOW, Action, change, make_holding, members, send, sweep, waiting
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def integration(workspace) -> Integration:
    return make_holding(workspace)


# --- who is held -----------------------------------------------------------------------------------------------
def test_unknown_members_are_held_and_the_answer_stays_the_same(integration):
    first = send("ann", "zoe", "null")
    assert waiting() == ["ann", "zoe"]
    Integration.objects.update(holds_unmatched=False)
    assert send("ann", "zoe", "null", session_id="other") == first


def test_nobody_is_held_where_the_integration_does_not(integration):
    Integration.objects.update(holds_unmatched=False)
    send("ann")
    send("ann", action=Action.MEMBERS, session_id="full")
    assert not HeldSet.objects.exists()


def test_page_asks_nothing_of_held_members_where_the_integration_does_not_hold():
    Integration.objects.update(holds_unmatched=False)
    with CaptureQueriesContext(connection) as captured:
        send("ann", action=Action.REMOVE_MEMBERS)
        send("ann", action=Action.MEMBERS, session_id="full")
        change("+ann", "-ben")
    assert len(captured) > 3
    assert [query["sql"] for query in captured if "cohorts_held" in query["sql"]] == []


def test_nobody_is_ever_made_a_profile(workspace):
    send("ann")
    assert sweep() == 0
    assert matching.lookup(workspace_id=workspace.pk, keys=["e:ann"]) == {}


def test_device_of_an_identified_profile_is_not_held_and_a_held_one_joins_anonymous_profiles_only():
    ProfileFactory.create(external_id="ann", devices=["phone"])
    change("+d:phone", "+d:tablet", "+d:watch")
    assert waiting() == ["tablet", "watch"]
    anonymous = ProfileFactory.create(anonymous=True, devices=["tablet"])
    ProfileFactory.create(external_id="ben", devices=["watch"])
    assert sweep() == 1
    assert members() == {anonymous.pk}
    assert waiting() == ["watch"]


def test_repeats_change_nothing():
    change("+ann")
    held_at = HeldKey.objects.get().held_at
    change("+ann")
    send("ann")
    send("ann")
    assert waiting() == ["ann"]
    assert HeldKey.objects.get().held_at == held_at


def test_last_word_of_a_request_counts():
    change("+ann", "+ben", "-ann")
    assert waiting() == ["ben"]
    change("-ben", "+ann", "+ben")
    assert waiting() == ["ann", "ben"]


def test_who_is_removed_is_held_no_longer_by_any_of_their_keys():
    send({"external_id": "ann", "mixpanel_distinct_id": "m1"}, {"mixpanel_distinct_id": "m2"})
    send({"mixpanel_distinct_id": "m1"}, action=Action.REMOVE_MEMBERS)
    assert waiting() == ["m2"]


def test_who_is_removed_by_another_name_is_held_no_longer(workspace):
    """The profile got the held alias meanwhile, and the next sweep has not come yet."""
    send({"mixpanel_distinct_id": "m1"})
    profile = ProfileFactory.create(external_id="ann", aliases=[("mixpanel_distinct_id", "m1")])
    change("-ann")
    assert sweep() == 0
    assert profile.pk not in members()


def test_key_too_long_for_any_profile_is_not_held():
    change(f"+{'é' * 1_500}")
    assert waiting() == []


def test_no_more_than_the_cap_is_held(settings):
    settings.HELD_MEMBERS_PER_COHORT = 2
    change("+ann", "+ben", "+cleo")
    change("+ann", "+dora")
    assert waiting() == ["ann", "ben"]
    assert CohortSync.objects.get().held_count == 3  # ann, who came again, counts for each page
    change("-ann", "+dora")
    assert waiting() == ["ben", "dora"]


def test_sync_says_how_many_are_held():
    send("ann", "zoe", "null")
    sync = CohortSync.objects.get()
    assert (sync.unknown_count, sync.held_count, sync.unmatched_count) == (2, 2, 3)


# --- full syncs ------------------------------------------------------------------------------------------------
def test_full_sync_replaces_who_is_held_at_the_swap_and_not_before():
    send("ann", "ben")
    send("ben", action=Action.MEMBERS, session_id="full", page=1, total_pages=2)
    assert waiting() == ["ann", "ben"]
    send("cleo", action=Action.MEMBERS, session_id="full", page=2, total_pages=2)
    assert waiting() == ["ben", "cleo"]


def test_full_sync_without_unmatched_members_lets_all_go(workspace):
    send("ann")
    make_people(workspace, ["ben"])
    send("ben", action=Action.MEMBERS, session_id="full")
    assert waiting() == []
    sweep()
    assert not HeldSet.objects.exists()
    assert not HeldKey.objects.exists()


def test_page_of_a_full_sync_takes_the_place_of_one_of_its_number():
    full = {"action": Action.MEMBERS, "session_id": "full", "total_pages": 2}
    send("ann", "ben", page=1, **full)
    send("ann", page=1, **full)
    send("ann", "cleo", page=2, **full)
    assert waiting() == ["ann", "cleo"]


def test_member_on_two_pages_stays_held_when_one_of_them_is_replaced():
    full = {"action": Action.MEMBERS, "session_id": "full", "total_pages": 3}
    send("ann", "ben", page=1, **full)
    send("ann", page=2, **full)
    send("dora", page=1, **full)
    send(page=3, **full)
    assert waiting() == ["ann", "dora"]


def test_pages_past_the_end_do_not_count():
    full = {"action": Action.MEMBERS, "session_id": "full"}
    send("ann", page=3, total_pages=3, **full)
    send("ben", page=1, total_pages=1, **full)
    assert waiting() == ["ben"]


def test_superseded_and_expired_syncs_drop_what_they_collected():
    send("ann", action=Action.MEMBERS, session_id="one", page=1, total_pages=2)
    send("ben", action=Action.MEMBERS, session_id="two", page=1, total_pages=2)
    assert [it.sync.session_id for it in HeldSet.objects.wanted()] == ["two"]
    retention.expire_unfinished(before=NOW + timedelta(days=9), now=NOW + timedelta(days=9))
    assert not HeldSet.objects.wanted().exists()
    sweep()
    assert not HeldKey.objects.exists()


def switch(workspace, *, is_on: bool) -> None:
    """Let members be held from now on, or not, as the page of settings does."""
    values = {"holds_unmatched": is_on}
    integrations.change(workspace=workspace, partner="mixpanel", values=values, by=None, now=NOW)


def test_who_names_somebody_removed_is_not_held_though_the_same_call_adds_them_again(integration, workspace):
    change("+d:x")
    ProfileFactory.create(anonymous=True, devices=["x", "y"])
    change("-d:y", "+d:y")
    assert waiting() == []


# --- no longer held --------------------------------------------------------------------------------------------
def test_switched_off_holds_nobody(integration, workspace):
    send("ann")
    Integration.objects.update(holds_unmatched=False)
    make_people(workspace, ["ann"])
    assert sweep() == 0
    assert not HeldKey.objects.exists()
    assert not HeldSet.objects.exists()


def test_switched_off_and_on_again_before_the_sweep_holds_nobody(integration, workspace):
    send("ann", "ben")
    switch(workspace, is_on=False)
    send("ann", action=Action.REMOVE_MEMBERS, session_id="while it is off")
    switch(workspace, is_on=True)
    assert waiting() == []
    make_people(workspace, ["ann", "ben"])
    assert sweep() == 0


def test_other_settings_and_other_partners_let_nobody_go(integration, workspace):
    send("ann")
    for partner, values in [
        ("mixpanel", {"id_limit": 5}),
        ("heap", {"id_limit": 5, "holds_unmatched": True}),
    ]:
        integrations.change(workspace=workspace, partner=partner, values=values, by=None, now=NOW)
    integrations.change(
        workspace=workspace, partner="heap", values={"holds_unmatched": False}, by=None, now=NOW
    )
    assert waiting() == ["ann"]


def test_deleted_cohort_holds_nobody(workspace):
    send("ann")
    Cohort.objects.update(ignored_at=NOW)
    make_people(workspace, ["ann"])
    assert sweep() == 0
    assert not HeldKey.objects.exists()


def test_collected_for_a_sync_that_ended_while_switched_off_goes(integration):
    full = {"action": Action.MEMBERS, "session_id": "full", "total_pages": 2}
    send("ann", page=1, **full)
    Integration.objects.update(holds_unmatched=False)
    send("ben", page=2, **full)
    sweep()
    assert not HeldKey.objects.exists()


def test_held_members_expire(monkeypatch):
    monkeypatch.setattr(held, "BATCH", 2)
    send("ann", "ben", "cleo")
    assert held.expire(before=timezone.now() - timedelta(days=1)) == 0
    assert held.expire(before=timezone.now() + timedelta(days=1)) == 3
    assert waiting() == []


def test_large_sets_are_deleted_batch_by_batch(monkeypatch):
    monkeypatch.setattr(held, "BATCH", 2)
    send("ann", "ben", "cleo")
    held.forget(cohort_ids=[Cohort.objects.get().pk])
    held.clear()
    assert not HeldKey.objects.exists()


def test_erased_person_is_held_no_longer_by_any_name(workspace):
    """Also by keys that match nobody yet: they name the person."""
    ProfileFactory.create(external_id="ann", devices=["phone"], aliases=[("shop", "a:1")])
    others = [{"external_id": "zoe", "mixpanel_distinct_id": name} for name in ("ann", "a:1")]
    send(*others, {"external_id": "ben"})
    erasure.erase(workspace_id=workspace.pk, names=[external_id("ann")], author=Author(), now=NOW)
    assert waiting() == ["ben"]


def test_erased_name_of_nobody_is_held_no_longer(workspace):
    send("ann", {"mixpanel_distinct_id": "m1"}, "ben")
    change("+d:phone")
    names = [external_id("ann"), alias(**ALIAS), device("phone")]
    erasure.erase(workspace_id=workspace.pk, names=names, author=Author(), now=NOW)
    assert waiting() == ["ben"]
    samples = CohortSync.objects.values_list("unmatched_sample", flat=True)
    assert [it["identifier"] for sample in samples for it in sample] == ["ben"]


def test_erasure_elsewhere_lets_nobody_go_here(other_workspace):
    send("ann")
    erasure.erase(workspace_id=other_workspace.pk, names=[external_id("ann")], author=Author(), now=NOW)
    assert waiting() == ["ann"]
