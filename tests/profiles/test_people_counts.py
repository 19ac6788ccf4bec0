"""How many users there are is noted exactly, once a day and workspace, without a look at all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils.translation import override
from django_q.models import Schedule

from profiles import admin_people_chart, people_counts, selection, tasks
from profiles.models import PeopleCount, Profile
from tests.profiles.factories import ProfileFactory, erase, make_people

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
TODAY = NOW.date()


def noted(workspace) -> dict[date, tuple[int, int]]:
    known = people_counts.by_day(workspace=workspace, since=date(2000, 1, 1))
    return {day: (count.identified_count, count.anonymous_count) for day, count in known.items()}


def test_live_users_are_counted_by_whether_they_are_identified(workspace, other_workspace):
    make_people(other_workspace, ["eve"])
    ada = ProfileFactory.create()
    ProfileFactory.create()
    ProfileFactory.create_batch(3, anonymous=True)
    assert people_counts.note(now=NOW) == 2
    assert noted(workspace) == {TODAY: (2, 3)}
    assert noted(other_workspace) == {TODAY: (1, 0)}
    erase(ada)
    erase(Profile.objects.filter(external_id=None, workspace=workspace)[0])
    people_counts.note(now=NOW + timedelta(hours=1))
    assert noted(workspace) == {TODAY: (1, 2)}


def test_a_day_keeps_its_last_count_when_the_next_begins(workspace):
    midnight = datetime(2026, 3, 12, tzinfo=UTC)
    people_counts.note(now=midnight - timedelta(seconds=1))
    ProfileFactory.create()
    people_counts.note(now=midnight)
    assert noted(workspace) == {TODAY: (0, 0), date(2026, 3, 12): (1, 0)}


def test_no_count_but_the_first_looks_at_all_users(workspace, monkeypatch):
    make_people(workspace, ["ada", "ben"])
    people_counts.note(now=NOW)
    monkeypatch.delattr(selection, "everywhere")
    ProfileFactory.create()
    people_counts.note(now=NOW)
    assert noted(workspace) == {TODAY: (3, 0)}


def test_users_are_counted_every_hour(workspace):
    schedule = Schedule.objects.get(func="profiles.tasks.count_people")
    assert schedule.schedule_type == Schedule.HOURLY
    assert tasks.count_people() == 1
    assert PeopleCount.objects.get().workspace == workspace


# --- the chart -----------------------------------------------------------------------------------------------
def keep(workspace, ago: int, identified: int, anonymous: int) -> None:
    day = TODAY - timedelta(days=ago)
    PeopleCount.objects.create(
        workspace=workspace, day=day, identified_count=identified, anonymous_count=anonymous
    )


def chart(workspace):
    with override("en"):
        return admin_people_chart.chart(workspace=workspace, now=NOW)


def test_chart_is_told_in_words(workspace, other_workspace):
    assert chart(workspace)["summary"] == "Nothing is noted yet. Users are counted every hour."
    keep(other_workspace, 1, 7, 7)
    keep(workspace, 0, 1_500, 500)
    first = chart(workspace)
    assert first["path"] == ""
    assert first["summary"] == (
        "2,000 users on March 11, 2026 · 75% of them identified. The chart begins with the second day."
    )
    keep(workspace, 30, 1_000, 250)
    found = chart(workspace)
    assert found["summary"] == "2,000 users on March 11, 2026 · 75% of them identified · +750 in 30 days"
    assert [(layer.label, layer.total) for layer in found["layers"]] == [
        ("Identified", "1,500"),
        ("Anonymous", "500"),
    ]
    assert found["days"] == [
        (TODAY, [("Identified", "1,500"), ("Anonymous", "500")]),
        (TODAY - timedelta(days=30), [("Identified", "1,000"), ("Anonymous", "250")]),
    ]
