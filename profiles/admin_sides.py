"""Two users beside each other, and what one user is made of: what a merge moves, and what a deletion takes away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Count
from django.utils.translation import gettext as _

from profiles import admin_attributes, admin_panels, attributes, followers, numbers
from profiles.models import CustomEvent, Identifier, Profile

# Custom attributes that are compared: nobody reads more lines.
MAX_CUSTOM = 200
# Of these a merge makes one value of two; of others it keeps one.
_MERGED_COLUMNS = frozenset({"first_session_at", "last_session_at", "push_tokens"})


class Belongings(NamedTuple):
    """How much is kept of one user."""

    identifier_count: int
    event_count: int
    cohort_count: int
    segment_count: int


class Side(NamedTuple):
    """A line of the comparison: what it is about, what each of the two users has, and whether one can have both."""

    title: str
    left: str
    right: str
    is_single: bool = False

    @property
    def differs(self) -> bool:
        """Whether both have something, and not the same."""
        return bool(self.left and self.right) and self.left != self.right

    @property
    def loses(self) -> bool:
        """Whether one of the two values is gone when the users are one."""
        return self.is_single and self.differs


def belongings(*, workspace_id: int, profile_ids: Sequence[int]) -> dict[int, Belongings]:
    """Return how much is kept of each user, in a constant number of queries."""
    identifiers = _counts(Identifier.objects.filter(workspace=workspace_id, profile__in=profile_ids))
    events = _counts(CustomEvent.objects.filter(name__workspace=workspace_id, profile__in=profile_ids))
    above = followers.described(workspace_id=workspace_id, profile_ids=profile_ids)
    return {
        profile_id: Belongings(
            identifiers.get(profile_id, 0),
            events.get(profile_id, 0),
            len(above[profile_id].get("cohorts", ())),
            len(above[profile_id].get("segments", ())),
        )
        for profile_id in profile_ids
    }


def compare(left: Profile, right: Profile) -> list[Side]:
    """Return what is known of two users line by line, without lines in which neither has anything."""
    owned = belongings(workspace_id=left.workspace_id, profile_ids=[left.pk, right.pk])
    one, other = owned[left.pk], owned[right.pk]
    lines = [
        Side(_("External ID"), left.external_id or "", right.external_id or "", is_single=True),
        Side(_("ID in Rollcall"), str(left.pk), str(right.pk)),
        Side(_("Identifiers"), numbers.count(one.identifier_count), numbers.count(other.identifier_count)),
        Side(_("Kinds of events"), numbers.count(one.event_count), numbers.count(other.event_count)),
        Side(_("Cohorts"), numbers.count(one.cohort_count), numbers.count(other.cohort_count)),
        *_standard(left, right),
        *_custom(left.custom_attributes, right.custom_attributes),
    ]
    return [line for line in lines if line.left or line.right]


def _standard(left: Profile, right: Profile) -> Iterator[Side]:
    for name, it in attributes.STANDARD.items():
        one, other = (
            admin_attributes.in_words(name, getattr(profile, it.column)) for profile in (left, right)
        )
        is_single = it.column not in _MERGED_COLUMNS
        yield Side(admin_attributes.name_of(name), one, other, is_single=is_single)


def _custom(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Side]:
    for name in sorted({*left, *right})[:MAX_CUSTOM]:
        one, other = (admin_panels.value_in_words(it[name]) if name in it else "" for it in (left, right))
        yield Side(name, one, other, is_single=True)


def _counts(rows: Any) -> dict[int, int]:
    counted = rows.values("profile_id").annotate(
        total=Count("key" if rows.model is Identifier else "name_id")
    )
    return {row["profile_id"]: row["total"] for row in counted}
