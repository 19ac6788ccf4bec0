"""Allotments: periods tile time, pace and projection are what the page says, and each change is in the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import allotments, usage
from accounts.models import Allotment, AuditEntry, DataPointUsage

Period = Allotment.Period
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
TODAY, DAY = NOW.date(), timedelta(days=1)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def allotted(starts_on: date, period: str = Period.MONTH, data_points: int = 1_000) -> Allotment:
    return Allotment(data_points=data_points, period=period, starts_on=starts_on)


def period_at(day: date, **allotment) -> tuple[date, date]:
    return tuple(allotments.period_at(allotment=allotted(**allotment), day=day))


@given(starts_on=days, period=st.sampled_from(Period.values), day=days)
def test_periods_hold_their_day_and_follow_each_other_without_a_gap(starts_on, period, day):
    first, last = period_at(day, starts_on=starts_on, period=period)
    assert first <= day <= last
    assert period_at(first, starts_on=starts_on, period=period) == (first, last)
    assert period_at(last, starts_on=starts_on, period=period) == (first, last)
    assert period_at(last + DAY, starts_on=starts_on, period=period)[0] == last + DAY
    assert period_at(first - DAY, starts_on=starts_on, period=period)[1] == first - DAY


@given(starts_on=days, period=st.sampled_from(Period.values))
def test_a_period_begins_on_the_day_that_was_named(starts_on, period):
    assert period_at(starts_on, starts_on=starts_on, period=period)[0] == starts_on


@pytest.mark.parametrize(
    ("starts_on", "period", "day", "first", "last"),
    [
        (date(2026, 1, 1), Period.MONTH, date(2026, 2, 10), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 1, 31), Period.MONTH, date(2026, 2, 27), date(2026, 1, 31), date(2026, 2, 27)),
        (date(2026, 1, 31), Period.MONTH, date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 30)),
        (date(2026, 1, 31), Period.MONTH, date(2026, 3, 31), date(2026, 3, 31), date(2026, 4, 29)),
        (date(2025, 11, 15), Period.QUARTER, date(2026, 2, 14), date(2025, 11, 15), date(2026, 2, 14)),
        (date(2024, 2, 29), Period.YEAR, date(2026, 2, 28), date(2026, 2, 28), date(2027, 2, 27)),
        (date(2026, 6, 1), Period.MONTH, date(2025, 12, 31), date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_periods_by_example(starts_on, period, day, first, last):
    assert period_at(day, starts_on=starts_on, period=period) == (first, last)


def test_without_an_allotment_periods_are_months():
    assert allotments.period_at(allotment=None, day=date(2026, 2, 28)) == (
        date(2026, 2, 1),
        date(2026, 2, 28),
    )


# --- how a workspace stands ----------------------------------------------------------------------------------
@pytest.fixture
def old_workspace(workspace):
    workspace.created_at = NOW - timedelta(days=400)
    workspace.save()
    return workspace


def record(workspace, day: date, count: int, source=DataPointUsage.Source.CSV) -> None:
    usage.record(workspace_id=workspace.pk, source=source, day=day, count=count, shard_key=0)


def give(workspace, data_points: int, starts_on: date = date(2026, 3, 1)) -> None:
    Allotment.objects.create(workspace=workspace, data_points=data_points, starts_on=starts_on)


@pytest.mark.django_db
def test_pace_is_the_average_of_the_last_28_whole_days_and_projects_to_the_last_day(old_workspace):
    give(old_workspace, 1_000)
    record(old_workspace, TODAY - 29 * DAY, 1_000_000)  # too long ago
    record(old_workspace, TODAY - 28 * DAY, 100)  # the period before
    record(old_workspace, TODAY - DAY, 180, source=DataPointUsage.Source.EVENTS)
    record(old_workspace, TODAY, 50)  # counts as used; not a whole day yet
    found = allotments.standing(workspace=old_workspace, now=NOW)
    assert (found.used, found.pace, found.pace_days) == (230, 10, 28)
    assert found.projected == 230 + 10 * 20  # until March 31
    assert (found.percent, found.is_past, found.will_be_past, found.needs_attention) == (
        23,
        False,
        False,
        False,
    )


@pytest.mark.django_db
def test_pace_of_a_young_workspace_is_that_of_the_days_it_has_seen(workspace):
    workspace.created_at = NOW - timedelta(days=4)
    workspace.save()
    for ago in range(4, 0, -1):
        record(workspace, TODAY - ago * DAY, 12)
    found = allotments.standing(workspace=workspace, now=NOW)
    assert (found.pace, found.pace_days) == (12, 4)


@pytest.mark.django_db
def test_pace_on_the_very_first_day_is_what_has_come_so_far(workspace):
    workspace.created_at = NOW
    workspace.save()
    record(workspace, TODAY, 7)
    found = allotments.standing(workspace=workspace, now=NOW)
    assert (found.pace, found.pace_days, found.projected) == (7, 0, 7 + 7 * 20)


@pytest.mark.django_db
def test_without_an_allotment_nothing_needs_attention(old_workspace):
    record(old_workspace, TODAY, 10**12)
    found = allotments.standing(workspace=old_workspace, now=NOW)
    assert (found.limit, found.percent, found.needs_attention) == (0, 0, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("used", "percent", "is_past", "needs_attention"),
    [(799, 79, False, False), (800, 80, False, True), (999, 99, False, True), (1_000, 100, True, True)],
)
def test_attention_begins_at_80_percent(old_workspace, used, percent, is_past, needs_attention):
    give(old_workspace, 1_000)
    record(old_workspace, TODAY, used)
    found = allotments.standing(workspace=old_workspace, now=NOW)
    assert (found.percent, found.is_past, found.needs_attention) == (percent, is_past, needs_attention)


@pytest.mark.django_db
def test_attention_is_needed_as_soon_as_the_pace_is_too_fast(old_workspace):
    give(old_workspace, 1_000)
    record(old_workspace, TODAY - 20 * DAY, 50 * 28)
    found = allotments.standing(workspace=old_workspace, now=NOW)
    assert (found.used, found.projected, found.will_be_past, found.needs_attention) == (
        0,
        1_000,
        False,
        False,
    )
    record(old_workspace, TODAY, 1)
    assert allotments.standing(workspace=old_workspace, now=NOW).needs_attention


@pytest.mark.django_db
def test_standing_costs_two_queries(workspace, django_assert_num_queries):
    give(workspace, 1_000)
    workspace.refresh_from_db()
    with django_assert_num_queries(2):
        allotments.standing(workspace=workspace, now=NOW)


# --- changing it ---------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_each_change_is_in_the_audit_log_and_of_one_workspace(workspace, other_workspace, administrator):
    give(other_workspace, 5)
    for data_points in (1_000, 2_000, None):
        allotments.change(
            workspace=workspace,
            data_points=data_points,
            period=Period.YEAR,
            starts_on=date(2026, 1, 1),
            by=administrator,
            now=NOW,
        )
        found = allotments.of(workspace=workspace)
        assert (found.data_points if found else None) == data_points
    entries = AuditEntry.objects.filter(workspace=workspace, action="allotment_changed").order_by("id")
    assert [(entry.actor, entry.detail.get("data_points")) for entry in entries] == [
        (administrator, 1_000),
        (administrator, 2_000),
        (administrator, None),
    ]
    assert allotments.of(workspace=other_workspace)
