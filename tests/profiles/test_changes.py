"""The change marker: nothing that was changed is forgotten, whatever is folded meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles import changes
from profiles.models import ProfileChange

pytestmark = pytest.mark.django_db
Kind = changes.Kind


def since(workspace, moment, kind=Kind.ATTRIBUTES) -> set[int] | None:
    found = changes.recorded(workspace_id=workspace.pk, moment=moment).since(kind=kind, moment=moment)
    return None if found is None else set(found)


def record(workspace, *profile_ids, kind=Kind.ATTRIBUTES, ago=timedelta(0)) -> None:
    changes.record(workspace_id=workspace.pk, kind=kind, profile_ids=profile_ids)
    newest = ProfileChange.objects.latest("pk")
    ProfileChange.objects.filter(pk=newest.pk).update(changed_at=timezone.now() - ago)


def test_changes_are_known_by_kind_and_workspace(workspace, other_workspace):
    before = changes.as_of()
    record(workspace, 1, 2)
    record(workspace, 3, kind=Kind.EVENTS)
    record(other_workspace, 4)
    assert since(workspace, before) == {1, 2}
    assert since(workspace, before, Kind.EVENTS) == {3}
    assert since(other_workspace, before) == {4}


def test_created_and_erased_profiles_concern_every_reader(workspace):
    record(workspace, 5, kind=Kind.EXISTENCE)
    assert since(workspace, changes.as_of()) == {5} == since(workspace, changes.as_of(), Kind.EVENTS)


def test_nobody_changed_is_no_record(workspace):
    changes.record(workspace_id=workspace.pk, kind=Kind.EVENTS, profile_ids=[])
    assert not ProfileChange.objects.exists()


def test_what_is_no_longer_kept_is_not_answered(workspace):
    assert since(workspace, timezone.now() - changes.RETENTION - timedelta(minutes=1)) is None


def test_folding_forgets_nobody(workspace, other_workspace):
    hours = (2, 2.05, 2.1, 30, 30.05)
    for number, hour in enumerate(hours):
        record(workspace, number, number + 10, ago=timedelta(hours=hour))
        record(other_workspace, 100 + number, ago=timedelta(hours=hour))
    record(workspace, 50)
    moments = [timezone.now() - timedelta(hours=hours) for hours in (0.5, 2.07, 3, 30.02, 31)]
    before = [since(workspace, moment) for moment in moments]
    changes.tidy(now=timezone.now())
    after = [since(workspace, moment) for moment in moments]
    assert ProfileChange.objects.count() < 11
    assert all(known <= kept for known, kept in zip(before, after, strict=True))
    assert after[-1] == before[-1]
    assert since(workspace, moments[0]) == {50}


def test_kinds_are_folded_apart(workspace):
    now = timezone.now()
    for kind in (Kind.EVENTS, Kind.EVENTS, Kind.ATTRIBUTES, Kind.ATTRIBUTES):
        record(workspace, len(kind), kind=kind)
    ProfileChange.objects.update(changed_at=now.replace(minute=0) - timedelta(minutes=90))
    assert changes.tidy(now=now) == 2
    assert since(workspace, now - timedelta(hours=3), Kind.EVENTS) == {len(Kind.EVENTS)}
    assert since(workspace, now - timedelta(hours=3)) == {len(Kind.ATTRIBUTES)}


def test_records_older_than_anybody_asks_for_go(workspace):
    record(workspace, 1, ago=changes.RETENTION + timedelta(days=2))
    record(workspace, 2, ago=changes.RETENTION - timedelta(hours=1))
    assert changes.tidy(now=timezone.now()) == 1
    assert ProfileChange.objects.count() == 1
