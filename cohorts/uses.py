"""What uses a cohort, and so keeps it from being deleted: apps above are named in settings.COHORT_USERS, never imported.

Each is a module with the function `by_cohort` that is called here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings
from django.db.models import Model

from cohorts.models import Cohort


class User(Protocol):
    """What the module of an app that uses cohorts offers."""

    def by_cohort(self, *, workspace_id: int) -> Mapping[int, Sequence[Model]]:
        """Return what of the app uses each cohort of a workspace, by the cohort's id; in one query."""


def of(*, cohort: Cohort) -> list[Model]:
    """Return everything that uses a cohort, be it archived, by app and name."""
    return list(by_cohort(workspace_id=cohort.workspace_id).get(cohort.pk, []))


def by_cohort(*, workspace_id: int) -> dict[int, list[Model]]:
    """Return the same for all cohorts of a workspace that are used, by their id."""
    users: dict[int, list[Model]] = defaultdict(list)
    for name in settings.COHORT_USERS:
        module = cast("User", import_module(name))
        for cohort_id, found in module.by_cohort(workspace_id=workspace_id).items():
            users[cohort_id] += found
    return dict(users)
