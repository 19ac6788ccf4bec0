"""Members that match nobody are held where the operator chose so, and join when a profile exists that they name."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import DataPointUsage, Integration
from cohorts import held, held_joins, imports, membership, retention
from cohorts.imports import Change
from cohorts.models import Cohort, CohortSync, HeldKey, HeldSet
from cohorts.syncs import Export
from profiles import changes, csv_import, erasure, identifiers, identity, matching, tracking
from profiles.identity import Author
from profiles.identity_names import alias, device, external_id
from tests.cohorts.factories import members_of, moments_ago
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db
Action = CohortSync.Action
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def integration(workspace) -> Integration:
    return Integration.objects.create(workspace=workspace, partner="mixpanel", holds_unmatched=True)


@pytest.fixture
def send(integration):
    """A function that applies one page of the webhook: of external ids, or of members."""

    def send(*who: str | dict[str, str], action: Action = Action.ADD_MEMBERS, **page: Any):
        page = {"session_id": "s", "page": 1, "total_pages": 1} | page
        members = [{"external_id": it} if isinstance(it, str) else it for it in who]
        return imports.apply(
            integration=integration,
            export=Export(partner_cohort_id="c", action=action, **page),
            changes=[Change(identifiers.of_members(members), action == Action.REMOVE_MEMBERS)],
            digest=imports.digest_of(repr((action, who)).encode()),
            now=NOW,
        )

    return send


@pytest.fixture
def change(integration):
    """A function that applies one call of the partner protocol: `+ann` adds, `-ann` removes, `+d:x` is a device."""

    def change(*signed: str):
        def members(name: str) -> list[identifiers.Identified]:
            is_device = name.startswith("d:")
            return identifiers.of_devices([name[2:]]) if is_device else identifiers.of_external_ids([name])

        return imports.apply(
            integration=integration,
            export=Export(partner_cohort_id="c", action=Action.CHANGES),
            changes=[Change(members(it[1:]), should_remove=it[0] == "-") for it in signed],
            digest=b"",
            now=NOW,
        )

    return change


def waiting() -> list[str]:
    """Return the first keys of the members that count as held, without their kind, in order."""
    keys = HeldKey.objects.filter(held_set__state=HeldSet.State.CURRENT, position=0)
    found = sorted({key[2:] for key in keys.values_list("key", flat=True)})
    current = HeldSet.objects.counting().first()
    assert (current.member_count if current else 0) == len(found)
    return found


def members() -> set[int]:
    return members_of(Cohort.objects.get())


def sweep() -> int:
    return held_joins.sweep(now=NOW)


# --- who is held -----------------------------------------------------------------------------------------------
def test_unknown_members_are_held_and_the_answer_stays_the_same(send, integration):
    first = send("ann", "zoe", "null")
    assert waiting() == ["ann", "zoe"]
    integration.holds_unmatched = False
    assert send("ann", "zoe", "null", session_id="other") == first


def test_nobody_is_held_where_the_integration_does_not(send, integration):
    integration.holds_unmatched = False
    send("ann")
    send("ann", action=Action.MEMBERS, session_id="full")
    assert not HeldSet.objects.exists()


def test_nobody_is_ever_made_a_profile(send, workspace):
    send("ann")
    assert sweep() == 0
    assert matching.lookup(workspace_id=workspace.pk, keys=["e:ann"]) == {}


def test_device_of_an_identified_profile_is_not_held_and_a_held_one_joins_anonymous_profiles_only(change):
    ProfileFactory.create(external_id="ann", devices=["phone"])
    change("+d:phone", "+d:tablet", "+d:watch")
    assert waiting() == ["tablet", "watch"]
    anonymous = ProfileFactory.create(anonymous=True, devices=["tablet"])
    ProfileFactory.create(external_id="ben", devices=["watch"])
    assert sweep() == 1
    assert members() == {anonymous.pk}
    assert waiting() == ["watch"]


def test_repeats_change_nothing(change, send):
    change("+ann")
    held_at = HeldKey.objects.get().held_at
    change("+ann")
    send("ann")
    send("ann")
    assert waiting() == ["ann"]
    assert HeldKey.objects.get().held_at == held_at


def test_last_word_of_a_request_counts(change):
    change("+ann", "+ben", "-ann")
    assert waiting() == ["ben"]
    change("-ben", "+ann", "+ben")
    assert waiting() == ["ann", "ben"]


def test_who_is_removed_is_held_no_longer_by_any_of_their_keys(send):
    send({"external_id": "ann", "mixpanel_distinct_id": "m1"}, {"mixpanel_distinct_id": "m2"})
    send({"mixpanel_distinct_id": "m1"}, action=Action.REMOVE_MEMBERS)
    assert waiting() == ["m2"]


def test_who_is_removed_by_another_name_is_held_no_longer(send, change, workspace):
    """The profile got the held alias meanwhile, and the next sweep has not come yet."""
    send({"mixpanel_distinct_id": "m1"})
    profile = ProfileFactory.create(external_id="ann", aliases=[("mixpanel_distinct_id", "m1")])
    change("-ann")
    assert sweep() == 0
    assert profile.pk not in members()


def test_key_too_long_for_any_profile_is_not_held(change):
    change(f"+{'é' * 1_500}")
    assert waiting() == []


def test_no_more_than_the_cap_is_held(settings, change):
    settings.HELD_MEMBERS_PER_COHORT = 2
    change("+ann", "+ben", "+cleo")
    change("+ann", "+dora")
    assert waiting() == ["ann", "ben"]
    assert CohortSync.objects.get().held_count == 3  # ann, who came again, counts for each page
    change("-ann", "+dora")
    assert waiting() == ["ben", "dora"]


def test_sync_says_how_many_are_held(send):
    send("ann", "zoe", "null")
    sync = CohortSync.objects.get()
    assert (sync.unknown_count, sync.held_count, sync.unmatched_count) == (2, 2, 3)


# --- full syncs ------------------------------------------------------------------------------------------------
def test_full_sync_replaces_who_is_held_at_the_swap_and_not_before(send):
    send("ann", "ben")
    send("ben", action=Action.MEMBERS, session_id="full", page=1, total_pages=2)
    assert waiting() == ["ann", "ben"]
    send("cleo", action=Action.MEMBERS, session_id="full", page=2, total_pages=2)
    assert waiting() == ["ben", "cleo"]


def test_full_sync_without_unmatched_members_lets_all_go(send, workspace):
    send("ann")
    make_people(workspace, ["ben"])
    send("ben", action=Action.MEMBERS, session_id="full")
    assert waiting() == []
    sweep()
    assert not HeldSet.objects.exists()
    assert not HeldKey.objects.exists()


def test_page_of_a_full_sync_takes_the_place_of_one_of_its_number(send):
    full = {"action": Action.MEMBERS, "session_id": "full", "total_pages": 2}
    send("ann", "ben", page=1, **full)
    send("ann", page=1, **full)
    send("ann", "cleo", page=2, **full)
    assert waiting() == ["ann", "cleo"]


def test_member_on_two_pages_stays_held_when_one_of_them_is_replaced(send):
    full = {"action": Action.MEMBERS, "session_id": "full", "total_pages": 3}
    send("ann", "ben", page=1, **full)
    send("ann", page=2, **full)
    send("dora", page=1, **full)
    send(page=3, **full)
    assert waiting() == ["ann", "dora"]


def test_pages_past_the_end_do_not_count(send):
    full = {"action": Action.MEMBERS, "session_id": "full"}
    send("ann", page=3, total_pages=3, **full)
    send("ben", page=1, total_pages=1, **full)
    assert waiting() == ["ben"]


def test_superseded_and_expired_syncs_drop_what_they_collected(send):
    send("ann", action=Action.MEMBERS, session_id="one", page=1, total_pages=2)
    send("ben", action=Action.MEMBERS, session_id="two", page=1, total_pages=2)
    assert [it.sync.session_id for it in HeldSet.objects.wanted()] == ["two"]
    retention.expire_unfinished(before=NOW + timedelta(days=9), now=NOW + timedelta(days=9))
    assert not HeldSet.objects.wanted().exists()
    sweep()
    assert not HeldKey.objects.exists()


# --- joining ---------------------------------------------------------------------------------------------------
def test_held_member_joins_once_and_the_history_says_so(send, workspace):
    send("ann", "zoe")
    (ann,) = make_people(workspace, ["ann"]).values()
    assert (sweep(), sweep()) == (1, 0)
    assert members() == {ann}
    assert waiting() == ["zoe"]
    membership.compact(cohort=Cohort.objects.get())
    joined = CohortSync.objects.get(action=Action.HELD)
    assert (joined.entered_count, joined.received_count, joined.status) == (1, 0, CohortSync.Status.COMPLETE)
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 1


def test_joins_of_one_day_are_one_sync(send, workspace):
    send("ann", "ben")
    for name in ("ann", "ben"):
        make_people(workspace, [name])
        assert sweep() == 1
    assert CohortSync.objects.get(action=Action.HELD).pages_count == 2


def test_first_key_that_is_somebody_wins(send, workspace):
    send({"external_id": "ann", "mixpanel_distinct_id": "ben"})
    people = make_people(workspace, ["ben", "ann"])
    assert sweep() == 1
    assert members() == {people["ann"]}


ALIAS = {"label": "mixpanel_distinct_id", "name": "m1"}


def track(workspace_id: int) -> None:
    body = {"attributes": [{"external_id": "m1", "first_name": "Ann"}]}
    tracking.track(workspace_id=workspace_id, body=body, now=NOW)


def import_csv(workspace_id: int) -> None:
    source = io.BytesIO(b"external_id,first_name\nm1,Ann\n")
    list(csv_import.run(workspace_id=workspace_id, source=source, rejected=io.StringIO()))


def add_alias(workspace_id: int) -> None:
    ProfileFactory.create(external_id="ann")
    new = [identity.Alias(**ALIAS, external_id="ann")]
    identity.add_aliases(workspace_id=workspace_id, aliases=new, author=Author(), now=NOW)


def identify(workspace_id: int) -> None:
    ProfileFactory.create(anonymous=True, aliases=[("shop", "1")])
    pairs = [(alias(label="shop", name="1"), "m1")]
    identity.identify(workspace_id=workspace_id, pairs=pairs, author=Author(), now=NOW)


def rename(workspace_id: int) -> None:
    ProfileFactory.create(external_id="ann")
    identity.rename(workspace_id=workspace_id, renames=[("ann", "m1")], author=Author(), now=NOW)


def merge(workspace_id: int) -> None:
    ProfileFactory.create(external_id="ann")
    ProfileFactory.create(anonymous=True, aliases=[(ALIAS["label"], ALIAS["name"])])
    pairs = [(alias(**ALIAS), external_id("ann"))]
    identity.merge(workspace_id=workspace_id, pairs=pairs, author=Author(), now=NOW)


@pytest.mark.parametrize("door", [track, import_csv, add_alias, identify, rename, merge])
def test_every_door_by_which_somebody_gets_an_identifier_lets_their_member_join(
    send, workspace, door, monkeypatch
):
    monkeypatch.setattr(changes, "as_of", moments_ago)
    send({"mixpanel_distinct_id": "m1"})
    sweep()  # from now on only what changes is looked at
    monkeypatch.setattr(held_joins.held_rows, "of_anybody", None)
    door(workspace.pk)
    found = matching.lookup(workspace_id=workspace.pk, keys=["e:m1", matching.alias_key(**ALIAS)])
    sweep()
    assert members() == set(found.values()) != set()


def test_matched_meanwhile_is_held_no_longer_and_costs_nothing_twice(send, workspace):
    send("ann")
    make_people(workspace, ["ann"])
    send("ann", session_id="later")
    assert sweep() == 0
    assert waiting() == []
    assert not CohortSync.objects.filter(action=Action.HELD).exists()


def test_removed_meanwhile_never_joins(send, workspace):
    send("ann")
    send("ann", action=Action.REMOVE_MEMBERS)
    make_people(workspace, ["ann"])
    assert sweep() == 0
    assert members() == set()


def test_members_of_another_workspace_do_not_join(send, other_workspace):
    send("ann")
    make_people(other_workspace, ["ann"])
    assert sweep() == 0


def test_nothing_held_costs_one_query(django_assert_num_queries, workspace):
    with django_assert_num_queries(1):
        sweep()


def test_who_changed_is_looked_at_and_nobody_else(send, workspace, monkeypatch):
    """Once compared with all, a set is compared with what changed since; too many changes, and with all again."""
    monkeypatch.setattr(changes, "as_of", moments_ago)
    send("ann", "ben")
    sweep()
    looked = []
    of_anybody = held_joins.held_rows.of_anybody
    monkeypatch.setattr(
        held_joins.held_rows, "of_anybody", lambda **at: looked.append(at) or of_anybody(**at)
    )
    make_people(workspace, ["ann"])
    assert (sweep(), looked) == (1, [])
    monkeypatch.setattr(held_joins, "MAX_CHANGED", 0)
    make_people(workspace, ["ben"])
    assert sweep() == 1
    assert len(looked) == 1


def test_profile_that_came_while_its_page_was_on_its_way_joins(send, workspace, monkeypatch):
    send("zoe")
    match = matching.match

    def match_too_early(**asked: Any):
        outcomes = match(**asked)
        make_people(workspace, ["ann"])
        sweep()
        monkeypatch.setattr(changes, "as_of", moments_ago)
        return outcomes

    monkeypatch.setattr(matching, "match", match_too_early)
    send("ann", session_id="later")
    assert waiting() == ["ann", "zoe"]
    assert sweep() == 1


def test_page_that_was_matched_before_a_join_is_matched_again(send, workspace, monkeypatch):
    send("ann")
    match = matching.match

    def match_too_early(**asked: Any):
        outcomes = match(**asked)
        monkeypatch.setattr(matching, "match", match)
        make_people(workspace, ["ann"])
        assert sweep() == 1
        return outcomes

    monkeypatch.setattr(matching, "match", match_too_early)
    send("ann", action=Action.REMOVE_MEMBERS)
    assert members() == set()


# --- no longer held --------------------------------------------------------------------------------------------
def test_switched_off_holds_nobody(send, integration, workspace):
    send("ann")
    Integration.objects.update(holds_unmatched=False)
    make_people(workspace, ["ann"])
    assert sweep() == 0
    assert not HeldKey.objects.exists()
    assert not HeldSet.objects.exists()


def test_switched_off_and_on_again_before_the_sweep_holds_nobody(send, integration, workspace):
    send("ann")
    held.forget_partner(integration=integration)
    make_people(workspace, ["ann"])
    assert sweep() == 0


def test_deleted_cohort_holds_nobody(send, workspace):
    send("ann")
    Cohort.objects.update(ignored_at=NOW)
    make_people(workspace, ["ann"])
    assert sweep() == 0
    assert not HeldKey.objects.exists()


def test_collected_for_a_sync_that_ended_while_switched_off_goes(send, integration):
    full = {"action": Action.MEMBERS, "session_id": "full", "total_pages": 2}
    send("ann", page=1, **full)
    integration.holds_unmatched = False
    send("ben", page=2, **full)
    sweep()
    assert not HeldKey.objects.exists()


def test_held_members_expire(send, monkeypatch):
    monkeypatch.setattr(held, "BATCH", 2)
    send("ann", "ben", "cleo")
    assert held.expire(before=timezone.now() - timedelta(days=1)) == 0
    assert held.expire(before=timezone.now() + timedelta(days=1)) == 3
    assert waiting() == []


def test_large_sets_are_deleted_batch_by_batch(send, monkeypatch):
    monkeypatch.setattr(held, "BATCH", 2)
    send("ann", "ben", "cleo")
    held.forget(cohort_ids=[Cohort.objects.get().pk])
    held.clear()
    assert not HeldKey.objects.exists()


def test_erased_person_is_held_no_longer_by_any_name(send, workspace):
    """Also by keys that match nobody yet: they name the person."""
    ProfileFactory.create(external_id="ann", devices=["phone"], aliases=[("shop", "a:1")])
    others = [{"external_id": "zoe", "mixpanel_distinct_id": name} for name in ("ann", "a:1")]
    send(*others, {"external_id": "ben"})
    erasure.erase(workspace_id=workspace.pk, names=[external_id("ann")], author=Author(), now=NOW)
    assert waiting() == ["ben"]


def test_erased_name_of_nobody_is_held_no_longer(send, change, workspace):
    send("ann", {"mixpanel_distinct_id": "m1"}, "ben")
    change("+d:phone")
    names = [external_id("ann"), alias(**ALIAS), device("phone")]
    erasure.erase(workspace_id=workspace.pk, names=names, author=Author(), now=NOW)
    assert waiting() == ["ben"]
    samples = CohortSync.objects.values_list("unmatched_sample", flat=True)
    assert [it["identifier"] for sample in samples for it in sample] == ["ben"]


def test_erasure_elsewhere_lets_nobody_go_here(send, other_workspace):
    send("ann")
    erasure.erase(workspace_id=other_workspace.pk, names=[external_id("ann")], author=Author(), now=NOW)
    assert waiting() == ["ann"]
