"""Who entered or left a cohort lately, against plain sets: whatever the partner does, and whenever it is compacted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from accounts.models import Integration
from cohorts import imports, membership, membership_moves
from cohorts.imports import Change
from cohorts.membership_moves import Direction
from cohorts.models import Cohort, CohortDelta, CohortSync
from cohorts.syncs import Export
from profiles import identity, universe
from profiles.identifiers import of_external_ids
from profiles.identity import Author
from profiles.identity_names import external_id
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory, erase, make_people

pytestmark = pytest.mark.django_db
Action = CohortSync.Action
NAMES = [f"p{number}" for number in range(6)]
START = datetime(2026, 2, 27, 22, tzinfo=UTC)
who = st.frozensets(st.sampled_from(NAMES), max_size=4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), who),
        st.tuples(st.just("remove"), who),
        st.tuples(st.just("replace"), st.lists(who, min_size=1, max_size=3)),
        st.tuples(st.just("merge"), st.permutations(NAMES).map(lambda it: it[:2])),
        st.tuples(st.just("repeat"), st.integers(0, 9)),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    max_size=25,
)


class Partner:
    """Sends changes of one cohort, and knows by plain sets who really entered and left on which day."""

    def __init__(self):
        self.workspace = WorkspaceFactory.create()
        self.integration = Integration.objects.create(workspace=self.workspace, partner="mixpanel")
        self.ids = make_people(self.workspace, NAMES)
        self.now, self.sent, self.gone = START, [], set()
        self.members: set[str] = set()
        self.moves: list[tuple[date, set[str], set[str]]] = []
        self.add(frozenset())
        self.cohort = Cohort.objects.get(workspace=self.workspace)

    def become(self, members):
        members = set(members) - self.gone
        self.moves.append((self.now.date(), members - self.members, self.members - members))
        self.members = members

    def send(self, action, pages):
        self.repeat(len(self.sent), (action, pages, f"s{len(self.sent)}"))

    def repeat(self, place, call=None):
        self.sent += [call] if call else []
        action, pages, session = self.sent[place % len(self.sent)]
        for number, people in enumerate(pages, 1):
            export = Export(
                partner_cohort_id="c", action=action, session_id=session, page=number, total_pages=len(pages)
            )
            change = Change(of_external_ids(sorted(people)), should_remove=action == Action.REMOVE_MEMBERS)
            digest = imports.digest_of(repr(sorted(people)).encode())
            imports.apply(
                integration=self.integration, export=export, changes=[change], digest=digest, now=self.now
            )

    def add(self, people):
        self.send(Action.ADD_MEMBERS, [people])
        self.become(self.members | people)

    def remove(self, people):
        self.send(Action.REMOVE_MEMBERS, [people])
        self.become(self.members - people)

    def replace(self, pages):
        self.send(Action.MEMBERS, pages)
        self.become(frozenset().union(*pages))

    def merge(self, pair):
        merged, kept = pair
        if self.gone & {merged, kept}:
            return
        identity.merge(
            workspace_id=self.workspace.pk,
            pairs=[(external_id(merged), external_id(kept))],
            author=Author(),
            now=self.now,
        )
        was_member = merged in self.members
        self.gone.add(merged)
        self.become(self.members | {kept} if was_member else self.members)

    def compact(self, _nothing=None):
        with transaction.atomic():
            membership.compact(cohort=Cohort.objects.select_for_update().get(pk=self.cohort.pk))

    def wait(self, hours):
        self.now += timedelta(hours=hours)

    def expected(self, direction, since):
        place = 1 if direction is Direction.ENTERED else 2
        moved = set().union(*(move[place] for move in self.moves if move[0] >= since))
        return {self.ids[name] for name in moved - self.gone}


def moved(cohort, direction, since):
    live = universe.live(workspace_id=cohort.workspace_id)
    found = membership_moves.moved(cohort_ids=[cohort.pk], direction=direction, since=since, within=live)
    return set(found[cohort.pk])


@pytest.mark.parametrize("compact_every", [1, 3, 256])
def test_moves_are_those_of_plain_sets(settings, compact_every):
    settings.COMPACT_EVERY_DELTAS = compact_every
    any_sequence_of_steps()


# Without shrinking: at 25 steps a failure is readable.
@given(steps)
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def any_sequence_of_steps(todo):
    partner = Partner()
    for name, argument in todo:
        getattr(partner, name)(argument)
    days = [START.date() - timedelta(days=1), *sorted({day for day, *_moves in partner.moves})]
    for _ in range(2):
        for direction in Direction:
            for since in [*days, partner.now.date() + timedelta(days=1)]:
                found = moved(partner.cohort, direction, since)
                assert found == partner.expected(direction, since), (direction, since)
        partner.compact()  # changes nothing of what is told


@pytest.fixture
def people(workspace):
    return ProfileFactory.create_batch(4)


def change(cohort, *people, day, hour=12, remove=False):
    kind = CohortDelta.Kind.REMOVED if remove else CohortDelta.Kind.ADDED
    change_members(cohort, people, kind=kind, now=datetime(2026, 3, day, hour, tzinfo=UTC))


def test_who_came_and_went_several_times_is_there_once_in_either_direction(people):
    cohort = CohortFactory()
    for day in (1, 3):
        change(cohort, people[0], day=day)
        change(cohort, people[0], day=day + 1, remove=True)
    ann = {people[0].pk}
    assert moved(cohort, Direction.ENTERED, date(2026, 3, 3)) == ann
    assert moved(cohort, Direction.ENTERED, date(2026, 3, 4)) == set()
    assert moved(cohort, Direction.LEFT, date(2026, 3, 4)) == ann
    assert moved(cohort, Direction.LEFT, date(2026, 3, 5)) == set()


def test_days_begin_at_midnight_utc(people):
    cohort = CohortFactory()
    change(cohort, people[0], day=1, hour=23)
    change(cohort, people[1], day=2, hour=0)
    for _ in range(2):
        assert moved(cohort, Direction.ENTERED, date(2026, 3, 2)) == {people[1].pk}
        with transaction.atomic():
            membership.compact(cohort=Cohort.objects.get(pk=cohort.pk))


def test_who_is_sent_again_did_not_enter_again(people):
    cohort = CohortFactory()
    change(cohort, *people[:2], day=1)
    change(cohort, *people[:3], day=5)
    change(cohort, people[3], day=5, remove=True)
    assert moved(cohort, Direction.ENTERED, date(2026, 3, 5)) == {people[2].pk}
    assert moved(cohort, Direction.LEFT, date(2026, 3, 1)) == set()


def test_who_was_erased_neither_entered_nor_left(people):
    cohort = CohortFactory()
    change(cohort, *people, day=1)
    change(cohort, *people[:2], day=2, remove=True)
    erase(people[0], people[3])
    assert moved(cohort, Direction.ENTERED, date(2026, 3, 1)) == {people[1].pk, people[2].pk}
    assert moved(cohort, Direction.LEFT, date(2026, 3, 1)) == {people[1].pk}


def test_many_cohorts_are_read_at_once_and_do_not_mix(people, django_assert_max_num_queries):
    first, second, empty = CohortFactory(), CohortFactory(), CohortFactory()
    change(first, people[0], day=1), change(second, people[1], day=1)
    ids = [first.pk, second.pk, empty.pk]
    with django_assert_max_num_queries(1):
        found = membership_moves.moved(
            cohort_ids=ids,
            direction=Direction.ENTERED,
            since=date(2026, 3, 1),
            within=BitMap(person.pk for person in people),
        )
    assert {key: set(value) for key, value in found.items()} == {
        first.pk: {people[0].pk},
        second.pk: {people[1].pk},
        empty.pk: set(),
    }


def test_no_cohort_is_no_query(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        asked = {"direction": Direction.LEFT, "since": date(2026, 3, 1), "within": BitMap()}
        assert membership_moves.moved(cohort_ids=[], **asked) == {}
