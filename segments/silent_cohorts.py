"""The cohorts of a segment whose members are out of date, because their partner fell silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Workspace
from cohorts import freshness_words, latest_syncs
from cohorts.freshness import State
from cohorts.models import Cohort
from segments import filters, references
from segments.filters import FilterError


@dataclass(frozen=True)
class Silent:
    """A cohort whose members are out of date, and since when, in words."""

    cohort: Cohort
    explained: str


def of(*, workspace: Workspace, definition: Any, now: datetime) -> list[Silent]:
    """Return the stale cohorts that a definition mentions, itself or by other segments, by name."""
    try:
        tree = filters.parse(definition, is_draft=True)
    except FilterError:
        return []
    cohorts = references.load(workspace=workspace, trees=[tree]).there.cohorts
    found = latest_syncs.of_cohorts(cohorts=cohorts.values(), now=now)
    return [
        Silent(cohort, freshness_words.explained(found[cohort.pk]))
        for cohort in sorted(cohorts.values(), key=lambda it: (it.name, it.pk))
        if found[cohort.pk].state == State.STALE
    ]
