"""What uses a segment is found, however deep its mention stands, and in one's own workspace only."""

from __future__ import annotations

import pytest

from segments import uses
from tests.segments.definitions import members_of
from tests.segments.factories import SegmentFactory


@pytest.fixture
def segment(workspace):
    return SegmentFactory.create(name="Used")


def test_users_come_by_name_and_archived_ones_too(segment, marketer):
    for name in ("B", "A"):
        SegmentFactory.create(name=name, definition=members_of(segment.pk, segment.pk))
    SegmentFactory.create(name="C", definition=members_of(segment.pk), archived_at=segment.created_at)
    SegmentFactory.create(name="D")
    users = uses.of(segment=segment)
    assert [str(user) for user in users] == ["A", "B", "C"]
    assert [str(user) for user in uses.active(users)] == ["A", "B"]
    assert uses.by_segment(workspace_id=segment.workspace_id) == {segment.pk: users}


def test_a_number_in_another_workspace_means_another_segment(segment, other_workspace):
    SegmentFactory.create(workspace=other_workspace, definition=members_of(segment.pk))
    assert uses.of(segment=segment) == []
