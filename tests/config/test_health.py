"""Probes: whether the process is up, and whether calls can be taken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts import heartbeat
from config import health


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch):
    monkeypatch.setattr(health.migrations, "are_applied", False)


@pytest.fixture
def beating(db):
    """A worker that beat just now."""
    heartbeat.beat(now=timezone.now())


def ask(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_process_that_answers_lives_without_a_database(client):
    answer = client.get("/livez")  # no database may be touched here: pytest-django would fail the test
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_server_with_all_it_needs_is_ready(client, beating):
    assert ask(client) == (200, {"status": "ok", "database": "ok", "migrations": "ok", "worker": "ok"})


@pytest.mark.django_db
@pytest.mark.parametrize("silence", [None, timedelta(minutes=4)])
@pytest.mark.parametrize(("is_required", "status", "word"), [(False, 200, "ok"), (True, 503, "unavailable")])
def test_late_worker_is_told_and_takes_calls_away_only_if_asked_to(
    client, settings, silence, is_required, status, word
):
    settings.READYZ_REQUIRES_WORKER = is_required
    if silence:
        heartbeat.beat(now=timezone.now() - silence)
    expected = {"status": word, "database": "ok", "migrations": "ok", "worker": "late"}
    assert ask(client) == (status, expected)


@pytest.mark.parametrize("is_required", [True, False])
def test_database_that_lacks_a_migration_is_not_ready_until_it_has_it(client, settings, beating, is_required):
    settings.READYZ_REQUIRES_WORKER = is_required
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("accounts", "0008_integrations_calls_and_allotments")
    expected = {"status": "unavailable", "database": "ok", "migrations": "pending"}
    assert [ask(client), ask(client)] == [(503, expected)] * 2
    recorder.record_applied("accounts", "0008_integrations_calls_and_allotments")
    assert ask(client)[0] == 200


def test_migrations_are_looked_for_until_they_are_there_and_never_again(
    client, beating, django_assert_num_queries
):
    ask(client)
    with django_assert_num_queries(1):  # the heartbeat, which proves the database too
        ask(client)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("part", [(health.heartbeat, "is_late"), (health.migrations, "look")])
def test_database_that_is_away_is_told_without_details(client, monkeypatch, error, part):
    def fail(**_):
        raise error("connection to 10.0.0.5 failed for user postgres")

    monkeypatch.setattr(*part, fail)
    assert ask(client) == (503, {"status": "unavailable", "database": "unavailable"})


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_take_no_other_method(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.parametrize(
    ("path", "is_exempt"), [("/livez", True), ("/readyz", True), ("/metrics", True), ("/admin", False)]
)
def test_probes_come_past_the_proxy_that_ends_tls(path, is_exempt):
    environment = os.environ | {"BEHIND_TLS_PROXY": "true"}
    code = "from config import settings; print(*settings.SECURE_REDIRECT_EXEMPT)"
    command = [sys.executable, "-c", code]
    patterns = subprocess.check_output(command, cwd=settings.BASE_DIR, env=environment, text=True).split()
    # As SecurityMiddleware looks.
    assert any(re.search(pattern, path.lstrip("/")) for pattern in patterns) is is_exempt
