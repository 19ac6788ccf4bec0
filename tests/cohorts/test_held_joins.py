"""Held members join when a profile exists that they name: once, by whatever door it came, and whoever was on the way."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import DataPointUsage, Integration
from cohorts import held_joins, membership
from cohorts.models import Cohort, CohortSync
from profiles import changes, csv_import, identity, matching, tracking
from profiles.identity import Author
from profiles.identity_names import alias, external_id
from tests.cohorts.factories import moments_ago
from tests.cohorts.holding import ALIAS, NOW, Action, make_holding, members, send, sweep, waiting
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def integration(workspace) -> Integration:
    return make_holding(workspace)


def test_held_member_joins_once_and_the_history_says_so(workspace):
    send("ann", "zoe")
    (ann,) = make_people(workspace, ["ann"]).values()
    assert (sweep(), sweep()) == (1, 0)
    assert members() == {ann}
    assert waiting() == ["zoe"]
    membership.compact(cohort=Cohort.objects.get())
    joined = CohortSync.objects.get(action=Action.HELD)
    assert (joined.entered_count, joined.received_count, joined.status) == (1, 0, CohortSync.Status.COMPLETE)
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 1


def test_joins_of_one_day_are_one_sync(workspace):
    send("ann", "ben")
    for name in ("ann", "ben"):
        make_people(workspace, [name])
        assert sweep() == 1
    assert CohortSync.objects.get(action=Action.HELD).pages_count == 2


def test_first_key_that_is_somebody_wins(workspace):
    send({"external_id": "ann", "mixpanel_distinct_id": "ben"})
    people = make_people(workspace, ["ben", "ann"])
    assert sweep() == 1
    assert members() == {people["ann"]}


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
def test_every_door_by_which_somebody_gets_an_identifier_lets_their_member_join(workspace, door, monkeypatch):
    monkeypatch.setattr(changes, "as_of", moments_ago)
    send({"mixpanel_distinct_id": "m1"})
    sweep()  # from now on only what changes is looked at
    monkeypatch.setattr(held_joins.held_rows, "of_anybody", None)
    door(workspace.pk)
    found = matching.lookup(workspace_id=workspace.pk, keys=["e:m1", matching.alias_key(**ALIAS)])
    sweep()
    assert members() == set(found.values()) != set()


def test_matched_meanwhile_is_held_no_longer_and_costs_nothing_twice(workspace):
    send("ann")
    make_people(workspace, ["ann"])
    send("ann", session_id="later")
    assert sweep() == 0
    assert waiting() == []
    assert not CohortSync.objects.filter(action=Action.HELD).exists()


def test_removed_meanwhile_never_joins(workspace):
    send("ann")
    send("ann", action=Action.REMOVE_MEMBERS)
    make_people(workspace, ["ann"])
    assert sweep() == 0
    assert members() == set()


def test_members_of_another_workspace_do_not_join(other_workspace):
    send("ann")
    make_people(other_workspace, ["ann"])
    assert sweep() == 0


def test_nothing_held_costs_one_query(django_assert_num_queries, workspace):
    with django_assert_num_queries(1):
        sweep()


def test_who_changed_is_looked_at_and_nobody_else(workspace, monkeypatch):
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


def test_profile_that_came_while_its_page_was_on_its_way_joins(workspace, monkeypatch):
    # From its sweep on, what was recorded before is not looked at again.
    monkeypatch.setattr(changes, "as_of", lambda: datetime.now(UTC))
    send("zoe")
    match = matching.match

    def match_too_early(**asked: Any):
        outcomes = match(**asked)
        make_people(workspace, ["ann"])
        sweep()
        return outcomes

    monkeypatch.setattr(matching, "match", match_too_early)
    send("ann", session_id="later")
    assert waiting() == ["ann", "zoe"]
    assert sweep() == 1


def test_page_that_was_matched_before_a_join_is_matched_again(workspace, monkeypatch):
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
