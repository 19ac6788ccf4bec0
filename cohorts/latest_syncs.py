"""How fresh cohorts are, any number of them by one look at their latest syncs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import connection

from accounts.models import Integration, Workspace
from cohorts import freshness
from cohorts.freshness import Freshness, Heard, State
from cohorts.models import Cohort

# Additions and removals are two: so many hold the syncs that freshness learns from.
ROWS = 2 * freshness.KNOWN_SYNCS
WORST_SHOWN = 5
# What is asked of a cohort here: whoever loads cohorts with `only` loads these.
FIELDS = ("workspace", "partner", "last_sync_at", "ignored_at")

# Each cohort's are the first of the index (cohort, -id): it costs the same however many syncs it ever had. The
# moments come as seconds since 1970, which both databases reckon, and are made moments again here. That held members
# joined is no word of the partner's.
_LATEST = {
    "postgresql": """
        SELECT s.cohort_id, s.session_id, s.action,
            EXTRACT(EPOCH FROM s.started_at)::float8, EXTRACT(EPOCH FROM s.last_page_at)::float8
        FROM json_array_elements_text(%s::json) AS chosen(id) CROSS JOIN LATERAL (
            SELECT cohort_id, session_id, action, started_at, last_page_at FROM cohorts_cohortsync
            WHERE cohort_id = chosen.id::bigint AND action <> 'held' ORDER BY id DESC LIMIT %s
        ) AS s
    """,
    "sqlite": """
        SELECT s.cohort_id, s.session_id, s.action,
            (julianday(s.started_at) - 2440587.5) * 86400.0, (julianday(s.last_page_at) - 2440587.5) * 86400.0
        FROM json_each(%s) AS chosen CROSS JOIN cohorts_cohortsync AS s
        WHERE s.id IN (
            SELECT id FROM cohorts_cohortsync WHERE cohort_id = chosen.value AND action <> 'held'
            ORDER BY id DESC LIMIT %s
        )
    """,
}


@dataclass(frozen=True)
class Overview:
    """How fresh a workspace's cohorts are: how many in each state, and the worst of those that need a look."""

    counts: Mapping[State, int]
    worst: Sequence[tuple[Cohort, Freshness]]


def of_cohorts(*, cohorts: Iterable[Cohort], now: datetime) -> dict[int, Freshness]:
    """Return how fresh each cohort is, by its id. Two queries, however many they are."""
    asked = list(cohorts)
    if not asked:
        return {}
    integrations = _integrations({cohort.workspace_id for cohort in asked})
    syncs = _latest({cohort.pk for cohort in asked if not cohort.ignored_at})
    return {
        cohort.pk: _judge(
            cohort, syncs.get(cohort.pk, []), integrations.get((cohort.workspace_id, cohort.partner)), now
        )
        for cohort in asked
    }


def attach(*, cohorts: Sequence[Any], now: datetime) -> None:
    """Tell each cohort how fresh it is, as its `freshness`."""
    found = of_cohorts(cohorts=cohorts, now=now)
    for cohort in cohorts:
        cohort.freshness = found[cohort.pk]


def overview(*, workspace: Workspace, now: datetime) -> Overview:
    """Return how fresh the cohorts of a workspace are; those that were deleted here do not count."""
    own = Cohort.objects.for_workspace(workspace).current().only("name", *FIELDS)
    cohorts = {cohort.pk: cohort for cohort in own}
    found = of_cohorts(cohorts=cohorts.values(), now=now)
    counts = {state: sum(it.state == state for it in found.values()) for state in State}
    silent = [(cohorts[pk], it) for pk, it in found.items() if it.since is not None]
    silent.sort(key=lambda pair: (pair[1].state != State.STALE, pair[1].since, pair[0].pk))
    return Overview(counts, silent[:WORST_SHOWN])


def ages(*, now: datetime) -> Iterator[tuple[str, str, int, float, float | None]]:
    """Yield workspace slug, partner, cohort id, seconds since the last sync, and seconds from one to the next.

    The latter is None for one-time exports and integrations that are off. Cohorts that were deleted here, or never
    synced, are left out.
    """
    current = Cohort.objects.current().select_related("workspace").only("workspace__slug", *FIELDS)
    cohorts = {cohort.pk: cohort for cohort in current.order_by("pk")}
    for pk, it in of_cohorts(cohorts=cohorts.values(), now=now).items():
        if it.heard_at is not None:
            silence = max((now - it.heard_at).total_seconds(), 0.0)
            expected = it.expected.total_seconds() if it.expected else None
            yield cohorts[pk].workspace.slug, cohorts[pk].partner, pk, silence, expected


def _judge(
    cohort: Cohort, syncs: Sequence[Heard], integration: Integration | None, now: datetime
) -> Freshness:
    is_off = cohort.ignored_at is not None or (integration is not None and not integration.is_enabled)
    return freshness.judge(
        syncs=syncs,
        heard_at=cohort.last_sync_at,
        expected_minutes=integration.expected_minutes if integration else None,
        is_off=is_off,
        now=now,
    )


def _integrations(workspace_ids: Iterable[int]) -> dict[tuple[int, str], Integration]:
    own = Integration.objects.filter(workspace__in=workspace_ids)
    return {(it.workspace_id, it.partner): it for it in own}


def _latest(cohort_ids: Iterable[int]) -> dict[int, list[Heard]]:
    found: dict[int, list[Heard]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LATEST[connection.vendor], [orjson.dumps(list(cohort_ids)).decode(), ROWS])
        for cohort_id, session_id, action, started, last_page in cursor.fetchall():
            heard = Heard(session_id, action, _moment(started), _moment(last_page))
            found.setdefault(cohort_id, []).append(heard)
    return found


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=round(seconds, 3))
