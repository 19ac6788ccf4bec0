"""How fresh a cohort is: whether its partner still sends it as often as it used to. Pure; the clock is passed in.

Nobody tells us that a sync was deleted or paused at the partner's: there is only silence. So the rhythm of a cohort is
learned from its latest syncs, and silence is measured against it.

1. *What is one sync.* Additions and removals of one session are one, and so are syncs that begin within a minute of
   each other: a partner that was answered with 503 tries again within that time. Without members a sync counts, too
   (it says "nothing changed"), and so does one that waits for pages: what is missing there is shown as an unfinished
   sync, it is not silence.
2. *What is dynamic.* Members that are sent once are as old as they are, so a one-time export is never late. Neither
   is one that a person repeats, whenever they like. A machine is told from a person by any of these:
   - at most two days after another sync came removals: so does a dynamic sync of Mixpanel, while an export sends
     those who are members;
   - three successive gaps are alike, and none of them is longer than two days;
   - the operator entered an interval, and one gap is like it;
   - a sync lasted for more than a day: calls without a session that follow each other closely are one sync, and no
     export takes that long.
3. *How often.* What the operator entered; else the longer of two medians, of all known gaps and of the latest three.
   So one outage changes nothing, a cohort that went from hourly to daily is believed after two days, and one that
   became quicker when most of its gaps are: both ways it errs on the patient side. Until three gaps are known, it is
   at least Mixpanel's 15 minutes; never is it less than 5, which is no rhythm but chance.
4. *When.* Late after 2 intervals without a word, stale after 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from cohorts.models import CohortSync

LATE_AFTER, STALE_AFTER = 2, 4  # expected intervals
DEFAULT_INTERVAL, SHORTEST_INTERVAL = timedelta(minutes=15), timedelta(minutes=5)
KNOWN_SYNCS = 12
RETRIED_WITHIN = timedelta(minutes=1)
ALIKE = 3  # times as long, at most: Mixpanel's own intervals vary between 15 and 30 minutes
ALIKE_GAPS = 3
LONGEST_LEARNED = timedelta(days=2)
LONGEST_EXPORT = timedelta(days=1)


class State(TextChoices):
    """How fresh a cohort is; the worst first."""

    STALE = "stale", _("Stale")
    LATE = "late", _("Late")
    FRESH = "fresh", _("Fresh")
    ONE_TIME = "one_time", _("One-time")
    NEVER = "never", _("No sync yet")
    OFF = "off", _("Off")


@dataclass(frozen=True)
class Heard:
    """A sync as it is kept, as far as it says something about a rhythm."""

    session_id: str
    action: str
    started_at: datetime
    last_page_at: datetime


@dataclass(frozen=True)
class Freshness:
    """How fresh a cohort is at one moment. `expected` is the interval of its dynamic sync; None if it has none."""

    state: State
    heard_at: datetime | None = None
    expected: timedelta | None = None

    @property
    def since(self) -> datetime | None:
        """When it became late, or stale; None while it is neither."""
        times = {State.LATE: LATE_AFTER, State.STALE: STALE_AFTER}.get(self.state)
        if times is None or self.heard_at is None or self.expected is None:
            return None
        return self.heard_at + times * self.expected


def judge(
    *,
    syncs: Iterable[Heard],
    heard_at: datetime | None = None,
    expected_minutes: int | None = None,
    is_off: bool = False,
    now: datetime,
) -> Freshness:
    """Return how fresh a cohort is, of whose syncs the latest are given in any order.

    `heard_at` is when its partner was heard last, if that was after the last page of a sync: a page that came again
    belongs to none. `expected_minutes` is what the operator entered, `is_off` whether its syncs are refused.
    """
    known = list(syncs)
    moments = [sync.last_page_at for sync in known] + ([heard_at] if heard_at else [])
    heard = max(moments, default=None)
    if is_off:
        return Freshness(State.OFF, heard)
    if heard is None:
        return Freshness(State.NEVER)
    entered = timedelta(minutes=expected_minutes) if expected_minutes else None
    gaps = gaps_between(syncs=known)
    if not _is_dynamic(known, gaps, entered):
        return Freshness(State.ONE_TIME, heard)
    expected = entered or interval(gaps=gaps)
    return Freshness(_state(now - heard, expected), heard, expected)


def gaps_between(*, syncs: Iterable[Heard]) -> list[timedelta]:
    """Return the times between the beginnings of successive syncs, the latest first."""
    starts = _starts(sorted(syncs, key=lambda sync: sync.started_at))
    return [later - earlier for earlier, later in pairwise(starts)][::-1][: KNOWN_SYNCS - 1]


def interval(*, gaps: Sequence[timedelta]) -> timedelta:
    """Return how often a dynamic sync with these gaps, the latest first, is expected."""
    if len(gaps) < ALIKE_GAPS:
        return max(DEFAULT_INTERVAL, median_low(gaps) if gaps else DEFAULT_INTERVAL)
    return max(SHORTEST_INTERVAL, median_low(gaps), median_low(gaps[:3]))


def _state(silence: timedelta, expected: timedelta) -> State:
    if silence > STALE_AFTER * expected:
        return State.STALE
    return State.LATE if silence > LATE_AFTER * expected else State.FRESH


def _starts(syncs: Sequence[Heard]) -> list[datetime]:
    """Return when syncs began, each once: a session that sends the same action again begins another."""
    starts: list[datetime] = []
    times: Counter[tuple[str, str]] = Counter()
    known: set[tuple[str, int]] = set()
    for sync in syncs:
        times[sync.session_id, sync.action] += 1
        part_of = (sync.session_id, times[sync.session_id, sync.action])
        is_part = bool(sync.session_id) and part_of in known
        known.add(part_of)
        if not is_part and (not starts or sync.started_at - starts[-1] >= RETRIED_WITHIN):
            starts.append(sync.started_at)
    return starts


def _is_dynamic(syncs: Sequence[Heard], gaps: Sequence[timedelta], entered: timedelta | None) -> bool:
    return (
        _sends_removals(syncs)
        or _has_rhythm(gaps)
        or (entered is not None and any(_are_alike([gap, entered]) for gap in gaps))
        or any(sync.last_page_at - sync.started_at > LONGEST_EXPORT for sync in syncs)
    )


def _sends_removals(syncs: Sequence[Heard]) -> bool:
    in_order = sorted(syncs, key=lambda sync: sync.started_at)
    return any(
        sync.action == CohortSync.Action.REMOVE_MEMBERS
        and not (sync.session_id and sync.session_id == before.session_id)
        and RETRIED_WITHIN <= sync.started_at - before.started_at <= LONGEST_LEARNED
        for before, sync in pairwise(in_order)
    )


def _has_rhythm(gaps: Sequence[timedelta]) -> bool:
    runs = (gaps[start : start + ALIKE_GAPS] for start in range(len(gaps) - ALIKE_GAPS + 1))
    return any(_are_alike(run) and max(run) <= LONGEST_LEARNED for run in runs)


def _are_alike(gaps: Sequence[timedelta]) -> bool:
    return max(gaps) <= ALIKE * min(gaps)
