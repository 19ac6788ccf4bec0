"""What is late, what is stale, and what never is: by tables of whole lives of cohorts, and by hypothesis."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts import freshness
from cohorts.freshness import Freshness, Heard, State
from cohorts.models import CohortSync

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FULL, ADDED, REMOVED, CHANGES = (
    CohortSync.Action.MEMBERS,
    CohortSync.Action.ADD_MEMBERS,
    CohortSync.Action.REMOVE_MEMBERS,
    CohortSync.Action.CHANGES,
)


def heard(
    ago: timedelta, action: str = CHANGES, *, session: str = "", lasted: timedelta = 0 * MINUTE
) -> Heard:
    return Heard(session, action, NOW - ago, NOW - ago + lasted)


def rhythm(*gaps: timedelta, silence: timedelta = 0 * MINUTE) -> list[Heard]:
    """Return the syncs of the partner protocol with these gaps, the latest first; the last was `silence` ago."""
    moments = [silence]
    for gap in gaps:
        moments.append(moments[-1] + gap)
    return [heard(ago) for ago in moments]


def judged(syncs: list[Heard], **more: object) -> Freshness:
    return freshness.judge(syncs=syncs, now=NOW, **more)  # type: ignore[arg-type]


# --- when -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("silence", "state"),
    [
        (0 * MINUTE, State.FRESH),
        (40 * MINUTE, State.FRESH),
        (41 * MINUTE, State.LATE),
        (80 * MINUTE, State.LATE),
        (81 * MINUTE, State.STALE),
        (900 * DAY, State.STALE),
    ],
)
def test_dynamic_sync_is_late_after_two_intervals_and_stale_after_four(silence, state):
    found = judged(rhythm(*[20 * MINUTE] * 5, silence=silence))
    assert (found.state, found.expected, found.heard_at) == (state, 20 * MINUTE, NOW - silence)


def test_says_since_when():
    late, stale = (judged(rhythm(*[HOUR] * 5, silence=hours * HOUR)) for hours in (3, 5))
    assert (late.since, stale.since) == (NOW - HOUR, NOW - HOUR)
    assert judged(rhythm(*[HOUR] * 5)).since is None


def test_partner_whose_clock_or_ours_went_back_is_fresh():
    assert judged(rhythm(*[HOUR] * 5, silence=-5 * MINUTE)).state == State.FRESH


def test_sync_whose_pages_still_come_is_no_silence():
    long = [heard(9 * HOUR, lasted=9 * HOUR), *(heard(n * HOUR) for n in (10, 11, 12))]
    assert judged(long).state == State.FRESH


def test_page_that_came_again_is_no_silence_either():
    assert judged(rhythm(*[HOUR] * 5, silence=9 * HOUR), heard_at=NOW - MINUTE).state == State.FRESH


# --- what is dynamic ------------------------------------------------------------------------------------------
def test_cohort_that_was_only_named_never_synced():
    assert judged([]) == Freshness(State.NEVER)


@pytest.mark.parametrize("action", [FULL, ADDED, CHANGES])
@pytest.mark.parametrize("expected_minutes", [None, 15])
def test_one_time_export_is_never_late(action, expected_minutes):
    once = [heard(300 * DAY, action, session="s", lasted=5 * HOUR)]
    assert judged(once, expected_minutes=expected_minutes).state == State.ONE_TIME


@pytest.mark.parametrize("action", [FULL, ADDED, CHANGES])
def test_export_that_a_person_repeats_days_later_is_no_rhythm(action):
    exports = [
        heard(days * DAY, action, session=f"s{days}", lasted=10 * MINUTE)
        for days in (100, 101, 112, 140, 141)
    ]
    for count in range(1, len(exports) + 1):
        assert judged(exports[:count]).state == State.ONE_TIME


def test_exports_of_an_afternoon_of_trying_out_are_no_rhythm():
    assert (
        judged(rhythm(5 * MINUTE, 90 * MINUTE, 12 * MINUTE, 2 * MINUTE, silence=DAY)).state == State.ONE_TIME
    )


def test_weekly_exports_by_hand_are_watched_only_if_the_operator_says_so():
    weekly = rhythm(*[7 * DAY] * 6, silence=40 * DAY)
    assert judged(weekly).state == State.ONE_TIME
    assert judged(weekly, expected_minutes=7 * 24 * 60).state == State.STALE


def test_additions_and_removals_of_one_export_are_no_dynamic_sync():
    both = [heard(9 * DAY, REMOVED, session="s"), heard(9 * DAY + HOUR, ADDED, session="s")]
    assert judged(both).state == State.ONE_TIME


def test_first_removals_make_a_sync_of_mixpanel_dynamic_with_its_default_interval():
    syncs = [heard(20 * MINUTE, REMOVED, session="b"), heard(30 * MINUTE, FULL, session="a")]
    assert judged(syncs) == Freshness(State.FRESH, NOW - 20 * MINUTE, 15 * MINUTE)


def test_retries_of_the_first_export_are_part_of_it():
    tries = [heard(9 * DAY - n * timedelta(seconds=15), ADDED, session=f"s{n}") for n in range(5)]
    assert judged(tries).state == State.ONE_TIME


def test_calls_that_never_pause_are_a_dynamic_sync():
    endless = [heard(9 * DAY, lasted=8 * DAY)]
    assert judged(endless) == Freshness(State.STALE, NOW - DAY, 15 * MINUTE)


def test_one_gap_like_the_operators_interval_is_enough():
    assert judged(rhythm(50 * MINUTE, silence=5 * HOUR)).state == State.ONE_TIME
    assert judged(rhythm(50 * MINUTE, silence=5 * HOUR), expected_minutes=60).state == State.STALE
    assert judged(rhythm(9 * DAY, silence=5 * HOUR), expected_minutes=60).state == State.ONE_TIME


def test_integration_that_is_off_is_not_late():
    found = judged(rhythm(*[HOUR] * 5, silence=9 * DAY), is_off=True)
    assert found == Freshness(State.OFF, NOW - 9 * DAY)


# --- how often ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([HOUR] * 3, HOUR),
        ([15 * MINUTE, 30 * MINUTE, 20 * MINUTE, 16 * MINUTE, 29 * MINUTE], 20 * MINUTE),
        ([HOUR, HOUR, 60 * HOUR, HOUR, HOUR, HOUR], HOUR),  # an outage
        ([60 * HOUR, HOUR, HOUR, HOUR, HOUR], HOUR),  # one that just ended
        ([DAY, HOUR, HOUR, HOUR, HOUR, HOUR], HOUR),
        ([DAY, DAY, HOUR, HOUR, HOUR, HOUR], DAY),  # hourly until the day before yesterday
        ([HOUR] * 5 + [DAY] * 6, DAY),
        ([HOUR] * 6 + [DAY] * 5, HOUR),
        ([2 * MINUTE] * 5, 5 * MINUTE),
    ],
)
def test_interval_is_learned(gaps, expected):
    assert judged(rhythm(*gaps)).expected == expected


def test_operators_interval_is_believed_before_the_rhythm():
    assert judged(rhythm(*[HOUR] * 5), expected_minutes=1).expected == MINUTE


def test_additions_and_removals_of_one_session_are_one_sync():
    syncs = [
        heard(n * HOUR - part * 10 * MINUTE, action, session=f"s{n}")
        for n in range(1, 6)
        for part, action in enumerate([ADDED, REMOVED])
    ]
    assert freshness.gaps_between(syncs=syncs) == [HOUR] * 4


def test_program_that_has_one_session_for_ever_has_a_rhythm_all_the_same():
    syncs = [heard(n * HOUR, FULL, session="always-this") for n in range(5)]
    assert freshness.gaps_between(syncs=syncs) == [HOUR] * 4


def test_syncs_within_a_minute_are_one():
    seconds = [timedelta(seconds=n) for n in (0, 20, 59, 60, 3600)]
    gaps = freshness.gaps_between(syncs=[heard(DAY - it) for it in seconds])
    assert gaps == [timedelta(seconds=3540), MINUTE]


# --- whatever comes --------------------------------------------------------------------------------------------
any_sync = st.builds(
    heard,
    st.timedeltas(0 * MINUTE, 400 * DAY),
    st.sampled_from(CohortSync.Action.values),
    session=st.sampled_from(["", "a", "b"]),
    lasted=st.timedeltas(0 * MINUTE, 2 * DAY),
)
lives = st.lists(any_sync, max_size=30)
WORSE = [State.FRESH, State.LATE, State.STALE]


@given(lives, st.none() | st.integers(1, 10_000), st.randoms())
def test_order_of_the_syncs_does_not_matter(syncs, expected_minutes, random):
    moments = {it.started_at for it in syncs}
    mixed = random.sample(syncs, len(syncs))
    if len(moments) == len(syncs):
        assert judged(syncs, expected_minutes=expected_minutes) == judged(
            mixed, expected_minutes=expected_minutes
        )


@given(lives, st.timedeltas(0 * MINUTE, 400 * DAY))
def test_silence_only_ever_makes_it_worse_and_another_sync_makes_it_fresh(syncs, later):
    at_first = freshness.judge(syncs=syncs, now=NOW)
    then = freshness.judge(syncs=syncs, now=NOW + later)
    assert then.expected == at_first.expected
    if at_first.expected is None:
        assert then.state == at_first.state
    else:
        assert WORSE.index(then.state) >= WORSE.index(at_first.state)
        assert freshness.judge(syncs=syncs, heard_at=NOW + later, now=NOW + later).state == State.FRESH


@given(lives, st.none() | st.integers(1, 10_000))
def test_dynamic_is_what_has_an_interval_and_late_what_has_a_since(syncs, expected_minutes):
    found = judged(syncs, expected_minutes=expected_minutes)
    assert (found.expected is not None) == (found.state in WORSE)
    assert (found.since is not None) == (found.state in {State.LATE, State.STALE})
    assert found.since is None or found.since < NOW
