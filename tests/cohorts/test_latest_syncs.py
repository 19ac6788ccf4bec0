"""Any number of cohorts by one look at their latest syncs: the same as looking at each."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Workspace
from cohorts import latest_syncs
from cohorts.freshness import State
from cohorts.models import Cohort, CohortSync
from tests.accounts.factories import IntegrationFactory
from tests.cohorts.factories import CohortFactory, CohortSyncFactory

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


def synced(silence: timedelta, *, every: timedelta = HOUR, times: int = 5, **more: object) -> Cohort:
    """Return a cohort that was synced so often, and whose partner is silent since."""
    cohort: Cohort = CohortFactory.create(last_sync_at=NOW - silence, **more)
    for n in reversed(range(times)):
        CohortSyncFactory.create(cohort=cohort, started_at=NOW - silence - n * every)
    return cohort


def states(*cohorts: Cohort) -> list[State]:
    found = latest_syncs.of_cohorts(cohorts=cohorts, now=NOW)
    return [found[cohort.pk].state for cohort in cohorts]


def test_each_cohort_is_judged_by_its_own_syncs(workspace):
    cohorts = [
        synced(0 * HOUR),
        synced(3 * HOUR),
        synced(5 * HOUR),
        synced(5 * HOUR, every=3 * HOUR),
        synced(500 * HOUR, times=1),
        CohortFactory.create(),
    ]
    assert states(*cohorts) == ["fresh", "late", "stale", "fresh", "one_time", "never"]


def test_held_members_who_join_are_no_word_of_the_partner(workspace):
    cohort = synced(5 * HOUR)
    for n in range(3):
        CohortSyncFactory.create(cohort=cohort, action=CohortSync.Action.HELD, started_at=NOW - n * HOUR)
    found = latest_syncs.of_cohorts(cohorts=[cohort], now=NOW)[cohort.pk]
    assert (found.state, found.heard_at, found.expected) == ("stale", NOW - 5 * HOUR, HOUR)


def test_moments_come_to_the_millisecond(workspace):
    moment = NOW.replace(microsecond=123_000)
    cohort = CohortFactory.create()
    CohortSyncFactory.create(cohort=cohort, started_at=moment)
    assert latest_syncs.of_cohorts(cohorts=[cohort], now=NOW)[cohort.pk].heard_at == moment


def test_only_the_latest_syncs_count(workspace):
    cohort = synced(0 * HOUR, every=24 * HOUR, times=3)
    for n in range(1, 40):
        CohortSyncFactory.create(cohort=cohort, started_at=NOW + n * HOUR)
    later = latest_syncs.of_cohorts(cohorts=[cohort], now=NOW + 39 * HOUR)[cohort.pk]
    assert later.expected == HOUR


def test_integration_says_how_often_and_whether_at_all(workspace, other_workspace):
    IntegrationFactory.create(workspace=workspace, partner="mixpanel", expected_minutes=600)
    IntegrationFactory.create(workspace=workspace, partner="amplitude", is_enabled=False)
    IntegrationFactory.create(workspace=other_workspace, partner="heap", is_enabled=False)
    cohorts = [synced(5 * HOUR, partner=partner) for partner in ("mixpanel", "amplitude", "heap")]
    assert states(*cohorts) == ["fresh", "off", "stale"]


def test_cohort_that_was_deleted_here_is_off(workspace):
    assert states(synced(5 * HOUR, ignored_at=NOW)) == ["off"]


def test_number_of_queries_does_not_depend_on_the_number_of_cohorts(workspace, django_assert_num_queries):
    cohorts = [synced(n * HOUR) for n in range(5)]
    for some in ([], cohorts[:1], cohorts):
        with django_assert_num_queries(2 if some else 0):
            latest_syncs.of_cohorts(cohorts=some, now=NOW)


def test_overview_counts_one_workspaces_cohorts_by_state_and_names_the_worst(workspace, other_workspace):
    late, stale, staler = synced(3 * HOUR), synced(5 * HOUR), synced(50 * HOUR)
    synced(0 * HOUR)
    synced(500 * HOUR, ignored_at=NOW)
    synced(500 * HOUR, workspace=other_workspace)
    found = latest_syncs.overview(workspace=workspace, now=NOW)
    assert found.counts == {**dict.fromkeys(State, 0), State.FRESH: 1, State.LATE: 1, State.STALE: 2}
    assert [cohort for cohort, _freshness in found.worst] == [staler, stale, late]


def test_overview_takes_three_queries(workspace, django_assert_num_queries):
    for n in range(8):
        synced(n * HOUR)
    with django_assert_num_queries(3):
        assert len(latest_syncs.overview(workspace=workspace, now=NOW).worst) == latest_syncs.WORST_SHOWN


def test_ages_are_of_all_workspaces_in_seconds(
    workspace: Workspace, other_workspace, django_assert_num_queries
):
    hourly, once = synced(3 * HOUR), synced(100 * HOUR, times=1, workspace=other_workspace, partner="heap")
    synced(0 * HOUR, ignored_at=NOW)
    CohortFactory.create()
    with django_assert_num_queries(3):
        assert list(latest_syncs.ages(now=NOW)) == [
            ("default", "mixpanel", hourly.pk, 10_800.0, 3_600.0),
            ("elsewhere", "heap", once.pk, 360_000.0, None),
        ]


def test_sync_that_began_later_is_a_later_one_whatever_its_status(workspace):
    cohort = synced(9 * HOUR)
    CohortSyncFactory.create(cohort=cohort, started_at=NOW, unfinished=True, action=CohortSync.Action.MEMBERS)
    assert states(cohort) == ["fresh"]
