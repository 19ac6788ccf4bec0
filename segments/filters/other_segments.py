"""Who another segment selects, and random buckets for holdouts and splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from profiles import changes, predicates
from profiles.selection import Query
from segments.filters.kinds import Asked, Filter, Kind, Known, Operator, There
from segments.filters.sources import SegmentMembers, Selects
from segments.filters.values import Ids, all_of, quoted
from segments.filters.values_measured import Number, Range

_SEGMENTS = Ids(
    of="segments",
    label=_("Segments"),
    gone=_("a segment that no longer exists"),
    none=_("Choose at least one segment."),
)


@dataclass(frozen=True, eq=False)
class SegmentKind(Kind):
    """Those whom other segments select."""

    def faults(self, filter_: Filter, there: There) -> Mapping[str, str]:
        """Return a fault if the workspace does not have all of the segments."""
        if set(filter_.value) <= there.segments.keys():
            return {}
        return {"value": gettext("This segment does not exist any more. Choose another one.")}


def _members(*, is_not: bool) -> Callable[[Asked], Selects]:
    return lambda asked: Selects(tuple(SegmentMembers(it) for it in asked.value), is_not=is_not)


def _in_which(known: Known, filter_: Filter) -> str:
    mine = [known.names.segments[it] for it in filter_.value if it in known.segment_ids]
    if not mine:
        return gettext("in none of these segments")
    return gettext("in {segments}").format(segments=all_of([quoted(it) for it in mine]))


SEGMENT = SegmentKind(
    "segment",
    _("Segment"),
    _("Users whom another segment selects, as it is now."),
    (
        Operator(
            "in",
            pgettext_lazy("operator", "in"),
            _("in the segment {value}"),
            _members(is_not=False),
            _SEGMENTS,
        ),
        Operator(
            "not_in",
            pgettext_lazy("operator", "not in"),
            _("not in the segment {value}"),
            _members(is_not=True),
            _SEGMENTS,
        ),
    ),
    _in_which,
)


def _bucket(asked: Asked) -> Selects:
    condition = predicates.between(predicates.bucket_sql(), *asked.value)
    return Selects((Query(condition.text, condition.params, kind=changes.Kind.EXISTENCE),))


RANDOM_BUCKET = Kind(
    "random_bucket",
    _("Random bucket"),
    _(
        "Each user has a number from 0 to 9,999 that never changes: take 0 to 999 for a random tenth of all users."
    ),
    (
        Operator(
            "between",
            _("is between"),
            _("{filter} is between {value}"),
            _bucket,
            Range(Number(0, predicates.BUCKETS - 1, is_whole=True)),
        ),
    ),
    lambda known, _filter: number_format(predicates.bucket(known.profile.pk)),
)

TITLE = _("Segments and random buckets")
KINDS: tuple[Kind, ...] = (SEGMENT, RANDOM_BUCKET)
