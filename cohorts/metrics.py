"""What imports count for `/metrics`: members of the pages that were taken, and how long full and partial syncs took.

All is counted after the commit, so that what was rolled back never was; a fault here costs no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter, Histogram

from accounts.metrics import MEASURED
from cohorts.models import CohortSync
from profiles.matching import Reason

RECEIVED = Counter(
    "rollcall_members_received", "Identifiers that partners sent.", ["partner"], registry=MEASURED
)
MATCHED = Counter(
    "rollcall_members_matched", "Profiles that partners' members matched.", ["partner"], registry=MEASURED
)
UNMATCHED = Counter(
    "rollcall_members_unmatched",
    "Identifiers that matched no profile.",
    ["partner", "reason"],
    registry=MEASURED,
)
SYNC_SECONDS = Histogram(
    "rollcall_sync_duration_seconds",
    "From the first page of a sync of known length until its last one was kept.",
    ["action"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400),
    registry=MEASURED,
)


def count_page(*, partner: str, received: int, matched: int, reasons: Mapping[Reason, int]) -> None:
    """Count the members of a page that is kept, once the caller's transaction is committed."""

    def count() -> None:
        RECEIVED.labels(partner).inc(received)
        MATCHED.labels(partner).inc(matched)
        for reason, number in reasons.items():
            UNMATCHED.labels(partner, reason.value).inc(number)

    transaction.on_commit(count, robust=True)


def time_sync(*, action: CohortSync.Action, started_at: datetime) -> None:
    """Note how long a sync took that is complete now, once the caller's transaction is committed."""

    def observe() -> None:
        SYNC_SECONDS.labels(str(action)).observe((timezone.now() - started_at).total_seconds())

    transaction.on_commit(observe, robust=True)
