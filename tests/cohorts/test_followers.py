"""Memberships follow merged people, at once, at no cost, and through everything that is still on its way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pyroaring import BitMap

from accounts.models import DataPointUsage, Integration
from cohorts import imports, membership, moves
from cohorts.imports import Change
from cohorts.models import Cohort, CohortDelta, CohortSync
from cohorts.syncs import Export
from profiles import attempts, identity
from profiles.identifiers import of_external_ids, of_members
from profiles.identity import Author
from profiles.identity_names import alias, external_id
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory, change_members, members_of
from tests.cohorts.history import effective_changes, replayed
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db
Action = CohortSync.Action
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def ids(workspace) -> dict[str, int]:
    return make_people(workspace, ["ann", "ben", "cleo", "dan"])


@pytest.fixture
def send(workspace):
    """A function that sends a page of external ids to the cohort “c”."""
    integration = Integration.objects.create(workspace=workspace, partner="mixpanel")

    def send(*names: str, action=Action.MEMBERS, page=(1, 1), session="s", members=()):
        export = Export("c", action=action, session_id=session, page=page[0], total_pages=page[1])
        return imports.apply(
            integration=integration,
            export=export,
            changes=[
                Change(members or of_external_ids(names), should_remove=action == Action.REMOVE_MEMBERS)
            ],
            digest=imports.digest_of(repr((names, page)).encode()),
            now=NOW,
        )

    return send


def merge(workspace, *pairs: tuple[str, str]) -> None:
    named = [(external_id(merged), external_id(kept)) for merged, kept in pairs]
    outcomes = identity.merge(workspace_id=workspace.pk, pairs=named, author=Author(), now=NOW)
    assert not any(outcomes)


def compact(cohort: Cohort) -> None:
    membership.compact(cohort=Cohort.objects.get(pk=cohort.pk))


def points() -> int:
    return sum(DataPointUsage.objects.values_list("count", flat=True))


def test_the_kept_one_takes_the_place_of_the_merged_one(workspace, ids):
    cohort = CohortFactory.create(members=[ids["ann"], ids["ben"]])
    merge(workspace, ("ann", "cleo"))
    assert members_of(cohort) == {ids["cleo"], ids["ben"]}
    compact(cohort)
    assert effective_changes(cohort)[-1] == ({ids["cleo"]}, {ids["ann"]})
    assert replayed(cohort) == members_of(cohort)


def test_who_was_in_both_stays_in_once(workspace, ids):
    cohort = CohortFactory.create(members=[ids["ann"], ids["ben"]])
    merge(workspace, ("ann", "ben"))
    assert members_of(cohort) == {ids["ben"]}
    compact(cohort)
    assert effective_changes(cohort)[-1] == (set(), {ids["ann"]})


def test_cohorts_without_the_merged_one_are_left_alone(workspace, ids):
    with_kept, empty = CohortFactory.create(members=[ids["ben"]]), CohortFactory.create()
    elsewhere = CohortFactory.create(workspace=WorkspaceFactory.create(), members=[ids["ann"]])
    before = CohortDelta.objects.count()
    merge(workspace, ("ann", "ben"))
    assert CohortDelta.objects.count() == before
    assert (members_of(with_kept), members_of(empty)) == ({ids["ben"]}, set())
    theirs = membership.members(cohort_ids=[elsewhere.pk], within=BitMap(ids.values()))
    assert set(theirs[elsewhere.pk]) == {ids["ann"]}


def test_a_handover_has_no_sync_and_costs_no_data_points(workspace, ids):
    cohort = CohortFactory.create(members=[ids["ann"]])
    compact(cohort)
    before = points()
    merge(workspace, ("ann", "ben"))
    compact(cohort)
    handover = CohortDelta.objects.latest("id")
    assert (handover.sync, handover.kind) == (None, "replaced")
    assert (handover.entered_count, handover.left_count) == (1, 1)
    assert points() == before == 1
    assert CohortSync.objects.get().entered_count == 1


def test_a_chain_and_a_return_within_one_request_move_each_member_once(workspace, ids):
    cohort = CohortFactory.create(members=[ids["ann"]])
    merge(workspace, ("ann", "ben"), ("ben", "cleo"), ("dan", "cleo"))
    assert members_of(cohort) == {ids["cleo"]}
    compact(cohort)
    assert effective_changes(cohort)[-1] == ({ids["cleo"]}, {ids["ann"]})


def test_merges_that_follow_each_other_are_steps_of_their_own(workspace, ids):
    cohort = CohortFactory.create(members=[ids["ann"]])
    for pair in (("ann", "ben"), ("ben", "cleo"), ("cleo", "dan")):
        merge(workspace, pair)
    compact(cohort)
    assert replayed(cohort) == {ids["dan"]}
    assert [len(entered) for entered, _left in effective_changes(cohort)] == [1, 1, 1, 1]


def test_what_a_partner_removes_later_is_the_kept_one(workspace, ids, send):
    send("ann", action=Action.ADD_MEMBERS, session="1")
    merge(workspace, ("ann", "ben"))
    send("ben", action=Action.REMOVE_MEMBERS, session="2")
    cohort = Cohort.objects.get()
    assert members_of(cohort) == set()
    compact(cohort)
    assert replayed(cohort) == set()


def test_pages_that_wait_swap_the_kept_one_in(workspace, ids, send):
    send("ann", "cleo", page=(1, 2))
    merge(workspace, ("ann", "ben"))
    assert members_of(Cohort.objects.get()) == set()
    send("dan", page=(2, 2))
    assert members_of(Cohort.objects.get()) == {ids["ben"], ids["cleo"], ids["dan"]}


def test_a_page_that_comes_again_after_the_merge_changes_nothing(workspace, ids, send):
    send("ann", action=Action.ADD_MEMBERS)
    merge(workspace, ("ann", "ben"))
    send("ann", action=Action.ADD_MEMBERS)
    assert members_of(Cohort.objects.get()) == {ids["ben"]}


def test_a_page_matched_before_a_merge_is_matched_again(workspace, ids, send, monkeypatch):
    real, matched = imports._match, []

    def interrupted(integration, changes):
        matched.append(real(integration, changes))
        if len(matched) == 1:
            merge(workspace, ("ann", "ben"))
        return matched[-1]

    monkeypatch.setattr(imports, "_match", interrupted)
    assert (
        send("ann", "cleo").unmatched == 1
    )  # who is gone is unknown, not silently a member that nobody sees
    assert len(matched) == 2
    assert members_of(Cohort.objects.get()) == {ids["cleo"]}


def test_an_alias_named_while_its_user_is_identified_is_not_lost(workspace, ids, send, monkeypatch):
    """The alias moves with the merge, so the second matching finds the kept one by it."""
    ProfileFactory.create(anonymous=True, aliases=[("mixpanel_distinct_id", "x1")])
    real, matched = imports._match, []

    def interrupted(integration, changes):
        matched.append(real(integration, changes))
        if len(matched) == 1:
            name = alias(label="mixpanel_distinct_id", name="x1")
            identity.identify(workspace_id=workspace.pk, pairs=[(name, "ann")], author=Author(), now=NOW)
        return matched[-1]

    monkeypatch.setattr(imports, "_match", interrupted)
    send(members=of_members([{"mixpanel_distinct_id": "x1"}]))
    assert members_of(Cohort.objects.get()) == {ids["ann"]}


def test_a_page_that_never_comes_to_rest_is_refused_for_now(workspace, ids, send, monkeypatch):
    monkeypatch.setattr(moves, "known", lambda **_: "never this")
    with pytest.raises(attempts.ContendedError):
        send("ben")
    assert not CohortSync.objects.exists()


def test_compaction_comes_after_handovers_too(workspace, ids, settings):
    settings.COMPACT_EVERY_DELTAS = 2
    cohort = CohortFactory.create(members=[ids["ann"]])
    merge(workspace, ("ann", "ben"))
    cohort.refresh_from_db()
    assert cohort.snapshot_sequence == 2
    change_members(cohort, [ids["cleo"]])
    assert members_of(cohort) == {ids["ben"], ids["cleo"]}


def test_cohorts_that_nobody_merged_is_in_cost_nothing_more(workspace, ids):
    def cost(merged: str, kept: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            merge(workspace, (merged, kept))
        return len(captured)

    CohortFactory.create()
    cost("ann", "dan")
    few = cost("ben", "dan")
    CohortFactory.create_batch(20)
    assert cost("cleo", "dan") == few
