"""Imports of events: each is counted once, for a user that is there, whoever sends it how often and how many at once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import DataPointUsage, Integration
from profiles import changes, event_import, events, locks, tracking
from profiles.event_import import Counts
from profiles.models import CustomEvent, EventReceipt, Profile
from tests.profiles.event_data import NOW, TIME, exported, totals
from tests.profiles.factories import ProfileFactory, erase, make_people
from tests.profiles.questions import changed_since

pytestmark = pytest.mark.django_db


def receive(workspace, *values: Any, now: datetime = NOW) -> Counts:
    return event_import.receive(workspace_id=workspace.pk, values=values, now=now)[0]


@pytest.fixture
def ann(workspace) -> Profile:
    return ProfileFactory.create(external_id="ann")


def test_events_of_users_that_are_there_are_counted(workspace, ann):
    assert receive(workspace, exported(), exported(time=TIME + 5)) == Counts(imported=2)
    row = CustomEvent.objects.get()
    assert (row.profile, row.count) == (ann, 2)
    assert row.first_at == datetime.fromtimestamp(TIME, UTC)
    assert row.last_at == row.first_at + timedelta(seconds=5)


def test_an_import_creates_nobody(workspace):
    assert receive(workspace, exported(), exported(distinct_id="")) == Counts(unknown_users=2)
    assert not Profile.objects.exists()
    assert not EventReceipt.objects.exists()


def test_who_comes_later_gets_the_events_when_they_are_sent_again(workspace):
    receive(workspace, exported())
    ProfileFactory.create(external_id="ann")
    assert receive(workspace, exported()) == Counts(imported=1)


def test_the_same_event_counts_once_in_a_request_and_ever_after(workspace, ann):
    assert receive(workspace, exported(), exported()) == Counts(imported=1, duplicates=1)
    assert receive(workspace, exported(), exported(**{"$insert_id": "1"})) == Counts(imported=1, duplicates=1)
    assert totals() == {("ann", "Signed up"): 2}


@pytest.mark.parametrize(
    ("time", "counts"),
    [
        (1_262_304_000, Counts(imported=1)),
        (1_262_303_999, Counts(too_old=1)),
        (1_262_303_999_999, Counts(too_old=1)),
        (0, Counts(too_old=1)),
    ],
)
def test_events_from_before_2010_are_dropped_and_counted(workspace, ann, time, counts):
    assert receive(workspace, exported(time=time)) == counts
    assert CustomEvent.objects.count() == counts.imported


def test_an_event_of_the_future_happens_now_and_counts_once(workspace, ann):
    tomorrow = int(NOW.timestamp()) + 86_400
    receive(workspace, exported(time=tomorrow))
    assert receive(workspace, exported(time=tomorrow), now=NOW + timedelta(hours=1)) == Counts(duplicates=1)
    assert CustomEvent.objects.get().last_at == NOW


def test_those_at_fault_do_not_hold_up_the_others(workspace, ann):
    counts, failed = event_import.receive(
        workspace_id=workspace.pk,
        values=[exported(time=None, **{"$insert_id": "x"}), exported(), b"{"],
        now=NOW,
    )
    assert counts == Counts(imported=1, invalid=2)
    assert [(it.index, it.insert_id, it.field) for it in failed] == [(0, "x", "properties.time"), (2, "", "")]


def test_devices_match_anonymous_users_only(workspace, ann):
    ProfileFactory.create(anonymous=True, devices=["d1"])
    ProfileFactory.create(external_id="ben", devices=["d2"])
    found = receive(workspace, exported(distinct_id="$device:d1"), exported(distinct_id="$device:d2"))
    assert found == Counts(imported=1, unknown_users=1)


def test_distinct_ids_match_aliases(workspace):
    ProfileFactory.create(external_id="ben", aliases=[("mixpanel_distinct_id", "mp-1")])
    assert receive(workspace, exported(distinct_id="mp-1")) == Counts(imported=1)


def test_the_integration_says_which_property_is_the_external_id(workspace, other_workspace, ann):
    crm = [{"property": "crm", "identifier": "external_id"}]
    Integration.objects.create(workspace=workspace, partner="mixpanel", member_mapping=crm)
    other = [{"property": "other", "identifier": "external_id"}]
    Integration.objects.create(workspace=other_workspace, partner="mixpanel", member_mapping=other)
    receive(workspace, exported(distinct_id="x", crm="ann", other="ben"))
    assert totals() == {("ann", "Signed up"): 1}


def test_workspaces_do_not_see_each_others_users_or_receipts(workspace, other_workspace, ann):
    assert receive(other_workspace, exported()) == Counts(unknown_users=1)
    ProfileFactory.create(external_id="ann", workspace=other_workspace)
    assert receive(workspace, exported()) == receive(other_workspace, exported()) == Counts(imported=1)


def test_every_event_that_counts_is_a_data_point_and_marks_its_user(workspace, ann):
    receive(workspace, exported(), exported(), exported(time=TIME + 1), exported(distinct_id="nobody knows"))
    usage = DataPointUsage.objects.get()
    assert (usage.source, usage.day, usage.count) == (DataPointUsage.Source.EVENTS, NOW.date(), 2)
    assert ann.pk in changed_since(workspace, changes.as_of(), changes.Kind.EVENTS)


def test_an_erased_user_is_unknown(workspace, ann):
    erase(ann)
    assert receive(workspace, exported()) == Counts(unknown_users=1)


@pytest.mark.parametrize("number", [1, 500])
def test_queries_do_not_grow_with_the_events(workspace, number, django_assert_max_num_queries):
    make_people(workspace, [f"p{it}" for it in range(20)])
    values = [exported(name=f"event {it}", distinct_id=f"p{it % 20}", time=TIME + it) for it in range(number)]
    with django_assert_max_num_queries(13):
        assert receive(workspace, *values).imported == number


# --- against counting one by one ------------------------------------------------------------------------------
EVENTS = st.builds(
    exported,
    name=st.sampled_from(["a", "b"]),
    distinct_id=st.sampled_from(["p0", "p1", "stranger", ""]),
    time=st.sampled_from([TIME, TIME + 1, str(TIME), TIME * 1_000, 5, TIME * 2]),
    **{"$insert_id": st.sampled_from([None, "1", "2"])},
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(requests=st.lists(st.lists(EVENTS, max_size=8), max_size=5))
def test_any_split_and_repetition_is_as_counting_each_event_once(workspace, requests):
    with transaction.atomic():
        make_people(workspace, ["p0", "p1"])
        seen, expected = set(), Counter()
        for request in requests:
            counts, was = Counts(), len(seen)
            for event in request:
                properties = event["properties"]
                time = int(properties["time"])
                time = time // 1_000 if time > 10**11 else time
                who, insert_id = properties["distinct_id"], properties.get("$insert_id", "")
                if time == 5:
                    counts.too_old += 1
                elif who not in {"p0", "p1"}:
                    counts.unknown_users += 1
                elif (one := (event["event"], time, who, insert_id)) in seen:
                    counts.duplicates += 1
                else:
                    seen.add(one)
                    expected[who, event["event"]] += 1
            counts.imported = len(seen) - was
            assert receive(workspace, *request) == counts
        assert totals() == expected
        transaction.set_rollback(True)


# --- at the same time -----------------------------------------------------------------------------------------
def together(*works: Any) -> list[Any]:
    """Run functions in threads that begin at once; return what they return."""
    barrier, results = Barrier(len(works)), [None] * len(works)

    def run(index: int) -> None:
        try:
            barrier.wait()
            results[index] = works[index]()
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_same_events_sent_by_four_at_once_count_once(workspace):
    make_people(workspace, [f"p{it}" for it in range(50)])
    values = [exported(name=f"e{it % 7}", distinct_id=f"p{it % 50}", time=TIME + it) for it in range(700)]
    orders = [values, values[::-1], values[350:] + values[:350], values]
    counts = together(*[lambda order=order: receive(workspace, *order) for order in orders])
    assert sum(it.imported for it in counts) == 700
    assert sum(it.duplicates for it in counts) == 2_100
    assert sum(totals().values()) == 700 == EventReceipt.objects.count()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_different_events_of_the_same_users_sent_at_once_add_up(workspace):
    make_people(workspace, [f"p{it}" for it in range(20)])
    parts = [
        [
            exported(name=f"e{it % 3}", distinct_id=f"p{it % 20}", time=TIME + 1_000 * part + it)
            for it in range(300)
        ]
        for part in range(4)
    ]
    parts[1].reverse()
    counts = together(*[lambda part=part: receive(workspace, *part) for part in parts])
    assert [it.imported for it in counts] == [300] * 4
    assert sum(totals().values()) == 1_200


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_events_that_are_tracked_and_imported_at_once_add_up(workspace):
    names, moment = [f"e{it}" for it in range(6)], datetime.fromtimestamp(TIME, UTC).isoformat()
    make_people(workspace, [f"p{it}" for it in range(12)])

    def track(order: int) -> None:
        tracked = [
            {"external_id": f"p{it}", "name": name, "time": moment} for it in range(12) for name in names
        ]
        for _ in range(10):
            tracking.track(workspace_id=workspace.pk, body={"events": tracked[::order]}, now=NOW)

    def imports(order: int) -> None:
        sent = [exported(name, f"p{it}") for it in range(12) for name in names]
        for second in range(10):
            for event in sent:
                event["properties"]["time"] = TIME + second + 100 * order
            receive(workspace, *sent[::order])

    together(lambda: track(1), lambda: track(-1), lambda: imports(1), lambda: imports(-1))
    assert set(totals().values()) == {40}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_nobody_is_erased_while_their_events_are_added(workspace, monkeypatch):
    ann = ProfileFactory.create(external_id="ann")
    barrier, record = Barrier(2), events.record_each
    erased_when: list[bool] = []

    def slow(**more: Any) -> Any:
        barrier.wait()
        with connection.cursor() as cursor:  # until the eraser waits for the lock
            for _ in range(2_000):
                cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                if cursor.fetchone()[0]:
                    break
        erased_when.append(Profile.objects.filter(pk=ann.pk, deleted_at=None).exists())
        return record(**more)

    def eraser() -> None:
        barrier.wait()
        with transaction.atomic():
            locks.alone(locks.Lock.IMPORTS, workspace_id=workspace.pk)
            CustomEvent.objects.filter(profile_id=ann.pk).delete()
            erase(ann)

    monkeypatch.setattr(events, "record_each", slow)
    together(lambda: receive(workspace, exported()), eraser)
    assert erased_when == [True]
    assert totals() == {}
