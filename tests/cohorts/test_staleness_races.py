"""Checks at the same time: whoever comes first, and however long the mail server thinks, there is one mail."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import connection

from accounts import mail
from cohorts import staleness
from cohorts.models import Cohort, StaleIncident
from tests.accounts.factories import make_marketer
from tests.cohorts.factories import CohortFactory, CohortSyncFactory

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHECKS = 4

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def cohorts(workspace) -> list[Cohort]:
    """Cohorts that fell silent, and somebody who wants to know."""
    make_marketer(workspace)
    found = CohortFactory.create_batch(3)
    for cohort in found:
        for hours in range(5, 10):
            CohortSyncFactory.create(cohort=cohort, started_at=NOW - hours * HOUR)
    return found


def apart(work: Callable[[], Any]) -> Any:
    """Do some work on a connection of its own."""
    try:
        return work()
    finally:
        connection.close()


def together(now: datetime) -> list[dict[str, int]]:
    """Let several checks begin at the same moment."""
    start = Barrier(CHECKS)

    def work() -> dict[str, int]:
        connection.ensure_connection()
        start.wait(10)
        return staleness.check(now=now)

    with ThreadPoolExecutor(CHECKS) as pool:
        return [it.result(timeout=30) for it in [pool.submit(apart, work) for _ in range(CHECKS)]]


def sent() -> list[str]:
    return [message.subject for message in outbox.outbox]


def test_checks_at_the_same_moment_begin_one_incident_per_cohort_and_mail_each_once(cohorts):
    for _ in range(3):
        together(NOW)
    assert StaleIncident.objects.count() == 3
    # Whoever claims before the others began all of them mails its own; nothing is told twice.
    named = "".join(message.body for message in outbox.outbox)
    assert [named.count(f"* {cohort.name} (") for cohort in cohorts] == [1, 1, 1]


def test_checks_at_the_same_moment_tell_the_recovery_once(cohorts):
    staleness.check(now=NOW)
    for cohort in cohorts:
        CohortSyncFactory.create(cohort=cohort, started_at=NOW)
    counts = together(NOW)
    assert sum(it["ended"] for it in counts) == 3
    named = "".join(message.body for message in outbox.outbox[1:])
    assert [named.count(f"* {cohort.name} (") for cohort in cohorts] == [1, 1, 1]


def test_no_writer_and_no_check_waits_while_the_server_thinks(cohorts, monkeypatch):
    thinking, goes_on, tell = Event(), Event(), mail.tell

    def slow(**about: Any) -> int:
        thinking.set()
        assert goes_on.wait(10)
        return tell(**about)

    monkeypatch.setattr(staleness.mail, "tell", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(apart, lambda: staleness.check(now=NOW))
        assert thinking.wait(10)
        assert staleness.check(now=NOW)["mails"] == 0
        CohortSyncFactory.create(cohort=cohorts[0], started_at=NOW)
        assert staleness.check(now=NOW)["ended"] == 1  # before anybody was told
        goes_on.set()
        assert first.result(timeout=10)["mails"] == 1
    monkeypatch.setattr(staleness.mail, "tell", tell)
    staleness.check(now=NOW)
    assert sent() == [
        "3 cohorts are out of date (Default)",
        f"The cohort “{cohorts[0].name}” is updated again (Default)",
    ]
