"""The builder's counts: one cohort, and A and B and not C, through the code that the builder calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyroaring import BitMap

ROUNDS = 60


def measure(workspace_id: int, sizes: tuple[int, int, int], profiles: int) -> dict[str, float]:
    """Return median milliseconds of each count over cohorts of the given sizes; cold: all read from the database."""
    from accounts.models import Workspace
    from segments import audience, filters

    workspace = Workspace.objects.get(pk=workspace_id)
    a, b, c = (
        _cohort(workspace_id, f"bench-{size}-{index}", size, profiles, index)
        for index, size in enumerate(sizes)
    )
    one = filters.parse(_definition([("includes", a)]))
    three = filters.parse(_definition([("includes", a), ("includes", b), ("does_not_include", c)]))
    return {
        "one cohort": _median(lambda: audience.counts(workspace=workspace, tree=one)),
        "A and B and not C": _median(lambda: audience.counts(workspace=workspace, tree=three)),
    }


def _cohort(workspace_id: int, name: str, size: int, profiles: int, seed: int) -> int:
    """Return the id of a cohort of random profiles, with its last changes not folded yet, as in daily use."""
    import random

    from django.utils import timezone

    from cohorts.models import Cohort
    from profiles import bitmaps

    cohort, _ = Cohort.objects.get_or_create(
        workspace_id=workspace_id, partner="mixpanel", partner_cohort_id=name, defaults={"name": name}
    )
    members = BitMap(random.Random(seed).sample(range(1, profiles + 1), size))
    bitmaps.store(
        "UPDATE cohorts_cohort SET snapshot = %s, last_sync_at = %s WHERE id = %s",
        [bitmaps.pack(members), timezone.now(), cohort.pk],
    )
    return cohort.pk


def _definition(conditions: list[tuple[str, int]]) -> dict[str, object]:
    children = [
        {"type": "cohort", "partner": "mixpanel", "operator": operator, "cohorts": [cohort]}
        for operator, cohort in conditions
    ]
    return {
        "version": 1,
        "root": {"type": "group", "operator": "and", "exclude": False, "children": children},
    }


def _median(work: Callable[[], object]) -> float:
    times = []
    work()  # the universe is built once
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[len(times) // 2]
