"""Writers change attributes, identifiers and events while readers evaluate: at rest, every result is that of plain SQL."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from profiles import changes, editing, erasure, filter_bitmaps, tracking
from profiles.editing import Edit
from profiles.identity import Author
from profiles.identity_names import external_id
from profiles.models import FilterBitmap, Profile
from tests.profiles.factories import ProfileFactory, make_people
from tests.profiles.open_transactions import open_transaction
from tests.profiles.questions import ALL, BUYERS, EVERYBODY, FRENCH, LYONNAIS, REGULARS, all_kept, kept, truth
from tests.profiles.trackers import AT, event, tracker_of

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PEOPLE = [f"u{number}" for number in range(40)]
WRITES, READERS = 25, 2


@pytest.fixture(params=[1, 30, 10**6], ids=["stores all", "stores some", "stores nothing"])
def thresholds(request, monkeypatch):
    """Repairs that are stored, some that are, none that is; and no margin that would hide a fault."""
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", request.param)
    monkeypatch.setattr(changes, "REPORTING_DELAY", timedelta(milliseconds=50))


class Crowd:
    """Threads that write and threads that read, each with a connection of its own, until all is written."""

    def __init__(self, workspace, editor):
        self.workspace, self.editor = workspace, editor
        self.written = threading.Event()
        self.readings = 0

    def work(self, *jobs):
        with ThreadPoolExecutor(len(jobs) + READERS) as pool:
            writers = [pool.submit(self.alone, job, seed) for seed, job in enumerate(jobs)]
            readers = [pool.submit(self.alone, self.read, seed) for seed in range(READERS)]
            try:
                for writer in writers:
                    writer.result()
            finally:
                self.written.set()
            self.readings = sum(reader.result() for reader in readers)

    @staticmethod
    def alone(job, seed):
        try:
            return job(random.Random(seed))
        finally:
            connection.close()

    # --- readers -----------------------------------------------------------------------------------------------
    def read(self, chance):
        count = 0
        while not self.written.is_set() or count < 3:
            asked = chance.sample(ALL, chance.randint(1, len(ALL)))
            all_kept(self.workspace, *asked)
            if chance.random() < 0.3:
                filter_bitmaps.forget()  # as a process that begins does
            count += 1
        return count

    # --- writers -----------------------------------------------------------------------------------------------
    def track(self, chance):
        for number in range(WRITES):
            names = chance.sample([*PEOPLE, f"new{number}", f"new{chance.randint(0, 9)}"], 4)
            attributes = [
                {"external_id": name, "country": chance.choice(["FR", "DE", None])} for name in names[:2]
            ]
            done = [{"external_id": name, "name": "bought", "time": AT} for name in names[2:]]
            tracking.track(
                workspace_id=self.workspace.pk,
                body={"attributes": attributes, "events": done},
                now=timezone.now(),
            )

    def edit(self, chance):
        for _ in range(WRITES):
            person = Profile.objects.live().filter(external_id__in=PEOPLE).order_by("?").first()
            city = chance.choice(["Lyon", "Bonn"])
            try:
                editing.edit(
                    workspace_id=self.workspace.pk,
                    profile_id=person.pk,
                    standard={"home_city": Edit(person.home_city, city)},
                    by=self.editor,
                    now=timezone.now(),
                )
            except (editing.EditConflictError, Profile.DoesNotExist):
                continue

    def identify(self, chance):
        """Devices come with anonymous users, and go with whom they belong to."""
        for number in range(WRITES):
            name = chance.choice(PEOPLE)
            body = {"attributes": [{"external_id": name, "device_id": f"d{number % 7}", "language": "fr"}]}
            tracking.track(workspace_id=self.workspace.pk, body=body, now=timezone.now())
            if number % 8 == 7:
                erasure.erase(
                    workspace_id=self.workspace.pk,
                    names=[external_id(name)],
                    author=Author(),
                    now=timezone.now(),
                )

    def slowly(self, chance):
        """Change something early in a transaction that stays open while others read and write."""
        track = tracker_of(self.workspace)
        for number in range(4):
            with transaction.atomic():
                track(
                    {"external_id": f"slow{number}", "country": "FR"},
                    events=[event("bought", external_id=f"slow{number}")],
                )
                threading.Event().wait(0.15)


def test_at_rest_every_filter_equals_plain_sql(workspace, administrator, thresholds):
    make_people(workspace, PEOPLE)
    crowd = Crowd(workspace, administrator)
    crowd.work(crowd.track, crowd.edit, crowd.identify, crowd.slowly)
    assert crowd.readings > READERS
    expected = {query: truth(workspace, query) for query in ALL}
    assert all(expected[query] for query in (FRENCH, LYONNAIS, BUYERS, EVERYBODY))
    for _ in range(2):
        assert all_kept(workspace, *ALL) == expected
        filter_bitmaps.forget()
    FilterBitmap.objects.all().delete()
    filter_bitmaps.forget()
    assert all_kept(workspace, *ALL) == expected


@pytest.mark.parametrize("remembers", [True, False])
def test_a_writer_who_commits_after_several_readers_is_seen(workspace, monkeypatch, remembers):
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 1)
    monkeypatch.setattr(changes, "REPORTING_DELAY", timedelta(0))
    ann, ben = (
        ProfileFactory.create(external_id="ann", country="DE"),
        ProfileFactory.create(external_id="ben"),
    )
    track = tracker_of(workspace)
    all_kept(workspace, *ALL)

    def write():
        bought = [event("bought", external_id="ann") for _ in range(3)]
        track(
            {"external_id": "ann", "country": "FR"},
            {"external_id": "ben", "home_city": "Lyon"},
            events=bought,
        )

    with open_transaction(write):
        for number in range(3):
            ProfileFactory.create(country="FR")  # not tracked: requests of one process wait for each other
            found = all_kept(workspace, *ALL)
            assert len(found[FRENCH]) == number + 1
            assert (found[LYONNAIS], found[REGULARS]) == (set(), set())
            if not remembers:
                filter_bitmaps.forget()
    assert ann.pk in kept(workspace, FRENCH)
    assert all_kept(workspace, LYONNAIS, REGULARS) == {LYONNAIS: {ben.pk}, REGULARS: {ann.pk}}
    assert all_kept(workspace, *ALL) == {query: truth(workspace, query) for query in ALL}


def test_a_writer_who_rolls_back_leaves_no_trace(workspace, monkeypatch):
    monkeypatch.setattr(filter_bitmaps, "STORE_AFTER_CHANGES", 1)
    track = tracker_of(workspace)
    track({"external_id": "ann", "country": "FR"})
    before = all_kept(workspace, *ALL)

    def write():
        track({"external_id": "ann", "country": "DE"}, {"external_id": "ben", "country": "FR"})
        transaction.set_rollback(True)

    with open_transaction(write):
        assert all_kept(workspace, *ALL) == before
    assert all_kept(workspace, *ALL) == before == {query: truth(workspace, query) for query in ALL}
