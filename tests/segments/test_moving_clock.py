"""Filters relative to now stay exact as time passes: over midnight, over the end of a month and over 29 February."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from profiles import events
from profiles.events import Occurrence
from profiles.models import Profile
from segments import audience, filters
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import definition, leaf
from tests.segments.naive import Person, World

pytestmark = pytest.mark.django_db
MIDNIGHT = datetime(2028, 2, 29, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MOMENTS = [
    MIDNIGHT - SECOND,
    MIDNIGHT,
    MIDNIGHT + DAY - timedelta(microseconds=1),
    MIDNIGHT + DAY,
    MIDNIGHT + 2 * DAY,
    datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2029, 2, 28, 12, tzinfo=UTC),
    datetime(2029, 3, 1, tzinfo=UTC),
]
# On either side of many midnights, to the microsecond.
TIMES = [
    MIDNIGHT + days * DAY + offset
    for days in (-366, -31, -30, -2, -1, 0, 1, 2, 30, 307, 364, 366)
    for offset in (-timedelta(microseconds=1), timedelta(0), timedelta(hours=12))
]
BIRTHS = [date(2008, 2, day) for day in (28, 29)] + [date(2008, 3, 1), date(2010, 2, 28), date(2010, 3, 1)]
DAYS = (1, 2, 3, 30, 31, 366)
ASKED = [
    *(
        leaf(type_, f"{prefix}{operator}", days, subject=subject)
        for type_, prefix, subject in (
            ("last_seen", "", None),
            ("created_at", "", None),
            ("custom_attribute", "time_", "at"),
            ("custom_event", "last_", "seen"),
            ("custom_event", "first_", "seen"),
        )
        for operator in ("in_last_days", "more_than_days_ago")
        for days in DAYS
    ),
    *(leaf("age", operator, years) for operator in ("at_least", "under") for years in (18, 19, 20, 21)),
    *(leaf("age", "between", years) for years in ([18, 18], [19, 20], [0, 20])),
]


@pytest.fixture
def people(workspace):
    found = []
    for place, moment in enumerate(TIMES):
        born, at = BIRTHS[place % len(BIRTHS)], moment.isoformat()
        profile = ProfileFactory.create(
            last_session_at=moment, date_of_birth=born, custom_attributes={"at": {"$time": at}}
        )
        Profile.objects.filter(pk=profile.pk).update(created_at=moment)
        columns = {"last_session_at": moment, "created_at": moment, "date_of_birth": born}
        done = [moment, TIMES[0]]
        found.append(Person(profile.pk, columns, {"at": {"$time": at}}, {"seen": done}))
    happened = [
        Occurrence(person.pk, events.Kind.CUSTOM, "seen", "", at)
        for person in found
        for at in person.events["seen"]
    ]
    events.record(workspace_id=workspace.pk, occurrences=happened, now=MOMENTS[-1])
    return found


def test_what_is_relative_to_now_is_exact_at_every_moment(workspace, people):
    trees = [filters.parse(definition(node)) for node in ASKED]
    sizes = set()
    for now in MOMENTS:
        world = World(people, now)
        for node, tree in zip(ASKED, trees, strict=True):
            found = set(audience.members(workspace=workspace, tree=tree, now=now))
            assert found == world.members(definition(node)), (node, now)
            sizes.add(len(found))
    assert len(sizes) > 10  # the clock did move something


def test_an_answer_holds_until_midnight_and_no_longer(workspace, people):
    for node in ASKED:
        tree = filters.parse(definition(node)).children[0]
        morning, evening = tree.selects(MIDNIGHT), tree.selects(MIDNIGHT + DAY - SECOND)
        assert morning == evening, node
        if node["type"] != "age":  # nobody has a birthday on 29 February in a year that has none
            assert tree.selects(MIDNIGHT - SECOND) != morning, node


def test_now_is_of_utc_whatever_its_zone(workspace, people):
    tree = filters.parse(definition(leaf("last_seen", "in_last_days", 1)))
    here = audience.members(workspace=workspace, tree=tree, now=MIDNIGHT)
    there = datetime.fromisoformat("2028-02-28T14:00:00-10:00")
    assert audience.members(workspace=workspace, tree=tree, now=there) == here


def test_moves_of_a_cohort_grow_old_at_midnight(workspace):
    ann, ben = ProfileFactory.create_batch(2)
    cohort = CohortFactory()
    change_members(cohort, [ann], now=MIDNIGHT - SECOND)
    change_members(cohort, [ben], now=MIDNIGHT)
    for days, now, expected in (
        (1, MIDNIGHT - SECOND, {ann.pk, ben.pk}),  # a clock may be behind another
        (1, MIDNIGHT, {ben.pk}),
        (2, MIDNIGHT, {ann.pk, ben.pk}),
        (2, MIDNIGHT + DAY, {ben.pk}),
        (2, MIDNIGHT + 2 * DAY, set()),
    ):
        tree = filters.parse(
            definition(leaf("cohort_moves", "entered_in_last_days", days, subject=cohort.pk))
        )
        assert set(audience.members(workspace=workspace, tree=tree, now=now)) == expected
