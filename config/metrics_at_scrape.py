"""What `/metrics` asks when it is scraped, as no process could count it: worker, queue, database, ages of cohorts."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone
from django_q.brokers import get_broker
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from accounts import heartbeat
from cohorts import freshness, latest_syncs

# Of the whole server: a limit of its own for each role or database would show less.
_CONNECTIONS = """
    SELECT (SELECT sum(numbackends) FROM pg_stat_database), current_setting('max_connections')::integer
"""


class AtScrape(Collector):
    """Gauges that are true at the moment of the scrape. Without the database only that it is away is known."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        try:
            found = [*_worker(), *_cohorts(), *_database(), *_queue()]
            is_up = True
        except Error:
            found, is_up = [], False
        yield GaugeMetricFamily("rollcall_database_up", "Whether the database answers.", value=float(is_up))
        yield from found


def _worker() -> Iterator[GaugeMetricFamily]:
    silence = heartbeat.age(now=timezone.now())
    if silence is not None:
        name, text = (
            "rollcall_worker_heartbeat_age_seconds",
            "Since a job of the queue last proved the worker.",
        )
        yield GaugeMetricFamily(name, text, value=silence.total_seconds())


def _queue() -> Iterator[GaugeMetricFamily]:
    try:
        waiting = get_broker().queue_size()
    except RedisError:  # the other figures are worth having
        return
    yield GaugeMetricFamily("rollcall_queue_jobs", "Jobs that wait for a worker.", value=waiting)


def _cohorts() -> Iterator[GaugeMetricFamily]:
    """How old those cohorts are that a partner sends again and again, and how often it does.

    Most overdue first, and so many of them that a server with thousands of cohorts stays readable. One-time exports
    are left out: they grow old, and nothing is wrong.
    """
    found = [
        ([slug, partner, str(cohort_id)], age, interval)
        for slug, partner, cohort_id, age, interval in latest_syncs.ages(now=timezone.now())
        if interval
    ]
    labels = ["workspace", "partner", "cohort"]
    ages = GaugeMetricFamily("rollcall_cohort_age_seconds", "Since a partner sent the cohort.", labels=labels)
    text = "From one sync of the cohort to the next, as its partner keeps to it."
    intervals = GaugeMetricFamily("rollcall_cohort_interval_seconds", text, labels=labels)
    most_overdue = sorted(found, key=lambda it: it[1] / it[2], reverse=True)
    for whose, age, interval in most_overdue[: settings.METRICS_COHORTS]:
        ages.add_metric(whose, age)
        intervals.add_metric(whose, interval)
    stale = sum(age > freshness.STALE_AFTER * interval for _whose, age, interval in found)
    text = "Cohorts that nothing came for in four of their intervals."
    yield from (ages, intervals, GaugeMetricFamily("rollcall_cohorts_stale", text, value=stale))


def _database() -> Iterator[GaugeMetricFamily]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        used, most = cursor.fetchone()
    name = "rollcall_database_server_connections"
    yield GaugeMetricFamily(
        name, "Connections that the database server holds, of all its clients.", value=used
    )
    yield GaugeMetricFamily(f"{name}_max", "Connections that the database server allows.", value=most)
