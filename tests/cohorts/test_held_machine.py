"""Holding against plain Python sets: whatever partners, people and the operator do, and in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts import integrations
from accounts.models import DataPointUsage, Integration, Workspace
from cohorts import held, held_joins, imports, membership
from cohorts.imports import Change
from cohorts.models import Cohort, CohortSync, HeldKey, HeldSet
from cohorts.syncs import Export
from profiles import changes, erasure, filter_bitmaps, identity, matching
from profiles.identity import Author
from profiles.identity_names import profile
from profiles.models import Identifier
from tests.cohorts.factories import members_of, moments_ago
from tests.cohorts.history import replayed
from tests.profiles.factories import ProfileFactory

Action = CohortSync.Action
Keys = tuple[str, ...]
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DISTINCT_ID = "mixpanel_distinct_id"


def distinct(name: str) -> Keys:
    return (f"e:{name}", f"a:{DISTINCT_ID}:{name}")


POOL: list[Keys] = [
    ("e:ann",),
    ("d:phone",),
    ("e:ann", *distinct("m1")),
    ("e:ben", *distinct("m1")),
    ("d:phone", *distinct("m1")),
    distinct("m1"),
    (),
]
# All that a profile may be called by, and its keys: identified ones have an external ID.
PEOPLE: list[tuple[str | None, list[str], list[str]]] = [
    ("ann", [], []),
    ("ben", [], ["m1"]),
    ("ann", ["phone"], ["m1"]),
    ("m1", [], []),
    (None, ["phone"], []),
    (None, [], ["m1"]),
    (None, ["phone"], ["m1"]),
]
members = st.lists(st.sampled_from(POOL), min_size=1, max_size=3, unique=True)


class HeldMachine(RuleBasedStateMachine):
    """A partner whose members mostly do not exist yet, people who come and go, and an operator who changes their mind."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.workspace = Workspace.objects.get(slug="default")
        self.integration = Integration.objects.create(
            workspace=self.workspace, partner="machine", holds_unmatched=True
        )
        self.sessions = 0
        self.members: set[int] = set()
        self.gone: set[int] = set()
        self.held: set[Keys] = set()
        self.export: tuple[str, int] | None = None
        self.pages: dict[int, tuple[list[Keys], set[int], set[Keys]]] = {}
        self.points = 0

    def teardown(self) -> None:
        try:
            self.history_is_exact()
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- the model -----------------------------------------------------------------------------------------
    def owners(self) -> dict[str, int]:
        return dict(Identifier.objects.filter(workspace=self.workspace).values_list("key", "profile_id"))

    def match(self, keys: Keys) -> int | None:
        owners = self.owners()
        return next((owners[key] for key in keys if key in owners), None)

    def is_unknown(self, keys: Keys) -> bool:
        is_known_device = any(key.startswith("d:") and f"i:{key[2:]}" in self.owners() for key in keys)
        return bool(keys) and self.match(keys) is None and not is_known_device

    def matched(self, who: Iterable[Keys]) -> set[int]:
        return {found for keys in who if (found := self.match(keys)) is not None}

    def unknown(self, who: Iterable[Keys]) -> set[Keys]:
        return {keys for keys in who if self.integration.holds_unmatched and self.is_unknown(keys)}

    def become(self, found: set[int]) -> None:
        self.points += len(found ^ self.members)
        self.members = found

    def changed(self, who: list[Keys], found: set[int], waiting: set[Keys], remove: bool) -> tuple:
        """Return members and held ones after one more change of a request."""
        profiles = self.matched(who)
        if not remove:
            return found | profiles, waiting | self.unknown(who)
        owners = self.owners()
        named = {key for keys in who for key in keys} | {key for key in owners if owners[key] in profiles}
        return found - profiles, {keys for keys in waiting if named.isdisjoint(keys)}

    def send(self, action: Action, requests: list[tuple[list[Keys], bool]], **page) -> None:
        wanted = [Change([(str(keys), keys) for keys in who], should_remove=it) for who, it in requests]
        imports.apply(
            integration=self.integration,
            export=Export(partner_cohort_id="c", action=action, **page),
            changes=wanted,
            digest=imports.digest_of(repr(requests).encode()),
            now=NOW,
        )

    def session(self) -> str:
        self.sessions += 1
        return f"s{self.sessions}"

    # --- what partners do ----------------------------------------------------------------------------------
    @rule(who=members, remove=st.booleans())
    def change_by_the_webhook(self, who: list[Keys], remove: bool) -> None:
        found, self.held = self.changed(who, self.members, self.held, remove)
        action = Action.REMOVE_MEMBERS if remove else Action.ADD_MEMBERS
        self.send(action, [(who, remove)], session_id=self.session(), page=1, total_pages=1)
        self.become(found)

    @rule(requests=st.lists(st.tuples(members, st.booleans()), min_size=1, max_size=4))
    def change_by_the_partner_protocol(self, requests: list[tuple[list[Keys], bool]]) -> None:
        found, waiting = self.members, self.held
        for who, remove in requests:
            found, waiting = self.changed(who, found, waiting, remove)
        self.held = waiting
        self.send(Action.CHANGES, requests)
        self.become(found)

    @rule(total=st.integers(1, 3))
    def begin_a_full_export(self, total: int) -> None:
        self.export, self.pages = (self.session(), total), {}

    @rule(pages=st.lists(st.tuples(st.integers(1, 3), members), min_size=1, max_size=4))
    def send_pages_of_it(self, pages: list[tuple[int, list[Keys]]]) -> None:
        """Also one of a number that came before: it takes the other's place."""
        for number, who in pages:
            if self.export is not None and number <= self.export[1]:
                self.send_page(number, who)

    def send_page(self, number: int, who: list[Keys]) -> None:
        session, total = self.export or ("", 0)
        if self.pages.get(number, (None,))[0] != who:  # else a repeat
            self.pages[number] = (who, self.matched(who), self.unknown(who))
        self.send(Action.MEMBERS, [(who, False)], session_id=session, page=number, total_pages=total)
        if len(self.pages) == total:
            self.become(set().union(*(found for _who, found, _held in self.pages.values())))
            self.held = set().union(*(waiting for _who, _found, waiting in self.pages.values()))
            self.export, self.pages = None, {}

    # --- what people do ------------------------------------------------------------------------------------
    @rule(person=st.sampled_from(PEOPLE))
    def somebody_comes(self, person: tuple[str | None, list[str], list[str]]) -> None:
        name, devices, aliases = person
        taken = {key.rsplit(":", 1)[1] for key in self.owners()}
        if taken.isdisjoint({name, *devices, *aliases}):
            named = [(DISTINCT_ID, it) for it in aliases]
            ProfileFactory.create(external_id=name, devices=devices, aliases=named)

    @rule(data=st.data(), name=st.sampled_from(["ann", "ben", "m1", "zoe"]))
    def somebody_is_identified(self, data: st.DataObject, name: str) -> None:
        if live := sorted(set(self.owners().values())):
            who, owner = data.draw(st.sampled_from(live)), self.owners().get(f"e:{name}")
            outcomes = identity.identify(
                workspace_id=self.workspace.pk, pairs=[(profile(who), name)], author=Author(), now=NOW
            )
            if outcomes == [None] and owner not in {None, who}:
                self.merged(who, owner)

    @rule(data=st.data())
    def two_turn_out_to_be_one(self, data: st.DataObject) -> None:
        live = sorted(set(self.owners().values()))
        if len(live) > 1:
            one, other = data.draw(st.lists(st.sampled_from(live), min_size=2, max_size=2, unique=True))
            pairs = [(profile(one), profile(other))]
            identity.merge(workspace_id=self.workspace.pk, pairs=pairs, author=Author(), now=NOW)
            self.merged(one, other)

    def merged(self, one: int, kept: int) -> None:
        def move(found: set[int]) -> set[int]:
            return found - {one} | {kept} if one in found else found

        self.gone.add(one)
        self.members = move(self.members)
        self.pages = {it: (who, move(found), held) for it, (who, found, held) in self.pages.items()}

    @rule(data=st.data())
    def somebody_is_erased(self, data: st.DataObject) -> None:
        if not (live := sorted(set(self.owners().values()))):
            return
        who = data.draw(st.sampled_from(live))
        names = {key.rsplit(":", 1)[1] for key, owner in self.owners().items() if owner == who}
        erasure.erase(workspace_id=self.workspace.pk, names=[profile(who)], author=Author(), now=NOW)
        self.gone.add(who)

        def others(waiting: set[Keys]) -> set[Keys]:
            return {keys for keys in waiting if names.isdisjoint(key.rsplit(":", 1)[1] for key in keys)}

        self.held = others(self.held)
        self.pages = {it: (sent, found, others(held)) for it, (sent, found, held) in self.pages.items()}

    # --- what we do ----------------------------------------------------------------------------------------
    @rule()
    def sweep(self) -> None:
        joining = {keys for keys in self.held if self.match(keys) is not None}
        held_joins.sweep(now=NOW)
        self.held -= joining
        self.become(self.members | self.matched(joining))

    @rule(is_on=st.booleans())
    def switch(self, is_on: bool) -> None:
        values = {"holds_unmatched": is_on}
        integrations.change(workspace=self.workspace, partner="machine", values=values, by=None, now=NOW)
        self.integration.refresh_from_db()
        if not is_on:
            self.held = set()
            self.pages = {it: (who, found, set()) for it, (who, found, _held) in self.pages.items()}

    # --- what must hold ------------------------------------------------------------------------------------
    @invariant()
    def members_and_held_ones_are_those_of_the_model(self) -> None:
        if cohort := Cohort.objects.filter(partner="machine").first():
            assert members_of(cohort) == self.members - self.gone
        rows = HeldKey.objects.filter(held_set__state=HeldSet.State.CURRENT).order_by("page", "position")
        found: dict[tuple, list[str]] = {}
        for member, page, key in rows.values_list("member", "page", "key"):
            found.setdefault((member, page), []).append(key)
        assert {tuple(keys) for keys in found.values()} == self.held
        counts = HeldSet.objects.counting().values_list("member_count", flat=True)
        assert sum(counts) == len(self.held)

    def history_is_exact(self) -> None:
        if cohort := Cohort.objects.filter(partner="machine").first():
            membership.compact(cohort=Cohort.objects.get(pk=cohort.pk))
            assert replayed(cohort) == self.members
            points = DataPointUsage.objects.filter(source="partner_cohorts").aggregate(all=Sum("count"))
            assert (points["all"] or 0) == self.points


@pytest.mark.django_db
@pytest.mark.parametrize("batch", [1, 5_000])
def test_members_and_held_ones_are_exact_whatever_happens(monkeypatch, batch):
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 2)
    monkeypatch.setattr(held_joins, "BATCH", batch)
    monkeypatch.setattr(held, "BATCH", batch)
    # No transaction is open beside this one: only what really changed since the last sweep is looked at.
    monkeypatch.setattr(changes, "as_of", moments_ago)
    run_state_machine_as_test(HeldMachine, settings=BOUNDS)


def test_all_keys_of_the_machine_are_as_matching_writes_them():
    assert f"a:{DISTINCT_ID}:m1" == matching.alias_key(DISTINCT_ID, "m1")


# Without shrinking: at 30 steps a failure is readable, and shrinking it takes minutes.
BOUNDS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
