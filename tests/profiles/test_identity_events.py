"""What people did moves with them when they merge: sums, the first, the last, and every day."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from profiles import changes, events, identity
from profiles.events import Occurrence
from profiles.identity_names import alias, external_id, profile
from profiles.models import CustomEvent, Profile, ProfileChange
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import NOW, call, changed

pytestmark = pytest.mark.django_db


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def happen(person: Profile, *occurrences: tuple) -> None:
    happened = [Occurrence(person.pk, *occurrence) for occurrence in occurrences]
    events.record(workspace_id=person.workspace_id, occurrences=happened, now=NOW)


def opened(at: datetime, count: int = 1) -> tuple:
    return ("custom", "opened", "", at, count)


def bought(at: datetime, quantity: int, revenue: str, currency: str = "EUR") -> tuple:
    return ("purchase", "tea", currency, at, 1, quantity, Decimal(revenue))


def totals_of(person: Profile) -> dict[tuple[str, str], CustomEvent]:
    return {(it.name.name, it.name.currency): it for it in person.events.select_related("name")}


def test_what_both_did_is_added_up(workspace):
    kept, merged = ProfileFactory.create(), ProfileFactory.create()
    happen(kept, opened(on(10)), opened(on(12)), bought(on(10), 2, "5.00"))
    happen(merged, opened(on(9), 3), opened(on(12, 13)), bought(on(11), 1, "2.5001"))
    ProfileChange.objects.all().delete()
    assert call(identity.merge, workspace, pairs=[(profile(merged.pk), profile(kept.pk))]) == [None]
    total = totals_of(kept)["opened", ""]
    assert (total.count, total.first_at, total.last_at) == (6, on(9), on(12, 13))
    assert total.days == {"2026-11-09": 3, "2026-11-10": 1, "2026-11-12": 2}
    tea = totals_of(kept)["tea", "EUR"]
    assert (tea.count, tea.quantity, tea.revenue) == (2, 3, Decimal("7.5001"))
    assert not merged.events.exists()
    assert changed(changes.Kind.EVENTS) == {kept.pk}


def test_what_only_the_merged_one_did_moves_as_it_is(workspace):
    kept, merged = ProfileFactory.create(), ProfileFactory.create()
    happen(merged, opened(on(9)), bought(on(9), 1, "1", "USD"))
    happen(kept, bought(on(9), 1, "1"))
    assert call(identity.merge, workspace, pairs=[(profile(merged.pk), profile(kept.pk))]) == [None]
    assert totals_of(kept).keys() == {("opened", ""), ("tea", "USD"), ("tea", "EUR")}


def test_events_of_a_chain_arrive_at_its_end(workspace):
    people = {name: ProfileFactory.create(external_id=name) for name in "abcd"}
    for person in people.values():
        happen(person, opened(on(10)))
    pairs = [(external_id(merged), external_id(kept)) for merged, kept in ("ab", "bd", "cd")]
    assert call(identity.merge, workspace, pairs=pairs) == [None] * 3
    assert totals_of(people["d"])["opened", ""].count == CustomEvent.objects.get().count == 4


def test_without_data_the_events_of_the_merged_one_are_gone(workspace):
    kept = ProfileFactory.create(external_id="kept")
    merged = ProfileFactory.create(anonymous=True, aliases=[("crm", "7")])
    happen(merged, opened(on(10)))
    pairs = [(alias(label="crm", name="7"), "kept")]
    assert call(identity.identify, workspace, pairs=pairs, with_data=False) == [None]
    assert not CustomEvent.objects.exists()
    assert kept.pk not in changed(changes.Kind.EVENTS)
