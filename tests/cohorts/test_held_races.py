"""Joins, pages and erasure at once, each in a transaction that is committed. SQLite has one writer at a time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from accounts.models import DataPointUsage, Integration
from cohorts import held, held_joins, imports, membership, moves
from cohorts.imports import Change
from cohorts.models import Cohort, CohortSync, HeldKey, HeldSet
from cohorts.syncs import Export
from profiles import erasure, matching
from profiles.identifiers import of_external_ids
from profiles.identity import Author
from profiles.identity_names import external_id
from tests.cohorts.factories import members_of
from tests.cohorts.test_erasure_races import in_thread, wait_until_somebody_waits
from tests.profiles.factories import make_people

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
Action = CohortSync.Action
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def send(workspace):
    """A function that applies one page of external ids."""
    integration = Integration.objects.create(workspace=workspace, partner="mixpanel", holds_unmatched=True)

    def send(*names: str, action: Action = Action.ADD_MEMBERS, session_id: str = "s") -> None:
        imports.apply(
            integration=integration,
            export=Export("c", action, session_id=session_id, page=1, total_pages=1),
            changes=[Change(of_external_ids(names), should_remove=action == Action.REMOVE_MEMBERS)],
            digest=imports.digest_of(repr(names).encode()),
            now=NOW,
        )

    return send


class Pause:
    """A function that waits in the middle of things until it may go on."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool = False
    ) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()
        real = getattr(module, name)

        def paused(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(module, name, real)
            found = real(*arguments, **options) if after else None
            self.reached.set()
            assert self.may_go_on.wait(30)
            return found if after else real(*arguments, **options)

        monkeypatch.setattr(module, name, paused)


def members() -> set[int]:
    return members_of(Cohort.objects.get())


def sweep() -> int:
    return held_joins.sweep(now=NOW)


@pytest.mark.parametrize("action", [Action.REMOVE_MEMBERS, Action.MEMBERS])
def test_removal_that_was_matched_before_a_join_still_removes(send, workspace, monkeypatch, action):
    """A full sync without them removes too."""
    send("ann")
    matched = Pause(monkeypatch, matching, "match", after=True)
    names = ["ann"] if action == Action.REMOVE_MEMBERS else ["zoe"]
    page = in_thread(lambda: send(*names, action=action, session_id="later"))
    assert matched.reached.wait(30)
    make_people(workspace, ["ann"])
    assert sweep() == 1
    matched.may_go_on.set()
    page.join()
    assert members() == set()
    assert sweep() == 0


@pytest.mark.parametrize("action", [Action.REMOVE_MEMBERS, Action.MEMBERS])
def test_join_waits_for_a_page_on_its_way_and_sees_what_it_did(send, workspace, monkeypatch, action):
    send("ann")
    make_people(workspace, ["ann"])
    done = Pause(monkeypatch, held, "change" if action == Action.REMOVE_MEMBERS else "swap", after=True)
    matched_too_early = Pause(monkeypatch, matching, "lookup")
    matched_too_early.may_go_on.set()
    names = ["ann"] if action == Action.REMOVE_MEMBERS else ["zoe"]
    page = in_thread(lambda: send(*names, action=action, session_id="later"))
    assert done.reached.wait(30)
    joining = in_thread(sweep)
    wait_until_somebody_waits(unless=joining)
    done.may_go_on.set()
    page.join()
    joining.join()
    assert members() == set()


def test_page_that_waits_for_a_join_is_matched_again(send, workspace, monkeypatch):
    send("ann")
    matched = Pause(monkeypatch, matching, "match", after=True)
    joined = Pause(monkeypatch, moves, "leave_mark", after=True)
    page = in_thread(lambda: send("ann", action=Action.REMOVE_MEMBERS, session_id="later"))
    assert matched.reached.wait(30)
    make_people(workspace, ["ann"])
    joining = in_thread(sweep)
    assert joined.reached.wait(30)
    matched.may_go_on.set()
    wait_until_somebody_waits(unless=page)
    joined.may_go_on.set()
    joining.join()
    page.join()
    assert members() == set()


def test_two_sweeps_at_once_let_each_join_once(send, workspace):
    names = [f"p{number}" for number in range(20)]
    send(*names)
    make_people(workspace, names)
    sweeps = [in_thread(sweep) for _ in range(3)]
    for one in sweeps:
        one.join()
    with transaction.atomic():
        membership.compact(cohort=Cohort.objects.select_for_update().get())
    assert len(members()) == sum(DataPointUsage.objects.values_list("count", flat=True)) == 20
    assert CohortSync.objects.get(action=Action.HELD).entered_count == 20
    assert HeldSet.objects.get().member_count == 0


def test_profile_of_a_transaction_that_is_open_at_a_sweep_joins_at_the_next(send, workspace):
    send("ann", "zoe")
    sweep()
    has_written, may_commit = threading.Event(), threading.Event()

    def come() -> None:
        with transaction.atomic():
            make_people(workspace, ["ann"])
            has_written.set()
            assert may_commit.wait(30)

    coming = in_thread(come)
    assert has_written.wait(30)
    make_people(workspace, ["ben"])  # a later one is committed first
    assert sweep() == 0
    may_commit.set()
    coming.join()
    assert sweep() == 1


def test_member_held_by_a_transaction_that_is_open_at_a_sweep_joins_at_the_next(send, workspace, monkeypatch):
    send("zoe")
    sweep()
    is_held = Pause(monkeypatch, held, "change", after=True)
    page = in_thread(lambda: send("ann", session_id="later"))
    assert is_held.reached.wait(30)
    make_people(workspace, ["ann"])
    sweeping = in_thread(sweep)  # has looked when it waits to note that it did
    wait_until_somebody_waits(unless=sweeping)
    is_held.may_go_on.set()
    page.join()
    sweeping.join()
    assert members() == set()
    assert sweep() == 1


def test_erasure_waits_for_a_page_that_holds_the_person(send, workspace, monkeypatch):
    send("zoe")
    is_held = Pause(monkeypatch, held, "change", after=True)
    page = in_thread(lambda: send("ann", session_id="later"))
    assert is_held.reached.wait(30)
    names = [external_id("ann")]
    erasing = in_thread(
        lambda: erasure.erase(workspace_id=workspace.pk, names=names, author=Author(), now=NOW)
    )
    wait_until_somebody_waits(unless=erasing)
    is_held.may_go_on.set()
    page.join()
    erasing.join()
    assert list(HeldKey.objects.values_list("key", flat=True)) == ["e:zoe"]
