"""Staff are told once that cohorts fell silent, and once that they are heard of again, on a clock that the test moves."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule
from structlog.testing import capture_logs

from accounts import audit
from accounts.models import AuditEntry, Integration, Membership
from cohorts import staleness, tasks
from cohorts.models import Cohort, StaleIncident
from tests.accounts.factories import IntegrationFactory, make_marketer
from tests.cohorts.factories import CohortSyncFactory, make_hourly

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SERVERS = "tests.accounts.mail_servers"

pytestmark = pytest.mark.django_db


class Clock:
    """The time of a test."""

    now = START

    def later(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(workspace):
    return make_marketer(workspace, username="reader")


@pytest.fixture
def subjects(clock, mailoutbox) -> Iterator[Callable[[], list[str]]]:
    """A function that runs a check and returns the subjects of the mails it sent."""

    def run() -> list[str]:
        seen = len(mailoutbox)
        staleness.check(now=clock.now)
        return [message.subject for message in mailoutbox[seen:]]

    return run


def synced(name: str = "Lapsed", **more: object) -> Cohort:
    """Return a cohort that was synced each hour, the last time at the start."""
    return make_hourly(silence=0 * HOUR, now=START, name=name, **more)


def hear(cohort: Cohort, now: datetime) -> None:
    CohortSyncFactory.create(cohort=cohort, started_at=now)


STALE = "The cohort “Lapsed” is out of date (Default)"
AGAIN = "The cohort “Lapsed” is updated again (Default)"
THEIRS = "The cohort “Theirs” is out of date (Elsewhere)"


def test_one_mail_when_a_cohort_falls_silent_and_one_when_it_is_heard_of_again(reader, clock, subjects):
    cohort = synced()
    clock.later(4 * HOUR)
    assert subjects() == []
    clock.later(MINUTE)
    assert subjects() == [STALE]
    clock.later(MINUTE)
    assert subjects() == []
    clock.later(30 * HOUR)
    assert subjects() == []
    hear(cohort, clock.now)
    assert subjects() == [AGAIN]
    clock.later(MINUTE)
    assert subjects() == []
    clock.later(5 * HOUR)
    assert subjects() == [STALE]
    assert StaleIncident.objects.count() == 2


def test_mail_says_which_cohort_since_when_why_and_where_to_look(
    reader, clock, subjects, mailoutbox, settings
):
    settings.PUBLIC_URL = "https://rollcall.example.com"
    cohort = synced("Lapsed\n\n<b>& co</b>")  # a partner's name is no paragraph of ours
    clock.later(5 * HOUR)
    assert subjects() == ["The cohort “Lapsed <b>& co</b>” is out of date (Default)"]
    text = mailoutbox[0].body
    for part in (
        "* Lapsed <b>& co</b> (Mixpanel)",
        "Last sync: Nov. 25, 2026, noon (UTC)",
        "Expected interval: 1\xa0hour",
        f"https://rollcall.example.com/admin/cohorts/cohort/{cohort.pk}/change/",
        "The partner paused the sync",
        "https://rollcall.example.com/admin/cohorts/cohort/?freshness=stale",
        "https://rollcall.example.com/admin/notifications/",
    ):
        assert part in text


def test_mail_is_in_the_language_of_its_reader(workspace, clock, mailoutbox):
    synced()
    for code in ("en", "de", "fr"):
        make_marketer(workspace, language=code)
    staleness.check(now=START + 5 * HOUR)
    dates = ["Nov. 25, 2026, noon", "25. November 2026 12:00", "25 novembre 2026 12:00"]
    assert len(mailoutbox) == 3
    for date, message in zip(dates, mailoutbox, strict=True):
        assert date in message.body


def test_cohorts_that_fall_silent_together_are_one_mail_per_workspace(
    reader, other_workspace, clock, subjects, mailoutbox
):
    make_marketer(other_workspace)
    for name in ("First", "Second", "Third"):
        synced(name)
    synced("Theirs", workspace=other_workspace)
    clock.later(5 * HOUR)
    assert subjects() == ["3 cohorts are out of date (Default)", THEIRS]
    ours, theirs = (message.body for message in mailoutbox)
    assert all(name in ours for name in ("First", "Second", "Third"))
    assert "Theirs" not in ours
    assert "First" not in theirs


def test_mail_names_fifty_cohorts_and_counts_the_rest(reader, clock, subjects, mailoutbox):
    for n in range(52):
        synced(f"Cohort {n}")
    clock.later(5 * HOUR)
    assert subjects() == ["52 cohorts are out of date (Default)"]
    assert mailoutbox[0].body.count("\n* Cohort") == 50
    assert "And 2 more." in mailoutbox[0].body


def test_who_does_not_want_mail_gets_none_and_never_hears_of_it_later(reader, clock, subjects):
    Membership.objects.update(gets_mail=False)
    synced()
    clock.later(5 * HOUR)
    assert subjects() == []
    Membership.objects.update(gets_mail=True)
    clock.later(MINUTE)
    assert subjects() == []


# --- nothing to say ------------------------------------------------------------------------------------------
def ignore(cohort: Cohort, _integration: Integration) -> None:
    Cohort.objects.filter(pk=cohort.pk).update(ignored_at=START)


def switch_off(_cohort: Cohort, integration: Integration) -> None:
    Integration.objects.filter(pk=integration.pk).update(is_enabled=False)


def expect_less(_cohort: Cohort, integration: Integration) -> None:
    Integration.objects.filter(pk=integration.pk).update(expected_minutes=170)


@pytest.mark.parametrize("act", [ignore, switch_off, expect_less])
def test_incident_that_staff_ended_ends_without_a_mail(workspace, reader, clock, subjects, act):
    cohort, integration = synced(), IntegrationFactory.create(workspace=workspace)
    clock.later(5 * HOUR)
    assert subjects() == [STALE]
    act(cohort, integration)
    assert subjects() == []
    assert StaleIncident.objects.get().ended_at == clock.now
    clock.later(MINUTE)
    assert subjects() == []


@pytest.mark.parametrize(
    "action", [AuditEntry.Action.INTEGRATION_SWITCHED_ON, AuditEntry.Action.COHORT_RESTORED]
)
def test_partner_gets_time_to_notice_that_it_is_listened_to_again(
    workspace, other_workspace, reader, clock, subjects, action
):
    synced()
    clock.later(9 * HOUR)
    audit.record(workspace_id=workspace.pk, action=action, subject="mixpanel", now=clock.now)
    clock.later(4 * HOUR)
    assert subjects() == []
    clock.later(MINUTE)
    assert subjects() == [STALE]


def test_switch_of_another_workspace_gives_no_time(other_workspace, reader, clock, subjects):
    synced()
    clock.later(5 * HOUR)
    on = AuditEntry.Action.INTEGRATION_SWITCHED_ON
    audit.record(workspace_id=other_workspace.pk, action=on, subject="mixpanel", now=clock.now)
    assert subjects() == [STALE]


# --- faults ---------------------------------------------------------------------------------------------------
def test_server_that_is_away_is_tried_again_once_a_check_and_nobody_gets_it_twice(
    reader, other_workspace, clock, subjects, settings
):
    working = settings.EMAIL_BACKEND
    make_marketer(other_workspace)
    synced(), synced("Theirs", workspace=other_workspace)
    clock.later(5 * HOUR)
    settings.EMAIL_BACKEND = f"{SERVERS}.Unreachable"
    with capture_logs() as logged:
        assert (subjects(), subjects()) == ([], [])
    assert len(logged) == 2
    settings.EMAIL_BACKEND = working
    clock.later(MINUTE)
    assert (subjects(), subjects()) == ([STALE, THEIRS], [])


def test_server_that_is_away_for_the_recovery_is_tried_again_too(reader, clock, subjects, settings):
    working, cohort = settings.EMAIL_BACKEND, synced()
    clock.later(5 * HOUR)
    assert subjects() == [STALE]
    hear(cohort, clock.now)
    settings.EMAIL_BACKEND = f"{SERVERS}.Unreachable"
    assert subjects() == []
    settings.EMAIL_BACKEND = working
    clock.later(MINUTE)
    assert (subjects(), subjects()) == ([AGAIN], [])


@pytest.mark.parametrize("address", ["busy@staff.example", "full@staff.example", "odd@staff.example"])
def test_workspace_whose_mail_does_not_go_out_keeps_no_other_from_theirs(
    workspace, other_workspace, clock, subjects, settings, address
):
    settings.EMAIL_BACKEND = f"{SERVERS}.Refusing"
    make_marketer(workspace, email=address)
    make_marketer(other_workspace)
    synced()
    synced("Theirs", workspace=other_workspace)
    clock.later(5 * HOUR)
    assert subjects() == [THEIRS]


def test_cohort_that_is_heard_of_before_anybody_was_told_is_no_news(reader, clock, subjects, settings):
    working, cohort = settings.EMAIL_BACKEND, synced()
    clock.later(5 * HOUR)
    settings.EMAIL_BACKEND = f"{SERVERS}.Unreachable"
    subjects()
    hear(cohort, clock.now)
    settings.EMAIL_BACKEND = working
    assert (subjects(), subjects()) == ([], [])


def test_fault_of_ours_gives_the_claim_back_and_is_not_hidden(reader, clock, subjects, monkeypatch):
    synced()
    clock.later(5 * HOUR)
    with monkeypatch.context() as broken:
        broken.setattr(staleness.mail, "tell", lambda **_about: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            subjects()
    assert subjects() == [STALE]


def test_worker_that_died_while_it_mailed_is_replaced_after_half_an_hour(
    reader, clock, subjects, monkeypatch
):
    def die(**_about: object) -> int:
        raise KeyboardInterrupt  # nothing is given back

    synced()
    clock.later(5 * HOUR)
    with monkeypatch.context() as dying:
        dying.setattr(staleness.mail, "tell", die)
        with pytest.raises(KeyboardInterrupt):
            subjects()
    clock.later(staleness.CLAIMED_FOR)
    assert subjects() == []
    clock.later(MINUTE)
    assert (subjects(), subjects()) == ([STALE], [])


def test_check_costs_the_same_for_any_number_of_cohorts(workspace, reader, django_assert_num_queries):
    synced()
    for _ in range(2):
        with django_assert_num_queries(6):
            staleness.check(now=START)
        for n in range(10):
            synced(f"More {n}")


def test_scheduled_task_checks_as_of_now_and_says_what_it_did(workspace, reader):
    cohort = make_hourly(silence=5 * HOUR)
    assert tasks.check_freshness() == {"began": 1, "ended": 0, "mails": 1}
    hear(cohort, timezone.now())
    assert tasks.check_freshness() == {"began": 0, "ended": 1, "mails": 1}
    assert tasks.check_freshness() == {"began": 0, "ended": 0, "mails": 0}


def test_check_is_scheduled_each_minute(db):
    assert Schedule.objects.get(func="cohorts.tasks.check_freshness", schedule_type="I").minutes == 1
