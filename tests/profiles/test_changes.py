"""The change marker: nothing that was changed is forgotten, whatever is folded meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles import changes
from profiles.models import ProfileChange
from tests.profiles.questions import changed_since

pytestmark = pytest.mark.django_db
Kind = changes.Kind


def record(workspace, *profile_ids, kind=Kind.ATTRIBUTES, ago=timedelta(0)) -> None:
    changes.record(workspace_id=workspace.pk, kind=kind, profile_ids=profile_ids)
    newest = ProfileChange.objects.latest("pk")
    ProfileChange.objects.filter(pk=newest.pk).update(changed_at=timezone.now() - ago)


def test_changes_are_known_by_kind_and_workspace(workspace, other_workspace):
    before = changes.as_of()
    record(workspace, 1, 2)
    record(workspace, 3, kind=Kind.EVENTS)
    record(other_workspace, 4)
    assert changed_since(workspace, before) == {1, 2}
    assert changed_since(workspace, before, Kind.EVENTS) == {3}
    assert changed_since(other_workspace, before) == {4}


def test_created_and_erased_profiles_concern_every_reader(workspace):
    record(workspace, 5, kind=Kind.EXISTENCE)
    assert (
        changed_since(workspace, changes.as_of())
        == {5}
        == changed_since(workspace, changes.as_of(), Kind.EVENTS)
    )


def test_nobody_changed_is_no_record(workspace):
    changes.record(workspace_id=workspace.pk, kind=Kind.EVENTS, profile_ids=[])
    assert not ProfileChange.objects.exists()


def test_what_was_recorded_is_kept_so_long_and_not_longer(workspace):
    assert changes.is_kept_since(timezone.now() - changes.RETENTION + timedelta(minutes=1))
    assert not changes.is_kept_since(timezone.now() - changes.RETENTION - timedelta(minutes=1))


def test_one_look_at_the_records_serves_every_kind_and_every_later_moment(workspace):
    now = timezone.now()
    record(workspace, 1, ago=timedelta(hours=3))
    record(workspace, 2, ago=timedelta(hours=1))
    record(workspace, 3, kind=Kind.EVENTS, ago=timedelta(hours=1))
    recorded = changes.recorded(workspace_id=workspace.pk, moment=now - timedelta(hours=4))
    for hours, attributes, events in ((4, {1, 2}, {3}), (2, {2}, {3}), (0, set(), set())):
        moment = now - timedelta(hours=hours)
        assert set(recorded.since(kind=Kind.ATTRIBUTES, moment=moment)) == attributes
        assert set(recorded.since(kind=Kind.EVENTS, moment=moment)) == events
        assert changed_since(workspace, moment) == attributes


def test_what_is_recorded_at_the_very_moment_is_among_what_was_since(workspace):
    record(workspace, 7)
    assert changed_since(workspace, ProfileChange.objects.get().changed_at) == {7}


def test_folding_forgets_nobody(workspace, other_workspace):
    hours = (2, 2.05, 2.1, 30, 30.05)
    for number, hour in enumerate(hours):
        record(workspace, number, number + 10, ago=timedelta(hours=hour))
        record(other_workspace, 100 + number, ago=timedelta(hours=hour))
    record(workspace, 50)
    moments = [timezone.now() - timedelta(hours=hours) for hours in (0.5, 2.07, 3, 30.02, 31)]
    before = [changed_since(workspace, moment) for moment in moments]
    changes.tidy(now=timezone.now())
    after = [changed_since(workspace, moment) for moment in moments]
    assert ProfileChange.objects.count() < 11
    assert all(known <= kept for known, kept in zip(before, after, strict=True))
    assert after[-1] == before[-1]
    assert changed_since(workspace, moments[0]) == {50}


def test_kinds_are_folded_apart(workspace):
    now = timezone.now()
    for kind in (Kind.EVENTS, Kind.EVENTS, Kind.ATTRIBUTES, Kind.ATTRIBUTES):
        record(workspace, len(kind), kind=kind)
    ProfileChange.objects.update(changed_at=now.replace(minute=0) - timedelta(minutes=90))
    assert changes.tidy(now=now) == 2
    assert changed_since(workspace, now - timedelta(hours=3), Kind.EVENTS) == {len(Kind.EVENTS)}
    assert changed_since(workspace, now - timedelta(hours=3)) == {len(Kind.ATTRIBUTES)}


def test_records_older_than_anybody_asks_for_go(workspace):
    record(workspace, 1, ago=changes.RETENTION + timedelta(days=2))
    record(workspace, 2, ago=changes.RETENTION - timedelta(hours=1))
    assert changes.tidy(now=timezone.now()) == 1
    assert ProfileChange.objects.count() == 1
