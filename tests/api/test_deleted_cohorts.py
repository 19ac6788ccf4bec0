"""A cohort that was deleted here: every call about it is 404, in either protocol, until it is restored."""

from __future__ import annotations

import pytest
from django.utils import timezone

from cohorts import ignoring
from cohorts.models import Cohort, CohortDelta, CohortSync
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.cohorts.factories import CohortFactory

pytestmark = pytest.mark.django_db
Status = CohortSync.Status
TOLD = "The cohort “c” was deleted in Rollcall"


def delete(cohort_id="c"):
    cohort = Cohort.objects.get(partner_cohort_id=cohort_id)
    ignoring.ignore(cohort=cohort, by=None, now=timezone.now())
    return cohort


def restore(cohort):
    ignoring.restore(cohort=cohort, by=None, now=timezone.now())


def rows():
    return (
        Cohort.objects.values_list().order_by("pk"),
        CohortDelta.objects.count(),
        CohortSync.objects.count(),
    )


@pytest.mark.parametrize("call", ["name", "change"])
def test_partner_protocol_is_told_404_in_its_own_shape_and_nothing_is_written(partner, people, call):
    partner.name()
    delete()
    before = [list(it) if not isinstance(it, int) else it for it in rows()]
    answer = partner.name(name="New name") if call == "name" else partner.change({"user_ids": ["ann"]})
    assert answer.status_code == 404
    assert list(answer.json()) == ["message"]
    assert answer.json()["message"].startswith(TOLD)
    assert [list(it) if not isinstance(it, int) else it for it in rows()] == before


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_webhook_is_told_404_in_its_own_shape_and_members_stay(mixpanel, people, members, action):
    mixpanel.replace(["ann"])
    delete()
    answer = mixpanel.page(["ann", "ben"], action=action)
    assert answer.status_code == 404
    body = answer.json()
    assert (body["action"], body["status"], body["error"]["code"]) == (action, "failure", 404)
    assert body["error"]["message"].startswith(TOLD)
    assert members() == {"ann"}


def test_other_cohorts_and_other_workspaces_go_on(partner, mixpanel, people, other_workspace):
    mixpanel.replace(["ann"])
    CohortFactory.create(workspace=other_workspace, partner_cohort_id="d")
    delete()
    assert mixpanel.page(["ann"], cohort_id="d").status_code == 200
    assert partner.change({"user_ids": ["ann"]}, cohort_id="e").status_code == 201


def test_connection_test_is_no_sync_and_stays_a_success(partner, people):
    partner.name()
    delete()
    assert partner.change().status_code == 201


def test_restored_cohort_has_its_members_and_takes_more(mixpanel, partner, people, members):
    mixpanel.replace(["ann", "ben"])
    restore(delete())
    assert members() == {"ann", "ben"}
    mixpanel.add("cleo")
    assert partner.change({"user_ids": ["ann"], "should_remove": True}).status_code == 201
    assert members() == {"ben", "cleo"}


def test_full_sync_that_was_on_its_way_is_given_up_and_begins_anew_after_a_restore(mixpanel, people, members):
    mixpanel.replace(["eve"])
    mixpanel.page(["ann"], page=(1, 2), session="s")
    cohort = delete()
    given_up = cohort.syncs.latest("pk")
    assert (given_up.status, "was deleted" in given_up.last_error) == (Status.EXPIRED, True)
    assert mixpanel.page(["ben"], page=(2, 2), session="s").status_code == 404
    restore(cohort)
    mixpanel.page(["ben"], page=(2, 2), session="s")
    assert members() == {"eve"}
    mixpanel.page(["ann"], page=(1, 2), session="s")
    assert members() == {"ann", "ben"}


def test_additions_that_were_on_their_way_go_on_after_a_restore(mixpanel, people, members):
    mixpanel.page(["ann"], action="add_members", page=(1, 2), session="s")
    cohort = delete()
    restore(cohort)
    mixpanel.page(["ann"], action="add_members", page=(1, 2), session="s")
    mixpanel.page(["ben"], action="add_members", page=(2, 2), session="s")
    assert members() == {"ann", "ben"}
    assert cohort.syncs.get().status == Status.COMPLETE


@pytest.mark.parametrize("path", ["", "/size", "/members", "/members/contains?external_id=ann"])
def test_read_api_knows_no_deleted_cohort(workspace, mixpanel, people, path):
    mixpanel.replace(["ann"])
    rest, cohort = Rest(make_rest_key(workspace)[1]), Cohort.objects.get()
    address = f"/cohorts/{cohort.pk}{path}"
    assert rest.read(address).status_code == 200
    delete()
    assert rest.read(address).status_code == 404
    assert rest.read("/cohorts").json()["cohorts"] == []
    restore(cohort)
    assert rest.read(address).status_code == 200
    assert len(rest.read("/cohorts").json()["cohorts"]) == 1
