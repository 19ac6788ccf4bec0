"""What needs attention is named once, with where it is mended; what is well is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.allotments import Period, Standing
from accounts.models import Allotment, DataImportKey, Heartbeat, RejectedCall
from cohorts.freshness import Freshness, State
from cohorts.latest_syncs import Overview
from cohorts.models import CohortSync
from config import overview_attention
from tests.accounts.factories import make_key
from tests.cohorts.factories import CohortFactory, CohortSyncFactory
from tests.profiles.factories import make_people

pytestmark = pytest.mark.django_db
Action = CohortSync.Action
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)


@pytest.fixture
def told(workspace, administrator):
    """A function that returns title, note and address of each item."""

    def told(*, beat_at=NOW, freshness=None, standing=None, reader=administrator):
        with override("en"):
            found = overview_attention.items(
                workspace=workspace,
                beat_at=beat_at,
                freshness=freshness,
                standing=standing,
                reader=reader,
                now=NOW,
            )
            return [(str(item.title), str(item.note), item.url) for item in found]

    return told


def titles(items) -> list[str]:
    return [title for title, _note, _url in items]


def test_nothing_is_said_of_what_is_well(told):
    assert told() == []


def test_page_is_calm_when_nothing_needs_attention(administrator_client, workspace):
    Heartbeat.objects.create(name="worker", beat_at=timezone.now())
    make_people(workspace, ["ada"])
    text = administrator_client.get("/admin/").text
    assert "Nothing needs your attention" in text
    assert "Needs your attention" not in text


# --- the worker ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("seconds", "is_late"), [(0, False), (180, False), (181, True)])
def test_worker_is_missed_after_three_minutes(told, seconds, is_late):
    found = told(beat_at=NOW - timedelta(seconds=seconds))
    assert titles(found) == (["The worker is not running"] if is_late else [])
    assert not is_late or "Last sign of life" in found[0][1]


def test_worker_that_never_beat_is_missed_once_it_had_the_time_to(told, workspace):
    workspace.created_at = NOW - timedelta(seconds=180)
    assert told(beat_at=None) == []
    workspace.created_at -= timedelta(seconds=1)
    ((title, note, _url),) = told(beat_at=None)
    assert title == "The worker is not running"
    assert "Last sign" not in note


# --- rejected calls ------------------------------------------------------------------------------------------
def reject(workspace, partner: str = "mixpanel", calls: int = 1, ago: timedelta = timedelta()) -> None:
    RejectedCall.objects.create(
        workspace=workspace,
        partner=partner,
        endpoint="webhook",
        minute_at=NOW - ago,
        last_at=NOW - ago,
        status=401,
        cause=RejectedCall.Cause.INVALIDATED_KEY,
        reason="The key is invalid.",
        call_count=calls,
        fingerprint=str(RejectedCall.objects.count()),
    )


def test_rejected_calls_of_a_day_are_summed_by_partner(told, workspace, other_workspace):
    reject(workspace, calls=3, ago=timedelta(hours=23))
    reject(workspace, calls=2, ago=timedelta(minutes=5))
    reject(workspace, "heap_io", ago=timedelta(hours=1))
    reject(workspace, calls=100, ago=timedelta(hours=25))
    reject(other_workspace, calls=100)
    reject(None, calls=100)
    found = told()
    assert titles(found) == [
        "Mixpanel: 5 calls refused in 24 hours",
        "Heap io: 1 call refused in 24 hours",
    ]
    listed = reverse("admin:accounts_rejectedcall_changelist")
    assert [url for *_others, url in found] == [f"{listed}?partner=mixpanel", f"{listed}?partner=heap_io"]


def test_refused_calls_are_a_warning_once_calls_are_accepted_again(told, workspace, other_workspace):
    key, _secret = make_key(workspace)
    make_key(other_workspace)
    reject(workspace, ago=timedelta(minutes=5))
    for minutes, is_over in [(6, False), (5, False), (4, True)]:
        DataImportKey.objects.filter(pk=key.pk).update(last_used_at=NOW - timedelta(minutes=minutes))
        ((title, note, _url),) = told()
        assert title == "Mixpanel: 1 call refused in 24 hours"
        assert ("accepted since" in note) == is_over


def test_partner_that_fails_for_longer_than_a_day_is_still_told_of(told, workspace, other_workspace):
    key, _secret = make_key(workspace)
    reject(workspace, ago=timedelta(days=3))
    reject(other_workspace, ago=timedelta(days=3))
    assert titles(told()) == ["Mixpanel: no call was accepted since one was refused"]
    DataImportKey.objects.filter(pk=key.pk).update(last_used_at=NOW - timedelta(days=2))
    assert told() == []


def test_calls_that_were_only_too_many_are_a_warning(workspace, administrator):
    make_key(workspace)
    reject(workspace)
    RejectedCall.objects.update(status=429)
    known = {"workspace": workspace, "beat_at": NOW, "freshness": None, "standing": None}
    (item,) = overview_attention.items(**known, reader=administrator, now=NOW)
    assert not item.is_bad


def test_calls_with_nobody_s_key_are_told_to_the_only_workspace_and_never_fill_the_page(told):
    for number in range(9):
        reject(None, f"made-up-{number}")
    assert len(titles(told())) == overview_attention.PARTNERS_SHOWN


def test_flood_of_which_the_partners_are_not_kept_is_told_of_all_the_same(told, workspace):
    reject(workspace, partner="", calls=7)
    ((title, _note, url),) = told()
    assert title == "Several: 7 calls refused in 24 hours"
    assert url == reverse("admin:accounts_rejectedcall_changelist")


def test_marketer_is_not_told_of_keys_and_worker(told, workspace, marketer):
    reject(workspace)
    assert told(beat_at=None, reader=marketer) == []


# --- cohorts and syncs ---------------------------------------------------------------------------------------
def test_stale_cohorts_are_named_and_those_beyond_are_counted(told):
    stale = Freshness(State.STALE, NOW - timedelta(hours=5), timedelta(hours=1))
    late = Freshness(State.LATE, NOW - timedelta(hours=3), timedelta(hours=1))
    carts, lapsed = CohortFactory.create(name="Carts"), CohortFactory.create(name="Lapsed")
    found = told(freshness=Overview({State.STALE: 3, State.LATE: 1}, [(carts, stale), (lapsed, late)]))
    assert titles(found) == ["“Carts” is stale", "2 more cohorts are stale"]
    assert "Out of date since" in found[0][1]
    assert found[0][2] == reverse("admin:cohorts_cohort_change", args=[carts.pk])
    assert found[1][2].endswith("?freshness=stale")


def test_syncs_that_stopped_are_named(told, other_workspace):
    cohort = CohortFactory.create(name="Stopped")
    CohortSyncFactory.create(cohort=cohort, started_at=NOW - timedelta(hours=2))
    stopped = CohortSyncFactory.create(
        cohort=cohort, unfinished=True, pages_count=1, started_at=NOW - timedelta(hours=2)
    )
    CohortSyncFactory.create(cohort=cohort, unfinished=True, started_at=NOW)
    CohortSyncFactory.create(cohort=cohort, unfinished=True, started_at=NOW - timedelta(days=8))
    deleted = CohortFactory.create(ignored_at=NOW)
    CohortSyncFactory.create(cohort=deleted, unfinished=True, started_at=NOW - timedelta(hours=2))
    elsewhere = CohortFactory.create(workspace=other_workspace)
    CohortSyncFactory.create(cohort=elsewhere, unfinished=True, started_at=NOW - timedelta(hours=2))
    ((title, note, url),) = told()
    assert title == "A sync of “Stopped” is unfinished"
    assert note.startswith("1 of 2 pages came")
    assert url == reverse("admin:cohorts_cohortsync_change", args=[stopped.pk])


@pytest.mark.parametrize(
    ("stopped", "later", "is_told"),
    [
        (Action.MEMBERS, Action.MEMBERS, False),
        (Action.MEMBERS, Action.ADD_MEMBERS, True),
        (Action.ADD_MEMBERS, Action.ADD_MEMBERS, False),
        (Action.ADD_MEMBERS, Action.MEMBERS, False),
        (Action.ADD_MEMBERS, Action.REMOVE_MEMBERS, True),
    ],
)
def test_sync_that_a_later_one_made_up_for_is_not_told_of(told, stopped, later, is_told):
    cohort, ago = CohortFactory.create(), NOW - timedelta(hours=2)
    CohortSyncFactory.create(cohort=cohort, started_at=ago)  # an earlier one makes up for nothing
    CohortSyncFactory.create(cohort=cohort, unfinished=True, action=stopped, started_at=ago)
    CohortSyncFactory.create(
        unfinished=True, action=later, started_at=NOW
    )  # of another cohort, and not complete
    assert len(told()) == 1
    CohortSyncFactory.create(cohort=cohort, action=later, started_at=NOW)
    assert len(told()) == is_told


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Action.MEMBERS, "keeps its members until"),
        (Action.ADD_MEMBERS, "What they changed is in the cohort."),
    ],
)
def test_it_is_said_whether_pages_that_came_count_already(told, action, said):
    CohortSyncFactory.create(unfinished=True, action=action, started_at=NOW - timedelta(hours=2))
    ((_title, note, _url),) = told()
    assert said in note


def test_nothing_is_asked_for_a_cohort_that_was_deleted(told):
    cohort = CohortFactory.create(ignored_at=NOW)
    for status in (CohortSync.Status.RUNNING, CohortSync.Status.EXPIRED):
        CohortSyncFactory.create(cohort=cohort, status=status, started_at=NOW - timedelta(hours=2))
    assert told() == []


def test_names_of_partners_are_not_taken_for_html(administrator_client, workspace):
    cohort = CohortFactory.create(name="<b>{time}</b>")
    CohortSyncFactory.create(cohort=cohort, unfinished=True, started_at=timezone.now() - timedelta(hours=2))
    text = administrator_client.get("/admin/").text
    assert "<b>{time}" not in text
    assert "&lt;b&gt;{time}&lt;/b&gt;" in text


# --- data points ---------------------------------------------------------------------------------------------
def standing(used: int, projected: int) -> Standing:
    allotment = Allotment(data_points=1_000, starts_on=date(2026, 3, 1))
    period = Period(date(2026, 3, 1), date(2026, 3, 31))
    return Standing(allotment, period, used, pace=1, pace_days=28, projected=projected)


@pytest.mark.parametrize(
    ("used", "projected", "is_told"), [(799, 1_000, False), (800, 1_000, True), (10, 1_001, True)]
)
def test_allotment_is_told_of_at_80_percent_or_when_it_will_not_last(told, used, projected, is_told):
    found = told(standing=standing(used, projected))
    assert [url for *_others, url in found] == ([reverse("admin:data_points")] if is_told else [])


def test_what_is_broken_comes_before_what_is_a_warning(told, workspace):
    reject(workspace)
    found = told(standing=standing(900, 1_000))
    assert titles(found)[0].startswith("Mixpanel")
    found = told(standing=standing(1_000, 1_200))
    assert any(title.startswith("100%") for title in titles(found))
