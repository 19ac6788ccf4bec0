"""The builder's counts: one cohort, and A and B and not C, through the code that the builder calls."""

from __future__ import annotations

from pyroaring import BitMap

from benchmarks import segments_sql, times

ROUNDS = 60


def measure(workspace_id: int, sizes: tuple[int, int, int], profiles: int) -> dict[str, float]:
    """Return median milliseconds of each count over cohorts of the given sizes, which are read from the database."""
    from django.utils import timezone

    from accounts.models import Workspace
    from segments import audience, filters

    workspace, now = Workspace.objects.get(pk=workspace_id), timezone.now()
    a, b, c = (
        _cohort(workspace_id, f"bench-{size}-{index}", size, profiles, index)
        for index, size in enumerate(sizes)
    )
    conditions = {
        "one cohort": [("includes", a)],
        "A and B and not C": [("includes", a), ("includes", b), ("does_not_include", c)],
    }
    medians = {}
    for name, asked in conditions.items():
        root = segments_sql.every(
            *(segments_sql.asks("cohort", operator, [cohort], "mixpanel") for operator, cohort in asked)
        )
        tree = filters.parse(segments_sql.definition(root))
        count = lambda tree=tree: audience.counts(workspace=workspace, tree=tree, now=now)  # noqa: E731
        count()  # the universe is built once
        medians[name] = times.of(count, ROUNDS).percentile(0.5)
    return medians


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
