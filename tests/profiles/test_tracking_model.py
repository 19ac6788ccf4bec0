"""Tracking requests at random against a naive model: dictionaries, one object after another."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles import matching
from profiles.models import CustomEvent, Identifier, Profile
from profiles.tracking_objects import Array
from tests.accounts.factories import WorkspaceFactory
from tests.profiles.trackers import AT, points, tracker_of

pytestmark = pytest.mark.django_db

NAMED = {
    matching.external_id_key("x"): {"external_id": "x"},
    matching.external_id_key("y"): {"external_id": "y"},
    matching.device_key("x"): {"device_id": "x"},
    matching.alias_key("l", "x"): {"user_alias": {"alias_label": "l", "alias_name": "x"}},
    matching.alias_key("l:", "x"): {"user_alias": {"alias_label": "l:", "alias_name": "x"}},
}
users = st.tuples(st.sampled_from(list(NAMED)), st.sampled_from([None, True, False]))
values = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.sampled_from([1.5, True, "a", "b"]),
    st.lists(st.sampled_from("abc"), max_size=3, unique=True),
    st.builds(lambda by: {"inc": by}, st.integers(-3, 3)),
    st.builds(lambda them: {"add": them}, st.lists(st.sampled_from("abc"), max_size=3)),
    st.builds(lambda them: {"remove": them}, st.lists(st.sampled_from("abc"), max_size=3)),
    st.just("x" * 256),
)
updates = st.lists(st.tuples(users, st.dictionaries(st.sampled_from("mn"), values, max_size=2)), max_size=6)
occurrences = st.lists(st.tuples(users, st.sampled_from(["seen", "bought", ""])), max_size=6)


class Naive:
    """Everybody as a child would keep them."""

    def __init__(self) -> None:
        self.custom: dict[str, dict[str, Any]] = {}
        self.events: Counter[tuple[str, str]] = Counter()
        self.points = 0

    def finds(self, key: str, update_only: bool | None) -> bool:
        """Whether there is the user, or is to be."""
        return key in self.custom or (update_only is False if key[0] == "a" else not update_only)

    def update(self, key: str, update_only: bool | None, sent: dict[str, Any]) -> str:
        if any(it == "x" * 256 for it in sent.values()):
            return "refused"
        if not self.finds(key, update_only):
            return "skipped"
        custom = copy.deepcopy(self.custom.get(key, {}))
        try:
            for name, value in sent.items():
                custom[name] = changed(custom.get(name), value)
        except TypeError:
            return "refused"
        self.custom[key] = {name: value for name, value in custom.items() if value is not None}
        self.points += len(sent)
        return "applied"

    def happen(self, key: str, update_only: bool | None, name: str) -> str:
        if not name:
            return "refused"
        if not self.finds(key, update_only):
            return "skipped"
        self.custom.setdefault(key, {})
        self.events[key, name] += 1
        self.points += 1
        return "applied"


def changed(current: Any, value: Any) -> Any:
    """Return what becomes of a value. Raises TypeError where an operation does not fit."""
    if not isinstance(value, dict):
        return value
    ((operator, operand),) = value.items()
    if operator == "inc":
        if isinstance(current, bool | str | list):
            raise TypeError
        return (current or 0) + operand
    if current is not None and not isinstance(current, list):
        raise TypeError
    kept = [it for it in current or [] if it not in operand]
    if operator == "remove":
        return kept if current is not None else None
    added = [it for n, it in enumerate(operand) if it not in operand[n + 1 :]]
    return kept + added if current is not None or added else None


@settings(max_examples=60, deadline=None)
@given(requests=st.lists(st.tuples(updates, occurrences).filter(any), min_size=1, max_size=4))
def test_requests_do_what_a_naive_model_does(requests):
    workspace, naive, before = WorkspaceFactory.create(), Naive(), points()
    track = tracker_of(workspace)
    for changes, happened in requests:
        expected = [naive.update(*user, sent) for user, sent in changes]
        expected += [naive.happen(*user, name) for user, name in happened]
        result = track(
            attributes=[NAMED[key] | {"_update_existing_only": only} | sent for (key, only), sent in changes],
            events=[
                NAMED[key] | {"_update_existing_only": only, "name": name, "time": AT}
                for (key, only), name in happened
            ],
        )
        refused = {len(changes) * (it.array is Array.EVENTS) + it.position for it in result.refusals}
        assert refused == {n for n, outcome in enumerate(expected) if outcome == "refused"}
        assert sum(result.processed.values()) == expected.count("applied")
    owners = dict(Identifier.objects.filter(workspace=workspace).values_list("key", "profile_id"))
    people = {it.pk: it for it in Profile.objects.filter(workspace=workspace)}
    assert {key: people[owner].custom_attributes for key, owner in owners.items()} == naive.custom
    assert len(people) == len(owners)
    keys = {owner: key for key, owner in owners.items()}
    totals = CustomEvent.objects.filter(profile__workspace=workspace).select_related("name")
    assert {(keys[it.profile_id], it.name.name): it.count for it in totals} == naive.events
    assert points() - before == naive.points
