"""Cohorts are deleted and restored: refused while used, noted, and gone from wherever cohorts are shown."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEntry
from cohorts import followers, ignoring, uses
from cohorts.ignoring import CohortInUseError
from segments import builder_catalogue, saving
from segments.filters import FilterError
from segments.models import Segment
from tests.cohorts.factories import CohortFactory, members_of
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition, group, leaf
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db


def ignore(cohort, by=None):
    ignoring.ignore(cohort=cohort, by=by, now=timezone.now())


def restore(cohort, by=None):
    ignoring.restore(cohort=cohort, by=by, now=timezone.now())


def entries():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "subject", "actor__username"))


def test_deleting_and_restoring_are_noted_once_each_with_who_did_it(workspace, administrator):
    cohort = CohortFactory.create(name="Lapsed", partner_cohort_id="mp-77")
    for _again in range(2):
        ignore(cohort, administrator)
    cohort.refresh_from_db()
    assert (cohort.ignored_at is not None, cohort.ignored_by) == (True, administrator)
    for _again in range(2):
        restore(cohort, administrator)
    cohort.refresh_from_db()
    assert (cohort.ignored_at, cohort.ignored_by) == (None, None)
    subject = f"cohort {cohort.pk}"
    assert entries() == [
        ("cohort_deleted", subject, "administrator"),
        ("cohort_restored", subject, "administrator"),
    ]
    entry = AuditEntry.objects.first()
    assert entry.detail == {"name": "Lapsed", "partner": "mixpanel", "partner_cohort_id": "mp-77"}
    assert entry.subject_in_words() == f"Cohort {cohort.pk}"


@pytest.mark.parametrize("is_archived", [False, True])
def test_cohort_that_segments_use_stays_and_they_are_named(workspace, is_archived):
    cohort, other = CohortFactory.create(), CohortFactory.create()
    archived_at = timezone.now() if is_archived else None
    moved = leaf("cohort_moves", "left_in_last_days", 3, subject=cohort.pk)
    users = [
        SegmentFactory.create(name="a", definition=definition(group(cohorts(cohort.pk), exclude=True))),
        SegmentFactory.create(name="b", definition=definition(moved), archived_at=archived_at),
    ]
    SegmentFactory.create(definition=definition(cohorts(other.pk)))
    with pytest.raises(CohortInUseError) as refused:
        ignore(cohort)
    assert refused.value.users == users == uses.of(cohort=cohort)
    assert str(refused.value) == "a, b"
    cohort.refresh_from_db()
    assert cohort.ignored_at is None
    assert entries() == []


def test_deleted_cohort_is_not_offered_and_no_segment_can_begin_to_use_it(workspace):
    cohort = CohortFactory.create()
    ignore(cohort)
    offered = builder_catalogue.offered(workspace=workspace, own_id=None, definition=None, now=timezone.now())
    assert offered.cohorts == {}
    segment = Segment(workspace=workspace, name="New", definition=definition(cohorts(cohort.pk)))
    with pytest.raises(FilterError, match="does not exist any more"):
        saving.check(workspace=workspace, segment=segment, definition=segment.definition, now=timezone.now())
    with pytest.raises(FilterError, match="does not exist any more"):
        saving.save(segment=segment, tags=[], by=None, now=timezone.now())
    restore(cohort)
    saving.save(segment=segment, tags=[], by=None, now=timezone.now())


def test_former_version_that_uses_a_deleted_cohort_cannot_be_restored(workspace):
    cohort = CohortFactory.create()
    segment = Segment(workspace=workspace, name="Once", definition=definition(cohorts(cohort.pk)))
    saving.save(segment=segment, tags=[], by=None, now=timezone.now())
    segment.definition = definition(leaf("identity", "identified"))
    saving.save(segment=segment, tags=[], by=None, now=timezone.now())
    ignore(cohort)
    with pytest.raises(FilterError, match="does not exist any more"):
        saving.restore(segment=segment, number=1, by=None, now=timezone.now())


def test_people_and_files_are_told_of_no_deleted_cohort_until_it_is_restored(workspace, capsys):
    person = ProfileFactory.create()
    cohort = CohortFactory.create(name="Lapsed", partner_cohort_id="mp-77", members=[person])
    options = {"workspace": "default", "partner": "mixpanel", "cohort_id": "mp-77"}

    def told():
        found = followers.described(workspace_id=workspace.pk, profile_ids=[person.pk])
        return [it["name"] for it in found[person.pk]["cohorts"]]

    ignore(cohort)
    assert told() == []
    with pytest.raises(CommandError, match="has no cohort"):
        call_command("export_cohort", **options)
    restore(cohort)
    assert told() == ["Lapsed"]
    call_command("export_cohort", **options)
    assert person.external_id in capsys.readouterr().out
    assert members_of(cohort) == {person.pk}
