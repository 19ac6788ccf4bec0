"""Everything that says who is who, in any order and in batches, against a model of plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import Workspace
from profiles import erasure, events, identity, identity_names
from profiles.events import Occurrence
from profiles.identity import Alias, AliasRename, Author
from profiles.identity_names import Name
from profiles.models import CustomEvent, Identifier, Profile
from tests.profiles.factories import ProfileFactory

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
EXTERNAL_IDS = [f"e{number}" for number in range(4)]
ALIASES = [f"n{number}" for number in range(4)]
DEVICES = [f"v{number}" for number in range(3)]
# A name as the model has it: its kind's letter, and the text.
names = st.one_of(
    st.tuples(st.just("e"), st.sampled_from(EXTERNAL_IDS)),
    st.tuples(st.just("a"), st.sampled_from(ALIASES)),
    st.tuples(st.just("d"), st.sampled_from(DEVICES)),
)
external_ids, aliases = st.sampled_from(EXTERNAL_IDS), st.sampled_from(ALIASES)


@dataclass(eq=False)
class Person:
    """Somebody as the model knows them."""

    external_id: str | None = None
    aliases: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)
    facts: dict[str, int] = field(default_factory=dict)
    opened: int = 0

    def keys(self) -> set[str]:
        letter = "i" if self.external_id else "d"
        own = {f"a:l:{name}" for name in self.aliases} | {f"{letter}:{device}" for device in self.devices}
        return own | ({f"e:{self.external_id}"} if self.external_id else set())

    def is_called(self, letter: str, text: str) -> bool:
        return text in {"e": {self.external_id}, "a": self.aliases, "d": self.devices}[letter]


class IdentityMachine(RuleBasedStateMachine):
    """People who come, get names, turn out to be the same, and go."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.workspace = Workspace.objects.get(slug="default")
        self.people: list[Person] = []
        self.born = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)
        events.forget_names()

    def who(self, name: tuple[str, str]) -> Person | None:
        return next((it for it in self.people if it.is_called(*name)), None)

    def call(self, operation, **items) -> list[bool]:
        arguments = {"workspace_id": self.workspace.pk, "author": Author(), "now": NOW}
        return [error is None for error in operation(**items, **arguments)]

    # --- what happens ------------------------------------------------------------------------------------------
    @rule(name=st.one_of(st.none(), external_ids), device=st.one_of(st.none(), st.sampled_from(DEVICES)))
    def comes(self, name: str | None, device: str | None) -> None:
        if (name and self.who(("e", name))) or (device and self.who(("d", device))) or not (name or device):
            return
        self.born += 1
        person = Person(
            name, set(), {device} if device else set(), {"same": self.born, f"own{self.born}": 1}, 1
        )
        self.people.append(person)
        row = ProfileFactory.create(
            workspace=self.workspace,
            external_id=name,
            devices=person.devices,
            custom_attributes=person.facts,
        )
        happened = [Occurrence(row.pk, "custom", "opened", "", NOW)]
        events.record(workspace_id=self.workspace.pk, occurrences=happened, now=NOW)

    @rule(wanted=st.lists(st.tuples(aliases, st.one_of(st.none(), external_ids)), min_size=1, max_size=3))
    def get_aliases(self, wanted: list[tuple[str, str | None]]) -> None:
        expected = [self.model_alias(*it) for it in wanted]
        items = [Alias("l", name, external_id) for name, external_id in wanted]
        assert self.call(identity.add_aliases, aliases=items) == expected

    def model_alias(self, name: str, external_id: str | None) -> bool:
        owner = self.who(("a", name))
        person = self.who(("e", external_id)) if external_id else Person()
        if person is None or (owner and owner is not person):
            return False
        person.aliases.add(name)
        if person not in self.people:
            self.people.append(person)
        return True

    @rule(wanted=st.lists(st.tuples(aliases, aliases), min_size=1, max_size=3))
    def rename_aliases(self, wanted: list[tuple[str, str]]) -> None:
        expected = [self.model_rename("a", *it) for it in wanted]
        items = [AliasRename("l", old, new) for old, new in wanted]
        assert self.call(identity.rename_aliases, renames=items) == expected

    @rule(wanted=st.lists(st.tuples(external_ids, external_ids), min_size=1, max_size=3))
    def rename(self, wanted: list[tuple[str, str]]) -> None:
        expected = [self.model_rename("e", *it) for it in wanted]
        assert self.call(identity.rename, renames=wanted) == expected

    def model_rename(self, letter: str, old: str, new: str) -> bool:
        person = self.who((letter, old))
        if person is None or self.who((letter, new)):
            return False
        if letter == "e":
            person.external_id = new
        else:
            person.aliases = (person.aliases - {old}) | {new}
        return True

    @rule(wanted=st.lists(st.tuples(names, external_ids), min_size=1, max_size=3))
    def identify(self, wanted: list[tuple[tuple[str, str], str]]) -> None:
        expected = [self.model_identify(*it) for it in wanted]
        pairs = [(name_of(name), external_id) for name, external_id in wanted]
        assert self.call(identity.identify, pairs=pairs) == expected

    def model_identify(self, name: tuple[str, str], external_id: str) -> bool:
        person, owner = self.who(name), self.who(("e", external_id))
        if person is None or (person.external_id and person is not owner):
            return False
        if owner is None:
            person.external_id = external_id
        elif owner is not person:
            self.model_merge(person, owner)
        return True

    @rule(wanted=st.lists(st.tuples(names, names), min_size=1, max_size=4))
    def merge(self, wanted: list[tuple[tuple[str, str], tuple[str, str]]]) -> None:
        expected = []
        for merged, kept in wanted:
            people = self.who(merged), self.who(kept)
            expected.append(None not in people and people[0] is not people[1])
            if expected[-1]:
                self.model_merge(*people)
        pairs = [(name_of(merged), name_of(kept)) for merged, kept in wanted]
        assert self.call(identity.merge, pairs=pairs) == expected

    def model_merge(self, merged: Person, kept: Person) -> None:
        kept.external_id = kept.external_id or merged.external_id
        kept.aliases |= merged.aliases
        kept.devices |= merged.devices
        kept.facts = merged.facts | kept.facts
        kept.opened += merged.opened
        self.people.remove(merged)

    @rule(name=names)
    def goes(self, name: tuple[str, str]) -> None:
        person = self.who(name)
        found = erasure.erase(workspace_id=self.workspace.pk, names=[name_of(name)], author=Author(), now=NOW)
        assert len(found) == (person is not None)
        if person:
            self.people.remove(person)

    # --- what must hold ----------------------------------------------------------------------------------------
    @invariant()
    def everybody_is_as_the_model_says(self) -> None:
        keys: dict[int, set[str]] = {}
        for key, profile_id in Identifier.objects.values_list("key", "profile_id"):
            keys.setdefault(profile_id, set()).add(key)
        opened = dict(CustomEvent.objects.values_list("profile_id", "count"))
        found = [
            (sorted(keys.pop(it.pk)), it.external_id, it.custom_attributes, opened.pop(it.pk, 0))
            for it in Profile.objects.live()
        ]
        wanted = [(sorted(it.keys()), it.external_id, it.facts, it.opened) for it in self.people]
        assert sorted(found, key=str) == sorted(wanted, key=str)
        assert (keys, opened) == ({}, {})


def name_of(name: tuple[str, str]) -> Name:
    letter, text = name
    if letter == "a":
        return identity_names.alias(label="l", name=text)
    return identity_names.external_id(text) if letter == "e" else identity_names.device(text)


@pytest.mark.django_db
def test_people_are_who_the_model_says_whatever_happens():
    run_state_machine_as_test(IdentityMachine, settings=BOUNDS)


BOUNDS = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
