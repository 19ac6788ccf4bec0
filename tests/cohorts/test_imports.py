"""Imports as the domain sees them: one transaction, syncs and their tallies, repeats, isolation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import DataPointUsage, Integration
from cohorts import imports, membership, retention
from cohorts.imports import Change
from cohorts.models import Cohort, CohortDelta, CohortSync
from cohorts.syncs import Export
from profiles import identifiers
from profiles.matching import Reason
from tests.cohorts.factories import members_of
from tests.cohorts.history import effective_changes
from tests.profiles.factories import make_people

pytestmark = pytest.mark.django_db
Action = CohortSync.Action
Status = CohortSync.Status


@pytest.fixture
def integration(workspace) -> Integration:
    return Integration.objects.create(workspace=workspace, partner="mixpanel")


@pytest.fixture
def ids(workspace) -> dict[str, int]:
    return make_people(workspace, ["ann", "ben", "cleo"])


@pytest.fixture
def send(integration):
    """A function that applies one page of external ids, and returns the result."""

    def send(*who: str, action: Action = Action.ADD_MEMBERS, now=None, content: bytes = b"", **page):
        page = {"session_id": "s", "page": 1, "total_pages": 1} | page
        return imports.apply(
            integration=integration,
            export=Export(partner_cohort_id="c", action=action, **page),
            changes=[Change(identifiers.of_external_ids(list(who)), action == Action.REMOVE_MEMBERS)],
            digest=imports.digest_of(content or repr(who).encode()),
            now=now or timezone.now(),
        )

    return send


def change(integration, *who: str, now=None) -> CohortSync:
    """Apply one call of the partner protocol; return the sync it went to."""
    imports.apply(
        integration=integration,
        export=Export(partner_cohort_id="c", action=Action.CHANGES),
        changes=[Change(identifiers.of_external_ids(list(who)))],
        digest=b"",
        now=now or timezone.now(),
    )
    return CohortSync.objects.latest("id")


def members() -> set[int]:
    return members_of(Cohort.objects.get())


def test_result_says_how_the_identifiers_fared(send, ids):
    result = send("ann", "ann", "zoe", "zoe", "null")
    assert (result.received, result.matched, result.unmatched) == (5, 1, 2)
    assert result.reasons == {Reason.UNKNOWN: 1, Reason.INVALID: 1}


def test_repeated_page_gives_the_same_result_and_changes_nothing(send, ids):
    first, second = send("ann", "zoe"), send("ann", "zoe")
    assert first == second
    assert CohortDelta.objects.count() == CohortSync.objects.count() == 1
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 1


def test_page_of_the_same_number_with_other_content_counts(send, ids):
    send("ann")
    send("ben")
    assert members() == {ids["ann"], ids["ben"]}
    send("ann")
    assert CohortDelta.objects.count() == 2


@pytest.mark.parametrize("step", ["swap", "compact"])
def test_failure_in_the_last_step_leaves_nothing_of_the_page(send, ids, monkeypatch, step):
    def broken(**kwargs):
        raise ZeroDivisionError

    action = Action.MEMBERS if step == "swap" else Action.ADD_MEMBERS
    send("ann", action=action, page=1, total_pages=2)
    monkeypatch.setattr(membership, step, broken)
    with pytest.raises(ZeroDivisionError):
        send("ben", action=action, page=2, total_pages=2)
    assert CohortDelta.objects.count() == 1
    assert CohortSync.objects.get().pages_count == 1
    monkeypatch.undo()
    send("ben", action=action, page=2, total_pages=2)
    assert members() == {ids["ann"], ids["ben"]}


def test_failed_first_page_leaves_no_cohort(send, ids, monkeypatch):
    def broken(**kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(membership, "append", broken)
    with pytest.raises(ZeroDivisionError):
        send("ann")
    assert not Cohort.objects.exists()


def test_sync_keeps_its_whole_story(send, ids):
    started = timezone.now() - timedelta(minutes=2)
    send("ann", "zoe", action=Action.MEMBERS, page=2, total_pages=2, now=started)
    sync = CohortSync.objects.get()
    assert (sync.status, sync.pages_count, sync.total_pages, sync.finished_at) == (Status.RUNNING, 1, 2, None)
    ended = started + timedelta(minutes=1)
    send("ben", "null", action=Action.MEMBERS, page=1, total_pages=2, now=ended)
    sync.refresh_from_db()
    assert (sync.status, sync.pages_count, sync.session_id, sync.action) == (
        Status.COMPLETE,
        2,
        "s",
        "members",
    )
    assert (sync.started_at, sync.last_page_at, sync.finished_at) == (started, ended, ended)
    assert (sync.received_count, sync.matched_count, sync.unknown_count, sync.invalid_count) == (4, 2, 1, 1)
    assert (sync.entered_count, sync.left_count, sync.unmatched_count) == (2, 0, 2)


def test_full_sync_is_one_step_of_history(send, ids):
    send("ann", "ben")
    send("ben", action=Action.MEMBERS, page=1, total_pages=2)
    send("cleo", action=Action.MEMBERS, page=2, total_pages=2)
    assert effective_changes(Cohort.objects.get()) == [
        ({ids["ann"], ids["ben"]}, set()),
        ({ids["cleo"]}, {ids["ann"]}),
    ]
    assert sum(DataPointUsage.objects.values_list("count", flat=True)) == 4


def test_pages_of_a_finished_full_sync_are_forgotten_but_known(send, ids):
    send("ann", action=Action.MEMBERS)
    page = CohortDelta.objects.get(kind="page")
    assert bytes(page.members) == b""
    assert bytes(page.digest)


def test_members_added_while_a_full_sync_runs_are_replaced_by_it(send, ids):
    send("ann", action=Action.MEMBERS, session_id="full", page=1, total_pages=2)
    send("cleo", session_id="diff")
    assert members() == {ids["cleo"]}
    send("ben", action=Action.MEMBERS, session_id="full", page=2, total_pages=2)
    assert members() == {ids["ann"], ids["ben"]}


def test_same_session_id_under_two_actions_is_two_syncs(send, ids):
    send("ann", action=Action.MEMBERS)
    send("ben", action=Action.ADD_MEMBERS)
    send("ann", action=Action.REMOVE_MEMBERS)
    assert members() == {ids["ben"]}
    assert CohortSync.objects.count() == 3


def test_repeat_in_an_expired_diff_changes_nothing(send, ids):
    send("ann", page=1, total_pages=2)
    later = timezone.now() + timedelta(days=9)
    retention.expire_unfinished(before=later, now=later)
    send("ann", action=Action.REMOVE_MEMBERS, session_id="t")
    send("ann", page=1, total_pages=2)
    assert members() == set()


def test_fewer_pages_than_announced_at_first_are_enough(send, ids):
    send("ann", action=Action.MEMBERS, page=1, total_pages=3)
    send("ben", action=Action.MEMBERS, page=2, total_pages=2)
    assert members() == {ids["ann"], ids["ben"]}


def test_page_beyond_the_last_announced_total_does_not_count(send, ids):
    send("ann", action=Action.MEMBERS, page=3, total_pages=3)
    send("ben", action=Action.MEMBERS, page=1, total_pages=2)
    send("cleo", action=Action.MEMBERS, page=2, total_pages=2)
    assert members() == {ids["ben"], ids["cleo"]}


def test_single_page_exports_without_session_are_syncs_of_their_own(send, ids):
    send("ann", action=Action.MEMBERS, session_id="")
    send("ben", action=Action.MEMBERS, session_id="")
    send("ann", action=Action.MEMBERS, session_id="")
    assert members() == {ids["ann"]}
    assert CohortSync.objects.count() == 3


def test_partner_calls_that_follow_each_other_are_one_sync(integration, ids, settings):
    now = timezone.now()
    idle = timedelta(seconds=settings.PARTNER_SYNC_IDLE_SECONDS)
    first = change(integration, "ann", now=now)
    assert change(integration, "ben", now=now + idle) == first
    later = change(integration, "cleo", now=now + 2 * idle + timedelta(seconds=1))
    assert later != first
    assert CohortSync.objects.get(pk=first.pk).pages_count == 2
    assert members() == set(ids.values())


def test_same_partner_call_twice_is_no_repeat_but_changes_nothing_either(integration, ids):
    change(integration, "ann")
    change(integration, "ann")
    membership.compact(cohort=Cohort.objects.get())
    assert effective_changes(Cohort.objects.get()) == [({ids["ann"]}, set())]


def test_identifiers_of_another_workspace_match_nothing(send, ids, other_workspace):
    elsewhere = make_people(other_workspace, ["ann", "dora"])
    result = send("ann", "dora")
    assert (result.matched, result.unmatched) == (1, 1)
    assert members() == {ids["ann"]}
    assert not members() & set(elsewhere.values())


def test_last_sync_is_written_when_it_is_news(send, ids):
    start = timezone.now()
    send("ann", now=start)
    send("ben", now=start + timedelta(seconds=3))
    assert Cohort.objects.get().last_sync_at == start
    send("cleo", now=start + timedelta(seconds=20), session_id="t")
    assert Cohort.objects.get().last_sync_at == start + timedelta(seconds=20)


@pytest.mark.parametrize("total", [1, 2, 7])
def test_any_order_of_pages_completes_once(send, ids, total):
    for number in range(total, 0, -1):
        assert not CohortSync.objects.filter(status=Status.COMPLETE).exists()
        send("ann", action=Action.MEMBERS, page=number, total_pages=total)
    assert CohortSync.objects.get().status == Status.COMPLETE
