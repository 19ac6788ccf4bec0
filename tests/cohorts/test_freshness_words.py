"""Intervals and states in words that people would use."""

from datetime import UTC, datetime, timedelta

import pytest

from cohorts import freshness_words
from cohorts.freshness import Freshness, State

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (timedelta(minutes=20), "20 minutes"),
        (HOUR - timedelta(milliseconds=3), "1 hour"),
        (HOUR + timedelta(seconds=20), "1 hour"),
        (timedelta(minutes=90), "1 hour, 30 minutes"),
        (timedelta(days=1), "1 day"),
    ],
)
def test_interval_is_told_in_whole_minutes(expected, words):
    assert freshness_words.every(expected).replace("\xa0", " ") == words


@pytest.mark.parametrize("state", State)
def test_every_state_is_explained(state):
    heard = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    words = freshness_words.explained(Freshness(state, heard, HOUR))
    assert len(words) > 20
    assert "{" not in words
    assert ("Nov. 25, 2026" in words) == (state in {State.LATE, State.STALE})
