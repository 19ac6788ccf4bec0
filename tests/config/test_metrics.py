"""`/metrics`: who may read it, and what it says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from redis.exceptions import ConnectionError as RedisAwayError

from accounts import heartbeat
from config import metrics_at_scrape
from tests.cohorts.factories import CohortFactory, CohortSyncFactory
from tests.scraping import TOKEN

HOUR = timedelta(hours=1)
BEARER = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}


# --- who may read it -----------------------------------------------------------------------------------------
def test_nobody_may_while_neither_token_nor_address_is_set(client, administrator_client):
    for browser in (client, administrator_client):
        answer = browser.get("/metrics")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "header",
    [
        "",
        TOKEN,
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        "Bearer ÿ",
        "Bearer \udc80",
    ],
)
def test_stranger_without_the_token_is_refused(client, settings, header):
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert b"rollcall_" not in answer.content


def test_staff_and_keys_are_no_token(client, settings, administrator_client, data_import_key):
    settings.METRICS_TOKEN = TOKEN
    assert administrator_client.get("/metrics").status_code == 401
    header = {"HTTP_AUTHORIZATION": f"Bearer {data_import_key[1]}"}
    assert client.get("/metrics", **header).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_token_opens_it(client, settings, scheme):
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", HTTP_AUTHORIZATION=f"{scheme} {TOKEN}").status_code == 200


def test_blank_token_opens_nothing(client):
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("192.0.2.7", 200),
        ("fd00::1", 200),
        ("fe80::1%eth0", 404),
        ("10.2.0.1", 404),
        ("192.0.2.8", 404),
        ("", 404),
        ("nonsense", 404),
    ],
)
def test_address_of_a_listed_network_opens_it(client, settings, address, status):
    settings.METRICS_ADDRESSES = ["10.1.0.0/16", "192.0.2.7", "fd00::/8"]
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == status


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"])
def test_address_of_a_proxy_opens_nothing(client, settings, header):
    settings.METRICS_ADDRESSES = ["127.0.0.1"]
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", **{header: "127.0.0.1"}).status_code == 404


@pytest.mark.django_db
def test_either_token_or_address_is_enough(client, settings):
    settings.METRICS_TOKEN, settings.METRICS_ADDRESSES = TOKEN, ["192.0.2.7"]
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.8").status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.8", **BEARER).status_code == 200


def test_it_takes_no_other_method(client, settings):
    settings.METRICS_TOKEN = TOKEN
    assert client.post("/metrics", **BEARER).status_code == 405


# --- what is asked at the scrape -----------------------------------------------------------------------------
def test_age_of_the_worker_is_shown_once_it_beat(scrape):
    assert scrape()("rollcall_worker_heartbeat_age_seconds") is None
    heartbeat.beat(now=timezone.now() - timedelta(seconds=90))
    assert 90 <= scrape()("rollcall_worker_heartbeat_age_seconds") < 120


def test_jobs_that_wait_are_counted(scrape):
    before = scrape()("rollcall_queue_jobs")
    OrmQ.objects.create(key="rollcall", payload="x", lock=timezone.now() - timedelta(seconds=1))
    OrmQ.objects.create(key="rollcall", payload="x", lock=timezone.now() + timedelta(hours=1))
    assert scrape()("rollcall_queue_jobs") == before + 1


def test_queue_that_is_away_leaves_the_other_figures(scrape, monkeypatch):
    def away():
        raise RedisAwayError

    monkeypatch.setattr(metrics_at_scrape, "get_broker", away)
    value = scrape()
    assert value("rollcall_queue_jobs") is None
    assert value("rollcall_database_up") == 1


def test_database_that_is_away_leaves_what_was_counted(scrape, monkeypatch):
    def away(**_):
        raise OperationalError("at 10.0.0.5")

    monkeypatch.setattr(heartbeat, "age", away)
    value = scrape()
    assert value("rollcall_database_up") == 0
    assert value("rollcall_queue_jobs") is None
    assert value("rollcall_web_database_connections") >= 0


def synced(*, silence: timedelta, every: timedelta, times: int = 5, **more) -> str:
    """Return a cohort whose partner is silent for so long, as its label names it."""
    now = timezone.now()
    cohort = CohortFactory.create(name="Ann’s", last_sync_at=now - silence, **more)
    for number in range(times):
        CohortSyncFactory.create(cohort=cohort, started_at=now - silence - number * every)
    return str(cohort.pk)


def ages(value, name="rollcall_cohort_age_seconds"):
    return {dict(labels)["cohort"]: age for (known, labels), age in value.all.items() if known == name}


def test_ages_are_those_of_the_most_overdue_cohorts_and_name_nobody(scrape, settings):
    settings.METRICS_COHORTS = 2
    late = synced(silence=3 * HOUR, every=HOUR)
    stale = synced(silence=5 * HOUR, every=HOUR)
    synced(silence=10 * HOUR, every=24 * HOUR)
    synced(silence=900 * HOUR, every=HOUR, times=1)  # a one-time export
    synced(silence=900 * HOUR, every=HOUR, ignored_at=timezone.now())
    value = scrape()
    assert set(ages(value)) == {late, stale}
    labels = {"workspace": "default", "partner": "mixpanel", "cohort": stale}
    assert 5 * 3600 <= value("rollcall_cohort_age_seconds", **labels) < 5 * 3600 + 60
    assert value("rollcall_cohort_interval_seconds", **labels) == 3600
    assert value("rollcall_cohorts_stale") == 1


def test_ages_can_be_left_out_and_stale_cohorts_are_counted_all_the_same(scrape, settings):
    settings.METRICS_COHORTS = 0
    synced(silence=5 * HOUR, every=HOUR)
    value = scrape()
    assert ages(value) == ages(value, "rollcall_cohort_interval_seconds") == {}
    assert value("rollcall_cohorts_stale") == 1


def test_connections_are_counted(scrape, client):
    client.get("/readyz")
    value = scrape()
    assert value("rollcall_web_database_connections") == 1
    name = "rollcall_database_server_connections"
    if connection.vendor == "postgresql":
        assert 1 <= value(name) <= value(f"{name}_max")
    else:
        assert value(name) is None


def test_number_of_queries_does_not_grow_with_cohorts(scrape):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            scrape()
        return len(asked)

    synced(silence=HOUR, every=HOUR)
    before = queries()
    for _ in range(20):
        synced(silence=HOUR, every=HOUR, times=1)
    assert queries() == before <= 6


def test_every_metric_is_described_in_the_docs(settings, scrape):
    heartbeat.beat(now=timezone.now())
    synced(silence=HOUR, every=HOUR)
    text = (settings.BASE_DIR / "docs" / "operations.md").read_text()
    shown = {
        name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name, _ in scrape().all
    }
    assert sorted(name for name in shown if f"`{name}`" not in text) == []
