"""Everything partners can do, in any order, against plain Python sets: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.models import DataPointUsage, Integration, Workspace
from cohorts import imports, membership
from cohorts.imports import Change
from cohorts.models import Cohort, CohortSync
from cohorts.syncs import Export
from profiles import erasure, filter_bitmaps, identity
from profiles.identifiers import of_external_ids
from profiles.identity import Author
from profiles.identity_names import external_id
from tests.cohorts.factories import members_of
from tests.cohorts.history import replayed
from tests.profiles.factories import make_people

Action = CohortSync.Action
NAMES = [f"p{number}" for number in range(10)]
people = st.frozensets(st.sampled_from(NAMES), max_size=6)


class CohortMachine(RuleBasedStateMachine):
    """A partner that adds, removes, replaces, repeats itself and gives up; a clock, and people who merge or leave."""

    earlier_pages = Bundle("earlier_pages")

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        workspace = Workspace.objects.get(slug="default")
        self.integration = Integration.objects.create(workspace=workspace, partner="machine")
        self.ids = make_people(workspace, NAMES)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.sessions = 0
        self.members: set[str] = set()
        self.gone: set[str] = set()
        self.changes = 0
        self.export: tuple[str, list[frozenset[str]]] | None = None
        self.seen: set[int] = set()
        self.staged: dict[int, set[str]] = {}

    def teardown(self) -> None:
        try:
            if Cohort.objects.filter(partner="machine").exists():
                self.history_is_exact()
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- the model -----------------------------------------------------------------------------------------
    def become(self, members: set[str]) -> None:
        self.changes += len(members ^ self.members)
        self.members = members

    def send(self, action: Action, changes: list[tuple[frozenset[str], bool]], **page) -> None:
        export = Export(partner_cohort_id="c", action=action, **page)
        wanted = [Change(of_external_ids(sorted(who)), should_remove=remove) for who, remove in changes]
        digest = imports.digest_of(repr(changes).encode())
        imports.apply(
            integration=self.integration, export=export, changes=wanted, digest=digest, now=self.now
        )

    def session(self) -> str:
        self.sessions += 1
        return f"s{self.sessions}"

    # --- what partners do ----------------------------------------------------------------------------------
    @initialize()
    def begin(self) -> None:
        self.send(
            Action.ADD_MEMBERS, [(frozenset(), False)], session_id=self.session(), page=1, total_pages=1
        )

    @rule(target=earlier_pages, who=people, remove=st.booleans(), page=st.integers(1, 3))
    def change(self, who: frozenset[str], remove: bool, page: int) -> tuple:
        action = Action.REMOVE_MEMBERS if remove else Action.ADD_MEMBERS
        call = (action, [(who, remove)], {"session_id": self.session(), "page": page, "total_pages": 3})
        self.send(call[0], call[1], **call[2])
        self.become(self.members - self.known(who) if remove else self.members | self.known(who))
        return call

    def known(self, who: frozenset[str]) -> frozenset[str]:
        """Those a partner's identifiers still reach: an erased profile has none."""
        return who - self.gone

    @rule(call=earlier_pages)
    def repeat(self, call: tuple) -> None:
        self.send(call[0], call[1], **call[2])

    @rule(changes=st.lists(st.tuples(people, st.booleans()), min_size=1, max_size=4))
    def change_by_the_partner_protocol(self, changes: list[tuple[frozenset[str], bool]]) -> None:
        self.send(Action.CHANGES, changes)
        members = set(self.members)
        for who, remove in changes:
            members = members - self.known(who) if remove else members | self.known(who)
        self.become(members)

    @rule(pages=st.lists(people, min_size=1, max_size=4))
    def begin_a_full_export(self, pages: list[frozenset[str]]) -> None:
        """Also one that the partner never ends: the next one supersedes it."""
        self.export, self.seen, self.staged = (self.session(), pages), set(), {}

    @rule(data=st.data())
    def send_a_page_of_the_export(self, data: st.DataObject) -> None:
        if self.export is not None:
            self.send_page(data.draw(st.integers(1, len(self.export[1])), label="page"))

    def send_page(self, number: int) -> None:
        session, pages = self.export or ("", [])
        who = pages[number - 1]
        self.send(Action.MEMBERS, [(who, False)], session_id=session, page=number, total_pages=len(pages))
        if self.seen == set(range(1, len(pages) + 1)):
            return  # complete before: a repeat
        if number not in self.seen:
            self.seen.add(number)
            self.staged[number] = self.known(who)
        if len(self.seen) == len(pages):
            self.become(set().union(*self.staged.values()))

    @rule(data=st.data())
    def end_an_export_after_a_merge_of_somebody_who_waits_in_it(self, data: st.DataObject) -> None:
        waiting = sorted(set().union(*self.staged.values()) - self.gone)
        if self.export is None or not waiting or len(self.seen) == len(self.export[1]):
            return
        others = sorted(set(NAMES) - self.gone)
        self.merge(data.draw(st.sampled_from(waiting)), data.draw(st.sampled_from(others)))
        for number in range(1, len(self.export[1]) + 1):
            self.send_page(number)

    # --- what else happens ---------------------------------------------------------------------------------
    @rule()
    def compact(self) -> None:
        cohort = Cohort.objects.get(partner="machine")
        membership.compact(cohort=cohort)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(name=st.sampled_from(NAMES))
    def erase(self, name: str) -> None:
        workspace_id = self.integration.workspace_id
        found = erasure.erase(
            workspace_id=workspace_id, names=[external_id(name)], author=Author(), now=self.now
        )
        assert bool(found) == (name not in self.gone)
        self.gone.add(name)

    @rule(merged=st.sampled_from(NAMES), kept=st.sampled_from(NAMES))
    def two_turn_out_to_be_one(self, merged: str, kept: str) -> None:
        self.merge(merged, kept)

    def merge(self, merged: str, kept: str) -> None:
        if merged == kept or {merged, kept} & self.gone:
            return
        pair = (external_id(merged), external_id(kept))
        outcomes = identity.merge(
            workspace_id=self.integration.workspace_id, pairs=[pair], author=Author(), now=self.now
        )
        assert outcomes == [None]
        self.gone.add(merged)  # its identifier reaches nobody any more
        self.staged = {number: move(merged, kept, who) for number, who in self.staged.items()}
        self.members = move(merged, kept, self.members)  # at no cost: no change is counted

    # --- what must hold ------------------------------------------------------------------------------------
    @invariant()
    def members_are_those_of_the_model(self) -> None:
        if cohort := Cohort.objects.filter(partner="machine").first():
            assert members_of(cohort) == {self.ids[name] for name in self.members - self.gone}

    def history_is_exact(self) -> None:
        cohort = Cohort.objects.get(partner="machine")
        membership.compact(cohort=cohort)
        assert replayed(cohort) == {self.ids[name] for name in self.members}
        points = DataPointUsage.objects.aggregate(all=Sum("count"))["all"] or 0
        totals = CohortSync.objects.filter(cohort=cohort).aggregate(
            all=Sum("entered_count") + Sum("left_count")
        )
        assert points == totals["all"] == self.changes


def move(merged: str, kept: str, who: Iterable[str]) -> set[str]:
    """Return the same people after one of them became part of another."""
    return {kept if name == merged else name for name in who}


@pytest.mark.django_db
@pytest.mark.parametrize("compact_every", [2, 256])
def test_members_and_history_are_exact_whatever_partners_do(settings, monkeypatch, compact_every):
    settings.COMPACT_EVERY_DELTAS = compact_every
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 2)
    run_state_machine_as_test(CohortMachine, settings=BOUNDS)


# Without shrinking: at 25 steps a failure is readable, and shrinking it takes minutes.
BOUNDS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
