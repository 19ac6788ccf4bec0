"""Where the profiles of a filter come from. `segments/audience.py` fetches them, `segments/evaluation.py` joins them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cohorts.membership_moves import Direction
from profiles.predicates import Sql
from profiles.selection import Query, Table


@dataclass(frozen=True)
class CohortMembers:
    """The members of a cohort."""

    cohort_id: int


@dataclass(frozen=True)
class CohortMoves:
    """Who entered, or left, a cohort at least once on a day (UTC) or later."""

    cohort_id: int
    direction: Direction
    since: date


@dataclass(frozen=True)
class SegmentMembers:
    """Who another segment selects."""

    segment_id: int


Source = CohortMembers | CohortMoves | SegmentMembers | Query


@dataclass(frozen=True)
class Selects:
    """Whom a filter selects: those in any of the sources, or in all; all others if `is_not`."""

    sources: tuple[Source, ...]
    is_all: bool = False
    is_not: bool = False


def where(condition: Sql, *, is_not: bool = False, table: Table = Table.PROFILES) -> Selects:
    """Return the profiles for which a condition holds; or all others, those without a value among them."""
    return Selects((Query(where=condition.text, params=condition.params, table=table),), is_not=is_not)
