"""The life of a segment: saved with a version for each change of its filters, copied, restored, archived, deleted.

Segments use each other, and several people edit them. So whoever changes one holds the lock of all segments of the
workspace until the end of the transaction:

1. The lock is taken before anything is looked at that decides.
2. What was read before is read again: whether somebody saved meanwhile, and whether the segment is archived.
3. An active segment uses active segments only. So what another save begins to use is not archived or deleted
   beside it, and what is being archived or deleted is not begun to be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from accounts.models import User, Workspace
from profiles import locks
from profiles.locks import Lock
from segments import audience, filters, sizes, uses
from segments.models import Segment, SegmentTag, SegmentVersion

EDITED = ("name", "description", "definition", "updated_at", "updated_by")
MAX_NAME = 100


class SegmentInUseError(Exception):
    """A segment that something uses cannot go. `users` has what does."""

    def __init__(self, users: Sequence[Model]) -> None:
        super().__init__(", ".join(str(user) for user in users))
        self.users = users


class OutdatedError(Exception):
    """Somebody saved the segment after it was looked at. `segment` is as they saved it."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.name)
        self.segment = segment


def hold(*, workspace_id: int) -> None:
    """Keep everybody else from changing segments of the workspace until this transaction ends."""
    locks.alone(Lock.SEGMENTS, workspace_id=workspace_id)


# --- save ----------------------------------------------------------------------------------------------------
def check(*, workspace: Workspace, segment: Segment, definition: Any, now: datetime) -> dict[str, Any]:
    """Return a definition as a segment stores it. Raises FilterError with what is at fault, each with its node."""
    tree = filters.parse(definition)
    audience.ask(workspace=workspace, tree=tree, own=segment, now=now)
    stored = filters.dump(tree)
    uses.check(workspace_id=workspace.pk, definition=stored, is_active=segment.archived_at is None)
    return stored


def save(
    *, segment: Segment, tags: Sequence[str], by: User | None, now: datetime, seen_at: datetime | None = None
) -> SegmentVersion:
    """Save a segment, new or edited, with exactly these tags; return its newest version, a new one if it differs.

    `seen_at` is the `updated_at` that the editor began with, if known. Raises OutdatedError if it is another one now,
    Segment.DoesNotExist if the segment is gone, and FilterError if it uses segments that it cannot use. The name is
    free and the definition checked, or the database refuses the former and `summaries` the latter.
    """
    with transaction.atomic():
        hold(workspace_id=segment.workspace_id)
        if segment.pk is not None:
            segment.archived_at = check_seen(segment=segment, seen_at=seen_at).archived_at
        _check_uses(segment)
        segment.updated_by, segment.updated_at = by, now
        segment.save(update_fields=EDITED if segment.pk is not None else None)
        _tag(segment, tags)
        version = _keep_version(segment)
    _count(segment, now)
    return version


def check_seen(*, segment: Segment, seen_at: datetime | None) -> Segment:
    """Return a segment as it is now. Raises OutdatedError if it was saved after `seen_at`, DoesNotExist if it is gone."""
    current = Segment.objects.select_related("updated_by").get(pk=segment.pk)
    if seen_at is not None and current.updated_at != seen_at:
        raise OutdatedError(current)
    return current


def _check_uses(segment: Segment) -> None:
    uses.check(
        workspace_id=segment.workspace_id,
        definition=segment.definition,
        is_active=segment.archived_at is None,
    )


def _tag(segment: Segment, names: Sequence[str]) -> None:
    """Set the tags, whatever their case; those that nobody uses any more go."""
    own = SegmentTag.objects.filter(workspace=segment.workspace_id)
    known = {tag.name.casefold(): tag for tag in own}
    wanted = {name.casefold(): name for name in reversed(names)}
    new = [SegmentTag(workspace_id=segment.workspace_id, name=wanted[key]) for key in wanted.keys() - known]
    known |= {tag.name.casefold(): tag for tag in SegmentTag.objects.bulk_create(new)}
    segment.tags.set([known[key] for key in wanted])
    _forget_tags(segment.workspace_id)


