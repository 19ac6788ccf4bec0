"""The life of a segment: nothing is lost, overwritten, or taken from under what uses it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from segments import saving
from segments.filters import FilterError
from segments.models import Segment, SegmentSize, SegmentTag, SegmentVersion
from segments.saving import OutdatedError, SegmentInUseError
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition, members_of
from tests.segments.factories import SegmentFactory

NOW = timezone.now()


@pytest.fixture
def cohort(workspace):
    return CohortFactory(name="Lapsed", members=ProfileFactory.create_batch(3))


@pytest.fixture
def segment(workspace, cohort, marketer):
    made = Segment(workspace=workspace, name="Win back", definition=definition(cohorts(cohort.pk)))
    saving.save(segment=made, tags=["crm"], by=marketer, now=NOW)
    return made


def edit(segment, *, now=NOW, by=None, tags=("crm",), seen_at=None, **fields):
    for name, value in fields.items():
        setattr(segment, name, value)
    return saving.save(segment=segment, tags=tags, by=by, now=now, seen_at=seen_at)


def excluding(cohort):
    return definition(cohorts(cohort.pk, operator="does_not_include"))


# --- save ----------------------------------------------------------------------------------------------------
def test_first_save_is_version_1(segment, marketer):
    version = segment.versions.get()
    assert (version.number, version.definition) == (1, segment.definition)
    assert (version.saved_by, version.saved_at) == (marketer, NOW)
    assert (segment.updated_by, segment.updated_at) == (marketer, NOW)


def test_each_save_of_other_filters_is_a_version_and_no_other_save_is(segment, cohort, administrator):
    first = segment.definition
    assert edit(segment, name="Renamed").number == 1
    assert edit(segment, definition=excluding(cohort), by=administrator).number == 2
    assert edit(segment, definition=first).number == 3
    assert list(segment.versions.order_by("number").values_list("saved_by__username", flat=True)) == [
        "marketer",
        "administrator",
        None,
    ]


def test_tags_are_shared_whatever_their_case_and_go_with_their_last_segment(segment, workspace, cohort):
    other = Segment(workspace=workspace, name="Other", definition=definition(cohorts(cohort.pk)))
    saving.save(segment=other, tags=["CRM", "weekly"], by=None, now=NOW)
    assert saving.tags_of(other) == ["crm", "weekly"]
    edit(other, tags=[])
    assert list(SegmentTag.objects.values_list("name", flat=True)) == ["crm"]
    saving.delete(segment=segment)
    assert not SegmentTag.objects.exists()


def test_tags_of_another_workspace_are_none_of_ours(segment, other_workspace):
    theirs = Segment(workspace=other_workspace, name="Theirs")
    saving.save(segment=theirs, tags=["crm"], by=None, now=NOW)
    assert SegmentTag.objects.filter(name="crm").count() == 2
    edit(segment, tags=[])
    assert saving.tags_of(theirs) == ["crm"]


def test_a_save_on_what_somebody_changed_meanwhile_is_refused(segment, administrator):
    seen_at, later = segment.updated_at, NOW + timedelta(minutes=1)
    edit(Segment.objects.get(), name="Theirs", by=administrator, now=later)
    with pytest.raises(OutdatedError) as caught:
        edit(segment, name="Mine", tags=["mine"], seen_at=seen_at)
    assert (caught.value.segment.name, caught.value.segment.updated_by) == ("Theirs", administrator)
    assert Segment.objects.get().name == "Theirs"
    assert saving.tags_of(segment) == ["crm"]


def test_a_save_on_what_was_seen_passes(segment, administrator):
    later = NOW + timedelta(minutes=1)
    edit(Segment.objects.get(), name="Theirs", now=later)
    edit(segment, name="Mine", seen_at=later)
    assert Segment.objects.get().name == "Mine"


def test_a_segment_deleted_meanwhile_does_not_come_back(segment):
    Segment.objects.all().delete()
    with pytest.raises(Segment.DoesNotExist):
        edit(segment)
    assert not Segment.objects.exists()


def test_a_save_leaves_a_segment_archived_that_was_archived_meanwhile(segment):
    saving.archive(segment=segment, now=NOW)
    stale = Segment.objects.get()
    stale.archived_at = None
    edit(stale, name="Renamed")
    assert Segment.objects.get().archived_at == NOW


@pytest.mark.parametrize("state", ["archived", "deleted", "elsewhere"])
def test_a_segment_begins_to_use_only_what_is_there_and_active(segment, other_workspace, state):
    used = SegmentFactory.create(name="Used")
    if state == "archived":
        saving.archive(segment=used, now=NOW)
    mentioned = SegmentFactory.create(workspace=other_workspace).pk if state == "elsewhere" else used.pk
    if state == "deleted":
        saving.delete(segment=used)
    with pytest.raises(FilterError) as caught:
        edit(segment, definition=members_of(mentioned))
    assert [fault.pointer for fault in caught.value.faults] == ["/root/children/0/value"]
    assert SegmentVersion.objects.filter(segment=segment).count() == 1


def test_the_size_is_noted_after_the_commit(workspace, cohort, django_capture_on_commit_callbacks):
    made = Segment(workspace=workspace, name="Counted", definition=definition(cohorts(cohort.pk)))
    with django_capture_on_commit_callbacks(execute=True):
        saving.save(segment=made, tags=[], by=None, now=NOW)
        assert not SegmentSize.objects.exists()
    assert SegmentSize.objects.get().total_count == 3


# --- versions and copies -------------------------------------------------------------------------------------
def test_a_restored_version_is_a_new_one_and_touches_the_filters_alone(segment, cohort, administrator):
    edit(segment, definition=excluding(cohort), name="Renamed", description="New", tags=["new"])
    made = saving.restore(segment=segment, number=1, by=administrator, now=NOW)
    segment.refresh_from_db()
    assert made.number == 3
    assert segment.definition == definition(cohorts(cohort.pk))
    assert (segment.name, segment.description, saving.tags_of(segment)) == ("Renamed", "New", ["new"])
    assert segment.updated_by == administrator


def test_the_current_version_is_restored_to_no_effect(segment):
    assert saving.restore(segment=segment, number=1, by=None, now=NOW).number == 1


def test_a_version_whose_cohort_is_gone_is_not_restored(segment):
    edit(segment, definition=definition(cohorts(CohortFactory().pk)))
    segment.versions.filter(number=1).update(definition=definition(cohorts(987_654)))
    with pytest.raises(FilterError):
        saving.restore(segment=segment, number=1, by=None, now=NOW)
    assert segment.versions.count() == 2


def test_versions_that_never_were_are_not_restored(segment):
    with pytest.raises(SegmentVersion.DoesNotExist):
        saving.restore(segment=segment, number=7, by=None, now=NOW)


def test_a_copy_has_filters_description_and_tags_and_a_life_of_its_own(segment, administrator):
    edit(segment, description="Of last year")
    copy = saving.duplicate(segment=segment, by=administrator, now=NOW)
    assert (copy.name, copy.description, copy.definition) == (
        "Win back (copy)",
        "Of last year",
        segment.definition,
    )
    assert saving.tags_of(copy) == ["crm"]
    assert copy.versions.get().number == 1
    edit(copy, tags=[])
    assert saving.tags_of(segment) == ["crm"]


def test_copies_find_free_names_that_fit(segment):
    names = [saving.duplicate(segment=segment, by=None, now=NOW).name for _ in range(3)]
    assert names == ["Win back (copy)", "Win back (copy 2)", "Win back (copy 3)"]
    long = SegmentFactory.create(name="n" * 100)
    copies = [saving.duplicate(segment=long, by=None, now=NOW).name for _ in range(2)]
    assert [len(name) for name in copies] == [100, 100]


def test_a_copy_of_an_archived_segment_is_active(segment):
    saving.archive(segment=segment, now=NOW)
    segment.refresh_from_db()
    assert saving.duplicate(segment=segment, by=None, now=NOW).archived_at is None


# --- archive and delete --------------------------------------------------------------------------------------
def test_what_is_used_is_neither_archived_nor_deleted(segment):
    users = [SegmentFactory.create(name=name, definition=members_of(segment.pk)) for name in ("A", "B")]
    for forbidden in (
        lambda: saving.archive(segment=segment, now=NOW),
        lambda: saving.delete(segment=segment),
    ):
        with pytest.raises(SegmentInUseError) as caught:
            forbidden()
        assert caught.value.users == users
    assert Segment.objects.get(pk=segment.pk).archived_at is None


def test_what_archived_segments_use_may_be_archived_but_not_deleted(segment):
    user = SegmentFactory.create(definition=members_of(segment.pk))
    saving.archive(segment=user, now=NOW)
    with pytest.raises(SegmentInUseError):
        saving.delete(segment=segment)
    saving.archive(segment=segment, now=NOW)
    assert not Segment.objects.active().exists()
    with pytest.raises(FilterError):  # it would use what is archived
        saving.unarchive(segment=user, now=NOW)
    saving.unarchive(segment=segment, now=NOW)
    saving.unarchive(segment=user, now=NOW)
    assert Segment.objects.active().count() == 2


def test_archiving_twice_keeps_the_first_time(segment):
    for hours in (0, 1):
        saving.archive(segment=segment, now=NOW + timedelta(hours=hours))
    assert Segment.objects.get().archived_at == NOW


def test_a_deleted_segment_takes_its_versions_and_sizes_along(segment):
    SegmentSize.objects.create(
        segment=segment, day=NOW.date(), total_count=1, email_count=0, push_count=0, measured_at=NOW
    )
    saving.delete(segment=segment)
    assert not SegmentVersion.objects.exists()
    assert not SegmentSize.objects.exists()
