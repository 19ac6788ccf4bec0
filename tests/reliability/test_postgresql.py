"""Many clients at once, readers in between, and servers that die: on PostgreSQL, with real processes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection
from django.db.models import Sum

from accounts.models import DataImportKey, DataPointUsage, Workspace
from cohorts import membership
from cohorts.models import Cohort, CohortDelta, CohortSync
from tests.api.clients import page_body
from tests.cohorts.factories import members_of
from tests.cohorts.history import effective_changes, replayed
from tests.profiles.factories import make_people
from tests.reliability.clients import Sender, together
from tests.reliability.server import Server

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    """A server of three workers on the test's own database."""
    at = connection.settings_dict
    password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    with Server(
        f"postgres://{at['USER']}{password}@{at['HOST']}:{at['PORT'] or 5432}/{at['NAME']}"
    ) as server:
        yield server


@pytest.fixture
def sender(server: Server, data_import_key: tuple[DataImportKey, str]) -> Sender:
    return Sender(server.port, data_import_key[1])


@pytest.fixture
def people(workspace: Workspace) -> dict[str, int]:
    return make_people(workspace, [f"p{number}" for number in range(2_000)])


def ids_of(people: dict[str, int], pages: list[list[str]]) -> set[int]:
    return {people[name] for page in pages for name in page}


def assert_history_is_exact(cohort: Cohort, members: set[int], changes: int) -> None:
    """Every effective change is in the history exactly once, and was counted as one data point."""
    membership.compact(cohort=Cohort.objects.get(pk=cohort.pk))
    assert replayed(cohort) == members == members_of(cohort)
    assert sum(len(entered) + len(left) for entered, left in effective_changes(cohort)) == changes
    syncs = CohortSync.objects.filter(cohort=cohort).aggregate(all=Sum("entered_count") + Sum("left_count"))
    assert syncs["all"] == changes


# --- 1 -----------------------------------------------------------------------------------------------------
def test_readers_of_a_replace_by_eight_clients_see_the_old_set_or_the_new(sender, people):
    names = list(people)
    old, pages = names[:500], [random.sample(names, 40) for _ in range(60)]
    sender.until_taken(page_body(old, page=(1, 1)))
    cohort = Cohort.objects.get()
    allowed = [{people[name] for name in old}, ids_of(people, pages)]
    seen, ended = [], threading.Event()

    def send(numbers: list[int]) -> None:
        for number in numbers:
            body = page_body(pages[number], page=(number + 1, len(pages)), session="full")
            sender.until_taken(body)

    def read() -> None:
        try:
            while not ended.is_set():
                seen.append(members_of(cohort))
        finally:
            connection.close()

    def send_all() -> None:
        each = list(range(len(pages)))
        shares = [each[client::8] + random.sample(each, 10) for client in range(8)]
        for share in shares:
            random.shuffle(share)
        try:
            together(partial(send, share) for share in shares)
        finally:
            ended.set()

    together([read, read, send_all])
    assert all(members in allowed for members in seen)
    assert seen[0] == allowed[0]
    assert members_of(cohort) == allowed[1]
    assert_history_is_exact(cohort, allowed[1], 500 + len(allowed[0] ^ allowed[1]))


# --- 2 -----------------------------------------------------------------------------------------------------
def test_adds_and_removes_of_four_clients_on_four_cohorts_equal_the_model(sender, people):
    model: dict[str, set[int]] = {f"c{number}": set() for number in range(4)}
    changes = dict.fromkeys(model, 0)
    guard = threading.Lock()

    def work(client: int) -> None:
        # A client changes people of its own, in all cohorts: so the order among clients does not matter.
        own = list(people)[client::4]
        dice = random.Random(client)
        for step in range(60):
            who, where = dice.sample(own, 20), dice.choice(list(model))
            action = dice.choice(["add_members", "add_members", "remove_members"])
            body = page_body(who, action=action, cohort_id=where, session=f"{client}-{step}", page=(1, 1))
            sender.until_taken(body)
            ids = {people[name] for name in who}
            with guard:
                changes[where] += len(ids - model[where] if action == "add_members" else ids & model[where])
                model[where] = model[where] | ids if action == "add_members" else model[where] - ids

    together(partial(work, client) for client in range(4))
    for cohort in Cohort.objects.all():
        name = cohort.partner_cohort_id
        assert_history_is_exact(cohort, model[name], changes[name])
    assert DataPointUsage.objects.aggregate(all=Sum("count"))["all"] == sum(changes.values())


# --- 3 -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("action", ["members", "add_members"])
def test_sync_of_200_pages_is_exact_although_the_server_is_killed_again_and_again(
    server, sender, people, action
):
    names = list(people)
    old, pages = names[:300], [random.sample(names, 15) for _ in range(200)]
    sender.until_taken(page_body(old, page=(1, 1)))
    dice = random.Random(random.getrandbits(32))
    kills = iter([*sorted(dice.sample(range(10, 200), 3)), None])
    next_kill, killers = next(kills), []
    number = 0
    while number < len(pages):
        if number == next_kill:
            join(killers)  # no server is killed while another thread still starts it
            # In another thread and after a random moment, so that it strikes within a page's transaction or around it.
            killers.append(threading.Timer(dice.uniform(0, 0.03), server.kill_and_start))
            killers[-1].start()
            next_kill = next(kills)
        body = page_body(pages[number], action=action, page=(number + 1, len(pages)), session="s")
        was_retried = sender.until_taken(body) > 1
        number = max(number - 15, 0) if was_retried and dice.random() < 0.5 else number + 1
    join(killers)
    assert len(killers) == 3
    expected = ids_of(people, pages)
    before = {people[name] for name in old}
    changes = len(before ^ expected) if action == "members" else len(expected - before)
    cohort = Cohort.objects.get()
    assert_history_is_exact(cohort, expected if action == "members" else before | expected, 300 + changes)
    sync = CohortSync.objects.get(session_id="s")
    assert (sync.status, sync.pages_count, sync.received_count) == ("complete", 200, 200 * 15)


def join(killers: list[threading.Timer]) -> None:
    for killer in killers:
        killer.join(30)
        assert not killer.is_alive()


# --- 4 -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("action", ["members", "add_members"])
def test_page_that_comes_five_times_at_once_changes_the_set_once(sender, people, action):
    names = list(people)
    for number in range(6):
        who = names[number * 10 : number * 10 + 10]
        body = page_body(who, action=action, cohort_id=f"c{number}", session="s", page=(1, 1))
        barrier = threading.Barrier(5)

        def send(body: dict = body, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(20)
            sender.until_taken(body)

        together([send] * 5)
        cohort = Cohort.objects.get(partner_cohort_id=f"c{number}")
        assert_history_is_exact(cohort, {people[name] for name in who}, 10)
        assert CohortSync.objects.get(cohort=cohort).received_count == 10
        assert CohortDelta.objects.filter(cohort=cohort).exclude(kind="page").count() == 1
