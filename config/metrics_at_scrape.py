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
from cohorts.models import Cohort

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
    """The stalest cohorts, so many that a server with thousands of cohorts stays readable."""
    now = timezone.now()
    ages = GaugeMetricFamily(
        "rollcall_cohort_age_seconds",
        "Since the last sync of a cohort; of those that were not synced for the longest time.",
        labels=["workspace", "partner", "cohort"],
    )
    known = Cohort.objects.current().exclude(last_sync_at=None).order_by("last_sync_at", "id")
    columns = ("workspace__slug", "partner", "id", "last_sync_at")
    for slug, partner, cohort_id, last_sync_at in known.values_list(*columns)[: settings.METRICS_COHORTS]:
        ages.add_metric([slug, partner, str(cohort_id)], (now - last_sync_at).total_seconds())
    yield ages


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
