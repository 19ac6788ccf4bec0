"""Partner cohorts: who is in a cohort, entered it lately, or left it lately."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import partners
from cohorts.membership_moves import Direction
from segments.filters.kinds import Asked, Filter, Kind, Known, Operator, Subject, There
from segments.filters.sources import CohortMembers, CohortMoves, Selects
from segments.filters.values import Ids, Names, ValueFaultError, all_of, an_id, quoted
from segments.filters.values_measured import DAYS

GONE = _("a cohort that no longer exists")
_ANY = Ids(of="cohorts", label=_("Cohorts"), gone=GONE, none=_("Choose at least one cohort."))


def filter_name(partner: str) -> str:
    """Return the name of a partner's cohort filter, the same in every language: `Mixpanel_Cohorts`."""
    return partners.named(partner).filter_name


def _members(*, is_all: bool = False, is_not: bool = False) -> Callable[[Asked], Selects]:
    return lambda asked: Selects(tuple(CohortMembers(it) for it in asked.value), is_all=is_all, is_not=is_not)


class Partner(Subject):
    """The partner whose cohorts are meant. The builder offers each as a filter of its own."""

    def read(self, raw: Any) -> str | None:
        """Return the partner's slug."""
        partner: str | None = super().read(raw)
        return partner


@dataclass(frozen=True, eq=False)
class CohortKind(Kind):
    """Members of a partner's cohorts."""

    def title(self, subject: Any, names: Names) -> str:
        """Return `Mixpanel_Cohorts`."""
        return filter_name(subject)

    def faults(self, filter_: Filter, there: There) -> Mapping[str, str]:
        """Return a fault if the partner does not have all of the cohorts."""
        own = {pk for pk, cohort in there.cohorts.items() if cohort.partner == filter_.subject}
        return {"value": _gone_fault()} if set(filter_.value) - own else {}


def _gone_fault() -> str:
    return gettext("This cohort does not exist any more. Choose another one.")


def _in_which(known: Known, filter_: Filter) -> str:
    mine = [known.names.cohorts[it] for it in filter_.value if it in known.cohort_ids]
    if not mine:
        return gettext("in none of these cohorts")
    return gettext("in {cohorts}").format(cohorts=all_of([quoted(name) for name in mine]))


COHORT = CohortKind(
    type="cohort",
    name=_("Cohorts"),
    help=_("Users whom a partner counts among the members of a cohort."),
    asks=Partner(_("Partner"), _("Choose a partner"), _("The filter must name its partner.")),
    known=_in_which,
    operators=(
        Operator(
            "includes",
            pgettext_lazy("operator", "includes"),
            _("{filter} includes {value}"),
            _members(),
            _ANY,
        ),
        Operator(
            "does_not_include",
            pgettext_lazy("operator", "does not include"),
            _("{filter} does not include {value}"),
            _members(is_not=True),
            _ANY,
        ),
        Operator(
            "includes_all_of",
            pgettext_lazy("operator", "includes all of"),
            _("{filter} includes all of {value}"),
            _members(is_all=True),
            replace(_ANY, is_all=True),
        ),
    ),
)


class OneCohort(Subject):
    """A cohort, by its id."""

    def read(self, raw: Any) -> int | None:
        """Return the id."""
        try:
            return None if raw in (None, "") else an_id(raw)
        except ValueFaultError as error:
            raise ValueFaultError(str(self.missing)) from error

    def widget(self) -> dict[str, Any]:
        """Return a list to choose from; the builder's page adds the choices."""
        return {**super().widget(), "choices": [], "is_free": False, "of": "cohorts"}


@dataclass(frozen=True, eq=False)
class MovesKind(Kind):
    """Those who entered or left one cohort."""

    def title(self, subject: Any, names: Names) -> str:
        """Return the cohort's name."""
        return quoted(names.cohorts[subject]) if subject in names.cohorts else str(GONE)

    def faults(self, filter_: Filter, there: There) -> Mapping[str, str]:
        """Return a fault if the cohort is not there."""
        return {} if filter_.subject in there.cohorts else {"subject": _gone_fault()}


def _moved(direction: Direction) -> Callable[[Asked], Selects]:
    return lambda asked: Selects((CohortMoves(asked.subject, direction, asked.first_day),))


def _whether_in(known: Known, filter_: Filter) -> str:
    return gettext("in it now") if filter_.subject in known.cohort_ids else gettext("not in it now")


COHORT_MOVES = MovesKind(
    type="cohort_moves",
    name=_("Entered or left a cohort"),
    help=_(
        "Users who entered or left a cohort lately, whether or not they are in it now. Days begin at midnight UTC."
    ),
    asks=OneCohort(_("Cohort"), _("Choose a cohort"), _("Choose a cohort.")),
    known=_whether_in,
    operators=(
        Operator(
            "entered_in_last_days",
            _("entered in the last … days"),
            _("entered {filter} in the last {value}"),
            _moved(Direction.ENTERED),
            DAYS,
        ),
        Operator(
            "left_in_last_days",
            _("left in the last … days"),
            _("left {filter} in the last {value}"),
            _moved(Direction.LEFT),
            DAYS,
        ),
    ),
)

TITLE = _("Partner cohorts")
KINDS: tuple[Kind, ...] = (COHORT, COHORT_MOVES)
