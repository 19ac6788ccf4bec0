"""What the read API asks of segments: the audience's own answers, and no answer for filters at fault."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import selection
from segments import audience
from segments.api import selected
from segments.filters import FilterError
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory


def test_members_and_counts_are_of_one_mind(workspace):
    inside, _outside = ProfileFactory.create_batch(2)
    cohort = CohortFactory.create(members=[inside])
    segment = SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    question = selected.question(workspace=workspace, segment=segment)
    counts = selection.finish(audience.counting(question=question))
    assert set(selected.members(workspace=workspace, segment=segment)) == {inside.pk}
    assert (counts.size.total, counts.universe) == (1, 2)


@pytest.mark.parametrize("ask", [selected.members, selected.question])
def test_cohort_of_another_workspace_is_a_fault_and_not_its_members(workspace, other_workspace, ask):
    theirs = CohortFactory.create(workspace=other_workspace, members=[ProfileFactory.create()])
    segment = SegmentFactory.create(definition=definition(cohorts(theirs.pk)))
    with pytest.raises(FilterError):
        ask(workspace=workspace, segment=segment)


def test_sentences_name_no_cohort_of_another_workspace(workspace, other_workspace):
    theirs = CohortFactory.create(workspace=other_workspace, name="Theirs")
    segment = SegmentFactory.create(definition=definition(cohorts(theirs.pk)))
    assert "Theirs" not in selected.sentences(workspace=workspace, segments=[segment])[segment.pk]


def test_sentences_of_one_and_many_segments_cost_one_query(workspace):
    segments = [
        SegmentFactory.create(definition=definition(cohorts(CohortFactory.create().pk))) for _ in range(20)
    ]
    with CaptureQueriesContext(connection) as captured:
        assert len(selected.sentences(workspace=workspace, segments=segments)) == 20
    assert len(captured) == 1
