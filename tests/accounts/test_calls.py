"""What is kept of calls: counts without waiting, refusals once a minute, floods as a few rows, and never a failure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule
from structlog.testing import capture_logs

from accounts import calls, tasks
from accounts.models import KeyCalls, RejectedCall
from tests.accounts.factories import (
    UserFactory,
    make_administrator,
    make_key,
    make_rejection,
    rejection,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MANY = calls.MAX_ROWS_A_MINUTE


def reject(workspace, now=NOON, **more) -> None:
    calls.reject(rejection=rejection(workspace, **more), now=now)


def count(key, now=NOON, *, times: int = 1, is_refused: bool = False) -> None:
    for _ in range(times):
        calls.count(key=key, is_refused=is_refused, now=now)


def side_by_side(work, times: int) -> None:
    """Do something in several threads at once, each with a connection of its own."""

    def once(_number: int) -> None:
        work()
        connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(once, range(times)))


# --- counts ------------------------------------------------------------------------------------------------
def test_calls_are_counted_by_key_and_day_of_utc(workspace):
    (one, _), (two, _) = make_key(workspace), make_key(workspace)
    count(one, times=3)
    count(one, is_refused=True)
    count(two, NOON + timedelta(days=1))
    days = KeyCalls.objects.values_list("key", "day", "call_count", "refused_count")
    assert sorted(days) == [
        (one.pk, NOON.date(), 4, 1),
        (two.pk, (NOON + timedelta(days=1)).date(), 1, 0),
    ]


def test_count_is_one_statement_new_or_not(workspace, django_assert_num_queries):
    key, _ = make_key(workspace)
    for _ in range(2):
        with django_assert_num_queries(1):
            count(key)


def test_processes_count_in_rows_of_their_own(workspace, monkeypatch):
    key, _ = make_key(workspace)
    for number in range(40):
        monkeypatch.setattr(calls.os, "getpid", lambda number=number: number)
        count(key)
    assert KeyCalls.objects.count() == calls.SHARDS
    assert KeyCalls.objects.aggregate(sum=Sum("call_count"))["sum"] == 40


def test_counts_of_keys_are_those_of_30_days_and_ever(workspace, django_assert_num_queries):
    (one, _), (two, _), (unused, _) = make_key(workspace), make_key(workspace), make_key(workspace)
    count(one, NOON - timedelta(days=30), times=5)
    count(one, NOON - timedelta(days=29), times=2)
    count(one)
    count(two, NOON - timedelta(days=400))
    with django_assert_num_queries(1):
        found = calls.counts_of(keys=[one, two, unused], now=NOON)
    assert found == {one.pk: (3, 8), two.pk: (0, 1)}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_no_call_is_lost_side_by_side(workspace):
    key, _ = make_key(workspace)
    side_by_side(lambda: count(key), 40)
    assert KeyCalls.objects.aggregate(sum=Sum("call_count"))["sum"] == 40


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_statement_that_does_not_wait_for_the_disk_is_the_only_one(workspace):
    key, _ = make_key(workspace)
    with CaptureQueriesContext(connection) as captured:
        count(key)
    assert len(captured) == 1
    assert "set_config('synchronous_commit', 'off', true)" in captured[0]["sql"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="needs SQLite")
@pytest.mark.parametrize("keep", [count, lambda key: reject(key.integration.workspace)])
def test_neither_disk_nor_other_writers_are_waited_for_as_by_the_writes_that_follow(workspace, keep):
    def waits() -> tuple[int, ...]:
        return tuple(
            connection.connection.execute(f"PRAGMA {it}").fetchone()[0]
            for it in ("synchronous", "busy_timeout")
        )

    def note(execute, sql, *rest):
        found.append(waits())
        return execute(sql, *rest)

    found: list[tuple[int, ...]] = []
    key, _ = make_key(workspace)
    with connection.execute_wrapper(note):
        keep(key)
    assert (1, calls.PATIENCE) in found
    assert calls.PATIENCE < 1_000
    assert waits() == (2, 20_000)


# --- refusals ----------------------------------------------------------------------------------------------
def test_refusal_is_kept_whole_without_the_body(workspace):
    reject(workspace)
    kept = RejectedCall.objects.get()
    assert (kept.workspace, kept.partner, kept.endpoint, kept.status) == (
        workspace,
        "mixpanel",
        "webhook",
        401,
    )
    assert (kept.key_prefix, kept.address, kept.body_bytes) == ("rc_abcd1234", "192.0.2.7", 1_000)
    assert (kept.cause, kept.reason) == ("invalidated_key", "This data import key was invalidated.")
    assert (kept.minute_at, kept.last_at, kept.call_count) == (NOON.replace(second=0), NOON, 1)


def test_same_call_in_a_minute_is_one_row_with_its_count(workspace):
    reject(workspace)
    reject(workspace, NOON + timedelta(seconds=29), body_bytes=7)
    reject(workspace, NOON + timedelta(seconds=30))
    first, second = RejectedCall.objects.order_by("minute_at")
    assert (first.call_count, first.last_at, first.body_bytes) == (2, NOON + timedelta(seconds=29), 7)
    assert second.call_count == 1


@pytest.mark.django_db(transaction=True)
def test_refusals_are_kept_outside_of_a_transaction_as_calls_come(workspace):
    reject(workspace)
    reject(workspace)
    assert RejectedCall.objects.get().call_count == 2


@pytest.mark.parametrize(
    "other",
    [
        {"partner": "segment"},
        {"endpoint": "cohorts"},
        {"status": 400},
        {"cause": calls.Cause.NO_KEY},
        {"reason": "Something else."},
        {"key_prefix": "rc_other123"},
        {"address": None},
    ],
)
def test_calls_that_differ_are_different_rows(workspace, other):
    reject(workspace)
    reject(workspace, **other)
    assert RejectedCall.objects.count() == 2


def test_flood_makes_a_few_rows_and_is_counted_whole(workspace):
    for number in range(MANY + 30):
        reject(workspace, address=f"192.0.2.{number}")
    assert RejectedCall.objects.count() == MANY + 1
    assert RejectedCall.objects.aggregate(sum=Sum("call_count"))["sum"] == MANY + 30
    rest = RejectedCall.objects.get(cause=calls.Cause.OTHERS)
    assert (rest.status, rest.call_count, rest.address, rest.key_prefix) == (401, 30, None, "")


def test_flood_with_no_key_hides_nothing_of_a_workspace(workspace, other_workspace):
    for number in range(MANY + 5):
        reject(None, address=f"192.0.2.{number}")
    reject(workspace)
    reject(other_workspace)
    assert RejectedCall.objects.filter(cause=calls.Cause.INVALIDATED_KEY).count() == 2


def test_flood_ends_with_its_minute(workspace):
    for number in range(MANY + 5):
        reject(workspace, address=f"192.0.2.{number}")
    reject(workspace, NOON + timedelta(minutes=1), address="198.51.100.1")
    assert RejectedCall.objects.filter(address="198.51.100.1").exists()


def test_statements_of_a_refusal_do_not_grow(
    workspace, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(4):
        reject(workspace)
    with django_assert_num_queries(2):
        reject(workspace)
    for number in range(MANY + 5):
        with django_assert_max_num_queries(4):
            reject(workspace, address=f"192.0.2.{number}")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_same_call_side_by_side_is_one_row_and_none_is_lost(workspace):
    side_by_side(lambda: reject(workspace), 40)
    assert RejectedCall.objects.get().call_count == 40


@pytest.mark.parametrize("size", [-5, 2**70])
def test_absurd_size_is_no_failure(workspace, size):
    with capture_logs() as logged:
        reject(workspace, body_bytes=size)
    assert (RejectedCall.objects.count(), logged) == (1, [])


def test_failure_to_keep_or_count_is_logged_without_what_it_says(workspace, monkeypatch):
    def away(*_args):
        raise OperationalError("DETAIL: ann@people.example")

    key, _ = make_key(workspace)
    monkeypatch.setattr(calls, "_execute", away)
    with capture_logs() as logged:
        reject(workspace)
        count(key)
    assert [line["event"] for line in logged] == ["rejected_call_not_kept", "call_not_counted"]
    assert "ann@people.example" not in str(logged)


@pytest.mark.parametrize(
    ("secret", "prefix"),
    [
        ("rc_0123456789abcdef", "rc_01234567"),
        ("rk_-_aA0123zzzz", "rk_-_aA0123"),
        ("rc_short", ""),
        ("my own password", ""),
        ("rc_ann@people.example", ""),
        (" rc_0123456789", ""),
        ("", ""),
    ],
)
def test_prefix_is_kept_of_what_looks_like_a_key_alone(secret, prefix):
    assert calls.prefix_of(secret) == prefix


# --- who sees them, and for how long -----------------------------------------------------------------------
def seen_by(reader, workspace) -> set[str]:
    rows = calls.visible(workspace=workspace, reader=reader)
    return set(rows.values_list("cause", flat=True))


def test_calls_with_nobody_s_key_are_shown_in_the_only_workspace(workspace, administrator):
    make_rejection(workspace)
    make_rejection(None)
    assert seen_by(administrator, workspace) == {"invalidated_key", "unknown_key"}


def test_calls_with_nobody_s_key_are_for_operators_once_there_are_several(workspace, other_workspace):
    make_rejection(workspace)
    make_rejection(None)
    operator = UserFactory.create(operator=True)
    assert seen_by(make_administrator(workspace), workspace) == {"invalidated_key"}
    assert seen_by(make_administrator(other_workspace), other_workspace) == set()
    assert seen_by(operator, workspace) == {"invalidated_key", "unknown_key"}
    assert seen_by(operator, other_workspace) == {"unknown_key"}


def test_rejected_calls_expire(workspace, settings):
    settings.REJECTED_CALL_DAYS = 30
    now = timezone.now()
    make_rejection(workspace, now=now - timedelta(days=30, minutes=2))
    young = make_rejection(workspace, now=now - timedelta(days=29))
    assert tasks.forget_rejected_calls() == 1
    assert RejectedCall.objects.get() == young


def test_expiry_is_scheduled_every_night():
    job = Schedule.objects.get(func="accounts.tasks.forget_rejected_calls")
    assert job.schedule_type == Schedule.DAILY
