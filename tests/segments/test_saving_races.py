"""Several people at once, on PostgreSQL: nothing is archived while another save begins to use it, nothing overwritten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from segments import saving, sizes, uses
from segments.filters import FilterError
from segments.models import Segment, SegmentSize
from segments.saving import OutdatedError, SegmentInUseError
from tests.profiles.test_identity_races import at_once, interrupted
from tests.reliability.clients import GIVE_UP_SECONDS
from tests.segments.definitions import members_of
from tests.segments.factories import SegmentFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 12


def save(segment: Segment, **options: Any) -> None:
    saving.save(segment=segment, tags=["crm"], by=None, now=timezone.now(), **options)


def archive(segment: Segment) -> None:
    saving.archive(segment=segment, now=timezone.now())


def refused(errors: list[Exception], job: Callable[[], None]) -> None:
    """Do something that may be refused; note if it was."""
    try:
        job()
    except (SegmentInUseError, FilterError, OutdatedError) as error:
        errors.append(error)


def test_of_a_save_that_begins_to_use_and_an_archiving_one_is_refused(workspace):
    for number in range(ROUNDS):
        used = SegmentFactory.create(name=f"used {number}")
        user = Segment(workspace=workspace, name=f"user {number}", definition=members_of(used.pk))
        errors: list[Exception] = []
        at_once(
            partial(refused, errors, partial(save, user)), partial(refused, errors, partial(archive, used))
        )
        used.refresh_from_db()
        is_used = bool(uses.of(segment=used))
        assert len(errors) == 1
        assert is_used != bool(used.archived_at)


def test_of_a_save_that_begins_to_use_and_a_deletion_one_is_refused(workspace):
    for number in range(ROUNDS):
        used = SegmentFactory.create(name=f"used {number}")
        user = Segment(workspace=workspace, name=f"user {number}", definition=members_of(used.pk))
        errors: list[Exception] = []
        at_once(
            partial(refused, errors, partial(save, user)),
            partial(refused, errors, lambda it=used: saving.delete(segment=it)),
        )
        assert len(errors) == 1
        assert (
            Segment.objects.filter(name=used.name).exists() == Segment.objects.filter(name=user.name).exists()
        )


def test_an_archiving_waits_for_the_save_that_is_being_kept(workspace, monkeypatch):
    used = SegmentFactory.create(name="used")
    user = Segment(workspace=workspace, name="user", definition=members_of(used.pk))
    saved, errors = threading.Event(), []
    monkeypatch.setattr(saving, "_tag", interrupted(saving._tag, saved))

    def archive_then() -> None:
        assert saved.wait(GIVE_UP_SECONDS)
        refused(errors, partial(archive, used))

    at_once(partial(save, user), archive_then)
    assert [type(error) for error in errors] == [SegmentInUseError]


def test_of_two_who_edit_the_same_one_overwrites_nothing(workspace):
    for number in range(ROUNDS):
        segment = SegmentFactory.create(name=f"s{number}")
        edits = [Segment.objects.get(pk=segment.pk) for _ in range(2)]
        errors: list[Exception] = []
        for index, it in enumerate(edits):
            it.name = f"s{number} by {index}"
        at_once(*(partial(refused, errors, partial(save, it, seen_at=segment.updated_at)) for it in edits))
        assert [type(error) for error in errors] == [OutdatedError]


def test_tags_made_at_once_are_one_tag(workspace):
    made = [Segment(workspace=workspace, name=f"s{number}") for number in range(6)]
    at_once(*(partial(save, it) for it in made))
    assert {tag.pk for it in made for tag in it.tags.all()} == set(made[0].tags.values_list("pk", flat=True))


def test_copies_made_at_once_have_names_of_their_own(workspace):
    segment = SegmentFactory.create(name="s")
    copy = partial(saving.duplicate, segment=segment, by=None, now=timezone.now())
    at_once(*[copy] * 5)
    assert Segment.objects.filter(name__startswith="s (copy").count() == 5


def test_sizes_of_segments_that_are_deleted_meanwhile_are_no_error(workspace):
    for number in range(ROUNDS):
        kept, gone = (SegmentFactory.create(name=f"{it}{number}") for it in ("kept", "gone"))
        at_once(
            partial(sizes.record, now=timezone.now()), partial(lambda it: saving.delete(segment=it), gone)
        )
        assert not SegmentSize.objects.exclude(segment__in=Segment.objects.all()).exists()
        assert Segment.objects.filter(pk=kept.pk).exists()


def test_whoever_holds_the_segments_keeps_others_of_the_workspace_waiting_only(workspace, other_workspace):
    theirs = Segment(workspace=other_workspace, name="theirs")
    with transaction.atomic():
        saving.hold(workspace_id=workspace.pk)
        at_once(partial(save, theirs))
    assert Segment.objects.filter(name="theirs").exists()