def _forget_tags(workspace_id: int) -> None:
    SegmentTag.objects.filter(workspace_id=workspace_id, segments=None).delete()


def _keep_version(segment: Segment) -> SegmentVersion:
    newest = segment.versions.order_by("-number").first()
    if newest and newest.definition == segment.definition:
        return newest
    return SegmentVersion.objects.create(
        segment=segment,
        number=newest.number + 1 if newest else 1,
        definition=segment.definition,
        saved_at=segment.updated_at,
        saved_by=segment.updated_by,
    )


def _count(segment: Segment, now: datetime) -> None:
    """Note the size once the segment is saved: nobody waits for the lock meanwhile, and a failure is logged only."""
    transaction.on_commit(partial(sizes.record_one, segment_id=segment.pk, now=now), robust=True)


# --- versions and copies -------------------------------------------------------------------------------------
def restore(*, segment: Segment, number: int, by: User | None, now: datetime) -> SegmentVersion:
    """Give a segment the filters of a former version; return the version this makes.

    Raises SegmentVersion.DoesNotExist, and FilterError if the filters mention what is not there any more.
    """
    with transaction.atomic():
        hold(workspace_id=segment.workspace_id)
        current = Segment.objects.select_related("workspace").get(pk=segment.pk)
        version = current.versions.get(number=number)
        current.definition = check(
            workspace=current.workspace, segment=current, definition=version.definition, now=now
        )
        return save(segment=current, tags=tags_of(current), by=by, now=now)


def duplicate(*, segment: Segment, by: User | None, now: datetime) -> Segment:
    """Return a copy with a name of its own: filters, description and tags, but neither versions nor sizes.

    Raises FilterError if the segment uses archived ones, as an archived segment may.
    """
    with transaction.atomic():
        hold(workspace_id=segment.workspace_id)
        copy = Segment(
            workspace_id=segment.workspace_id,
            name=_free_name(segment),
            description=segment.description,
            definition=segment.definition,
            created_at=now,
        )
        save(segment=copy, tags=tags_of(segment), by=by, now=now)
    return copy


def tags_of(segment: Segment) -> list[str]:
    """Return the names of a segment's tags, in the order of the alphabet."""
    return list(segment.tags.order_by("name").values_list("name", flat=True))


def _free_name(segment: Segment) -> str:
    taken = set(Segment.objects.filter(workspace=segment.workspace_id).values_list("name", flat=True))
    endings = (
        _("(copy)") if number == 1 else _("(copy {number})").format(number=number) for number in count(1)
    )
    names = (f"{segment.name[: MAX_NAME - len(ending) - 1].rstrip()} {ending}" for ending in endings)
    return next(name for name in names if name not in taken)


# --- archive and delete --------------------------------------------------------------------------------------
def archive(*, segment: Segment, now: datetime) -> None:
    """Take a segment out of use. Raises SegmentInUseError while anything that is in use itself uses it."""
    with transaction.atomic():
        hold(workspace_id=segment.workspace_id)
        if users := uses.active(uses.of(segment=segment)):
            raise SegmentInUseError(users)
        Segment.objects.filter(pk=segment.pk, archived_at=None).update(archived_at=now)


def unarchive(*, segment: Segment, now: datetime) -> None:
    """Take a segment into use again. Raises FilterError while segments it uses are archived."""
    with transaction.atomic():
        hold(workspace_id=segment.workspace_id)
        current = Segment.objects.get(pk=segment.pk)
        current.archived_at = None
        _check_uses(current)
        current.save(update_fields=["archived_at"])
    _count(current, now)


def delete(*, segment: Segment) -> None:
    """Delete a segment with its versions and sizes. Raises SegmentInUseError while anything uses it, archived or not."""
    with transaction.atomic():
        hold(workspace_id=segment.workspace_id)
        if users := uses.of(segment=segment):
            raise SegmentInUseError(users)
        workspace_id = segment.workspace_id
        segment.delete()
        _forget_tags(workspace_id)
