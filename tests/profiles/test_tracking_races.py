"""Tracking requests that meet each other, or an import of the same users: nothing is lost, made twice or deadlocked."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from profiles import universe
from profiles.models import CustomEvent, EventName, Identifier, Profile
from tests.profiles.factories import make_people
from tests.profiles.trackers import custom, event, points, tracker_of

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
CLIENTS = 4


@pytest.fixture
def track(workspace):
    """A function that tracks."""
    return tracker_of(workspace)


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all jobs at the same moment, each with a connection of its own; return their results."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait()
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [done.result() for done in [pool.submit(run, job) for job in jobs]]


def test_requests_that_make_the_same_users_at_once_make_each_once(track):
    def write(names: list[str]) -> None:
        random.shuffle(names)
        track(
            *({"external_id": name, "n": {"inc": 1}} for name in names),
            events=[event(external_id=name) for name in names],
        )

    for batch in range(5):
        at_once([lambda batch=batch: write([f"u{batch}-{n}" for n in range(75)])] * CLIENTS)
    assert Profile.objects.count() == Identifier.objects.count() == 5 * 75
    assert all(it.custom_attributes == {"n": CLIENTS} for it in Profile.objects.all())
    assert set(CustomEvent.objects.values_list("count", flat=True)) == {CLIENTS}
    assert points() == 5 * 75 * CLIENTS * 2


def test_increments_of_one_attribute_by_many_writers_add_up(track):
    track({"external_id": "ann"})

    def write() -> None:
        for _ in range(100):
            track({"external_id": "ann", "n": {"inc": 1}})

    at_once([write] * CLIENTS)
    assert custom() == {"n": 100 * CLIENTS}
    assert points() == 100 * CLIENTS


def test_requests_that_name_the_same_users_in_any_order_never_deadlock(track, workspace):
    people = list(make_people(workspace, [f"u{n}" for n in range(60)]))

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(20):
            names = chance.sample(people, 60)
            track(
                *({"external_id": name, "n": {"inc": 1}} for name in names),
                events=[event(f"e{n % 7}", external_id=name) for n, name in enumerate(names)],
            )

    at_once([lambda seed=seed: write(seed) for seed in range(CLIENTS)])
    assert {it.custom_attributes["n"] for it in Profile.objects.all()} == {20 * CLIENTS}
    assert CustomEvent.objects.aggregate(all=Sum("count"))["all"] == 20 * CLIENTS * 60


def test_names_of_events_that_several_requests_bring_at_once_are_made_once(track):
    at_once([lambda: track(events=[event(f"e{n}") for n in range(75)])] * CLIENTS)
    assert EventName.objects.count() == 75
    assert set(CustomEvent.objects.values_list("count", flat=True)) == {CLIENTS}


def test_import_of_the_same_users_makes_each_once_and_both_write_what_they_have(track, workspace, tmp_path):
    names = [f"u{n}" for n in range(1_500)]
    make_people(workspace, names[::3])
    file = tmp_path / "people.csv"
    file.write_text("external_id,plan\n" + "".join(f"{name},pro\n" for name in random.sample(names, 1_500)))

    def write(seed: int) -> None:
        mine = random.Random(seed).sample(names, len(names))
        for first in range(0, len(mine), 75):
            track(*({"external_id": name, "n": {"inc": 1}} for name in mine[first : first + 75]))

    load = lambda: call_command("import_profiles", str(file), "--workspace", "default")  # noqa: E731
    at_once([load, lambda: write(1), lambda: write(2)])
    assert Profile.objects.count() == Identifier.objects.count() == 1_500
    wrong = Profile.objects.exclude(custom_attributes={"plan": "pro", "n": 2})
    assert list(wrong.values_list("external_id", "custom_attributes")[:5]) == []
    assert len(universe.live(workspace_id=workspace.pk)) == 1_500
