"""PROTOCOLS section 2: the Mixpanel custom webhook. How exports become members."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from cohorts import retention
from cohorts.models import Cohort, CohortDelta, CohortSync
from tests.api.clients import page_body

pytestmark = pytest.mark.django_db
Status = CohortSync.Status


def statuses() -> list[str]:
    return list(CohortSync.objects.order_by("id").values_list("status", flat=True))


# --- members: replace --------------------------------------------------------------------------------------
def test_members_replace_the_cohort(mixpanel, people, members):
    mixpanel.replace(["ann", "ben"])
    mixpanel.replace(["ben", "cleo"])
    assert members() == {"ben", "cleo"}


def test_cohort_is_the_union_of_all_pages(mixpanel, people, members):
    mixpanel.replace(["ann", "ben"], ["ben", "cleo"], ["dan"])
    assert members() == {"ann", "ben", "cleo", "dan"}


@pytest.mark.parametrize("seed", range(5))
def test_pages_come_in_any_order_with_repeats(mixpanel, people, members, seed):
    mixpanel.replace(["eve"])
    order = [1, 2, 3, 4] * 2
    random.Random(seed).shuffle(order)
    mixpanel.replace(["ann"], ["ben"], [], ["cleo"], order=order)
    assert members() == {"ann", "ben", "cleo"}
    assert statuses() == [Status.COMPLETE, Status.COMPLETE]


def test_nothing_changes_until_the_last_missing_page(mixpanel, people, members):
    mixpanel.replace(["eve"])
    for number in (3, 1, 1, 3):
        mixpanel.page(["ann"], page=(number, 3), session="s")
        assert members() == {"eve"}
    mixpanel.page(["ben"], page=(2, 3), session="s")
    assert members() == {"ann", "ben"}


def test_no_page_information_is_a_single_page(mixpanel, people, members):
    mixpanel.page(["ann"], page=None)
    assert members() == {"ann"}


def test_full_sync_without_members_empties_the_cohort(mixpanel, people, members):
    mixpanel.replace(["ann"])
    mixpanel.replace([])
    assert members() == set()


def test_page_that_comes_with_other_content_replaces_the_first(mixpanel, people, members):
    mixpanel.page(["ann"], page=(1, 2), session="s")
    mixpanel.page(["ben"], page=(1, 2), session="s")
    mixpanel.page(["cleo"], page=(2, 2), session="s")
    assert members() == {"ben", "cleo"}
    sync = CohortSync.objects.get()
    assert (sync.received_count, sync.matched_count, sync.pages_count) == (2, 2, 2)


def test_newer_session_supersedes_an_unfinished_one(mixpanel, people, members):
    mixpanel.page(["ann"], page=(1, 2), session="old")
    mixpanel.page(["ben"], page=(1, 2), session="new")
    assert mixpanel.page(["cleo"], page=(2, 2), session="old").status_code == 200
    assert members() == set()
    mixpanel.page(["dan"], page=(2, 2), session="new")
    assert members() == {"ben", "dan"}
    assert statuses() == [Status.SUPERSEDED, Status.COMPLETE]


def test_late_page_of_a_superseded_session_changes_nothing(mixpanel, people, members):
    mixpanel.page(["ann"], page=(1, 2), session="old")
    mixpanel.replace(["ben"])
    for number in (1, 2):
        mixpanel.page(["ann"], page=(number, 2), session="old")
    assert members() == {"ben"}


def test_session_of_one_cohort_does_not_supersede_anothers(mixpanel, people, members):
    mixpanel.page(["ann"], page=(1, 2), session="s", cohort_id="a")
    mixpanel.page(["ben"], page=(1, 2), session="s", cohort_id="b")
    mixpanel.page(["cleo"], page=(2, 2), session="s", cohort_id="a")
    assert members("a") == {"ann", "cleo"}
    assert members("b") == set()


def test_unfinished_session_never_changes_the_cohort_and_shows_as_incomplete(mixpanel, people, members):
    mixpanel.replace(["eve"])
    mixpanel.page(["ann"], page=(1, 2), session="s")
    tomorrow = timezone.now() + timedelta(days=4)
    assert retention.expire_unfinished(before=tomorrow - timedelta(hours=1), now=tomorrow) == 1
    assert members() == {"eve"}
    assert statuses() == [Status.COMPLETE, Status.EXPIRED]


def test_expired_session_that_comes_again_needs_all_its_pages(mixpanel, people, members):
    mixpanel.page(["ann"], page=(1, 2), session="s")
    tomorrow = timezone.now() + timedelta(days=4)
    retention.expire_unfinished(before=tomorrow, now=tomorrow)
    mixpanel.page(["ben"], page=(2, 2), session="s")
    assert members() == set()
    mixpanel.page(["ann"], page=(1, 2), session="s")
    assert members() == {"ann", "ben"}
    assert statuses() == [Status.EXPIRED, Status.COMPLETE]


def test_replayed_session_after_its_end_changes_nothing(mixpanel, people, members):
    mixpanel.replace(["ann"], ["ben"], session="s")
    mixpanel.add("eve")
    mixpanel.replace(["ann"], ["ben"], session="s")
    assert members() == {"ann", "ben", "eve"}
    assert CohortSync.objects.filter(session_id="s").count() == 1


def test_other_content_under_a_finished_session_is_a_new_attempt(mixpanel, people, members):
    mixpanel.replace(["ann"], ["ben"], session="s")
    mixpanel.page(["cleo"], page=(1, 2), session="s")
    assert members() == {"ann", "ben"}
    mixpanel.page(["dan"], page=(2, 2), session="s")
    assert members() == {"cleo", "dan"}
    assert statuses() == [Status.COMPLETE, Status.COMPLETE]


def test_export_again_under_a_finished_session_that_repeats_a_page_is_never_a_mix(mixpanel, people, members):
    """Each export has a session of its own; of one that has not, only what is new counts as the next attempt."""
    mixpanel.replace(["ann"], ["ben"], session="s")
    mixpanel.replace(["ann"], ["cleo"], session="s")
    assert members() == {"ann", "ben"}
    assert statuses() == [Status.COMPLETE, Status.RUNNING]
    mixpanel.replace(["ann"], ["cleo"])
    assert members() == {"ann", "cleo"}


# --- add and remove ----------------------------------------------------------------------------------------
def test_add_members_creates_a_new_cohort(mixpanel, people, members):
    assert mixpanel.add("ann", mixpanel_cohort_name="Lapsed").status_code == 200
    assert members() == {"ann"}
    assert Cohort.objects.get().name == "Lapsed"


def test_remove_members_creates_a_new_cohort_too(mixpanel, people, members):
    assert mixpanel.remove("ann").status_code == 200
    assert members() == set()


def test_add_and_remove_apply_page_by_page(mixpanel, people, members):
    mixpanel.page(["ann"], action="add_members", page=(2, 3), session="s")
    assert members() == {"ann"}
    mixpanel.page(["ben"], action="add_members", page=(1, 3), session="s")
    mixpanel.page(["ann"], action="remove_members", page=(1, 2), session="s")
    assert members() == {"ben"}


def test_removing_somebody_who_is_no_member_is_no_fault(mixpanel, people, members):
    mixpanel.add("ann")
    assert mixpanel.remove("ben", "nobody").status_code == 200
    assert members() == {"ann"}


@pytest.mark.parametrize("action", ["add_members", "remove_members"])
def test_empty_members_is_a_heartbeat(mixpanel, people, members, action):
    mixpanel.add("ann")
    Cohort.objects.update(last_sync_at=timezone.now() - timedelta(days=1))
    before = timezone.now()
    assert mixpanel.page([], action=action).status_code == 200
    assert Cohort.objects.get().last_sync_at >= before
    assert members() == {"ann"}


def test_replayed_page_changes_nothing(mixpanel, people, members):
    for _ in range(2):
        mixpanel.add("ann", "ben", session="s", page=(1, 2))
    mixpanel.remove("ann")
    mixpanel.add("ann", "ben", session="s", page=(1, 2))
    assert members() == {"ben"}
    sync = CohortSync.objects.get(session_id="s")
    assert (sync.received_count, sync.pages_count, sync.status) == (2, 1, Status.RUNNING)
    assert CohortDelta.objects.count() == 2


def test_failed_diff_that_starts_again_from_the_top_counts_once(mixpanel, people, members):
    for last in (1, 2, 3):
        for number, person in enumerate(["ann", "ben", "cleo"][:last], 1):
            mixpanel.add(person, session="s", page=(number, 3))
    assert members() == {"ann", "ben", "cleo"}
    sync = CohortSync.objects.get()
    assert (sync.status, sync.received_count, sync.entered_count) == (Status.COMPLETE, 3, 3)


def test_full_sync_after_three_days_replaces_the_diffs(mixpanel, people, members):
    mixpanel.add("ann", "ben")
    mixpanel.remove("ben")
    mixpanel.replace(["cleo"])
    mixpanel.add("dan")
    assert members() == {"cleo", "dan"}


# --- names -------------------------------------------------------------------------------------------------
def test_name_and_description_follow_the_latest_call(mixpanel, people):
    mixpanel.add("ann", mixpanel_cohort_name="Old", mixpanel_cohort_description="old")
    mixpanel.add("ann", mixpanel_cohort_name="New", mixpanel_cohort_description="new")
    assert Cohort.objects.values_list("name", "description").get() == ("New", "new")


def test_replayed_page_still_renames(mixpanel, people):
    mixpanel.add("ann", session="s", mixpanel_cohort_name="Old")
    mixpanel.add("ann", session="s", mixpanel_cohort_name="New")
    assert Cohort.objects.get().name == "New"


@pytest.mark.parametrize("name", ["", None])
def test_call_without_name_keeps_the_name(mixpanel, people, name):
    mixpanel.add("ann", mixpanel_cohort_name="Lapsed", mixpanel_cohort_description="text")
    body = page_body(["ann"], action="add_members")
    body["parameters"]["mixpanel_cohort_name"] = name
    body["parameters"]["mixpanel_cohort_description"] = None
    assert mixpanel.send(body).status_code == 200
    assert Cohort.objects.values_list("name", "description").get() == ("Lapsed", "text")


def test_cohort_without_any_name_is_named_after_its_id(mixpanel, people):
    mixpanel.add("ann", cohort_id="77", mixpanel_cohort_name="")
    assert Cohort.objects.get().name == "77"


# --- refusals ----------------------------------------------------------------------------------------------
def test_refused_page_is_kept_with_its_sync_until_a_page_is_taken(mixpanel, people, members):
    mixpanel.page(["ann"], page=(1, 2), session="s")
    assert mixpanel.page(["ben", 7], page=(2, 2), session="s").status_code == 400
    assert CohortSync.objects.get().last_error == "A member must be an object."
    mixpanel.page(["ben"], page=(2, 2), session="s")
    assert CohortSync.objects.get().last_error == ""
    assert members() == {"ann", "ben"}


@pytest.mark.parametrize("session", [None, "another", 5, ["s"], {"s": 1}])
def test_refusal_of_another_session_leaves_a_sync_alone(mixpanel, people, session):
    mixpanel.page(["ann"], page=(1, 2), session="s")
    assert mixpanel.page([7], page=(2, 2), session=session).status_code == 400
    assert CohortSync.objects.get().last_error == ""
