"""How a workspace stands with its partners, in a constant number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import integrations, keys, partners
from accounts.models import DataImportKey, Integration, KeyCalls, RejectedCall
from accounts.partners import MIXPANEL, PARTNERS
from tests.accounts.factories import make_key, make_rejection

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def used(key, at=NOW):
    DataImportKey.objects.filter(pk=key.pk).update(last_used_at=at)


def refused(workspace, at=NOW, partner="mixpanel", status=401, **more):
    return RejectedCall.objects.create(
        workspace=workspace,
        partner=partner,
        endpoint="webhook",
        minute_at=at,
        last_at=at,
        status=status,
        cause=RejectedCall.Cause.WRONG_PARTNER_KEY,
        reason="Wrong partner API key.",
        fingerprint=str(RejectedCall.objects.count()),
        **more,
    )


def state(workspace, partner=MIXPANEL):
    return partners.connection(workspace=workspace, partner=partner).state


def test_state_goes_from_not_connected_over_waiting_to_connected(workspace):
    assert state(workspace) == "not_connected"
    key, _ = make_key(workspace)
    assert state(workspace) == "waiting"
    used(key)
    assert state(workspace) == "connected"
    keys.invalidate(key=key, by=None, now=NOW)
    assert state(workspace) == "not_connected"


def test_refused_calls_are_failing_until_one_is_accepted(workspace):
    key, _ = make_key(workspace)
    refused(workspace)
    assert state(workspace) == "failing"
    used(key, NOW + timedelta(seconds=1))
    assert state(workspace) == "connected"
    refused(workspace, NOW + timedelta(seconds=1))
    assert state(workspace) == "failing"


def test_call_accepted_just_after_a_refused_one_ends_the_failure_at_once(workspace, other_workspace):
    key, secret = make_key(workspace)

    def accepted(seconds):
        keys.verify(secret=secret, partner="mixpanel", now=NOW + timedelta(seconds=seconds))
        key.refresh_from_db()
        return key.last_used_at == NOW + timedelta(seconds=seconds)

    assert accepted(0)
    make_rejection(workspace, now=NOW + timedelta(seconds=1))
    assert state(workspace) == "failing"
    assert accepted(2)
    assert state(workspace) == "connected"
    make_rejection(workspace, status=429, now=NOW + timedelta(seconds=3))
    make_rejection(workspace, partner="heap", now=NOW + timedelta(seconds=3))
    make_rejection(other_workspace, now=NOW + timedelta(seconds=3))
    assert not accepted(4)  # nobody is shown as failing, so the key's row is left in peace


def test_calls_that_were_only_too_many_do_not_fail(workspace):
    key, _ = make_key(workspace)
    used(key)
    refused(workspace, NOW + timedelta(hours=1), status=429)
    assert state(workspace) == "connected"


def test_refused_calls_of_others_concern_nobody_else(workspace, other_workspace):
    key, _ = make_key(workspace)
    used(key, NOW - timedelta(hours=1))
    refused(other_workspace)
    refused(None)
    refused(workspace, partner="heap")
    assert state(workspace) == "connected"


def test_off_is_off_whatever_else_is_true(workspace):
    make_key(workspace)
    refused(workspace)
    integrations.switch(workspace=workspace, partner="mixpanel", is_on=False, by=None, now=NOW)
    assert state(workspace) == "off"


def test_known_partners_come_in_their_order_and_others_after_them(workspace, other_workspace):
    make_key(workspace, "zeta")
    make_key(workspace, "my-warehouse")
    make_key(other_workspace, "elsewhere")
    found = [it.partner for it in partners.connections(workspace=workspace)]
    assert [it.slug for it in found] == [*PARTNERS, "my-warehouse", "zeta"]
    assert found[0] == MIXPANEL
    assert [it.name for it in found[-3:]] == ["Treasure Data", "My warehouse", "Zeta"]


def test_one_partner_s_state_is_not_another_s(workspace):
    key, _ = make_key(workspace, "heap")
    used(key)
    states = {it.partner.slug: it.state for it in partners.connections(workspace=workspace)}
    assert states["heap"] == "connected"
    assert states["mixpanel"] == "not_connected"


def test_partners_cost_two_queries_however_many_there_are(workspace, django_assert_num_queries):
    for number in range(20):
        make_key(workspace, f"partner-{number}")
        refused(workspace, partner=f"partner-{number}")
    with django_assert_num_queries(2):
        assert len(partners.connections(workspace=workspace)) == 26


def test_mixpanel_alone_has_a_webhook_of_its_own():
    assert [slug for slug, partner in PARTNERS.items() if partner.has_webhook] == ["mixpanel"]


@pytest.mark.parametrize(
    ("slug", "is_one"),
    [
        ("mixpanel", True),
        ("a_b-1", True),
        ("1", True),
        ("", False),
        ("A", False),
        ("-a", False),
        ("a" * 51, False),
    ],
)
def test_slug_is_what_an_address_can_hold(slug, is_one):
    assert partners.is_slug(slug) == is_one


# --- calls -------------------------------------------------------------------------------------------------
def counted(key, day, calls, refused_calls=0, shard=0):
    KeyCalls.objects.create(key=key, day=day, shard=shard, call_count=calls, refused_count=refused_calls)


def test_first_call_is_the_first_that_was_accepted(workspace, other_workspace):
    day = NOW.date()
    key, other = make_key(workspace)[0], make_key(other_workspace)[0]
    assert partners.first_call_on(workspace=workspace, partner=MIXPANEL) is None
    counted(other, day - timedelta(days=9), 5)
    counted(key, day - timedelta(days=5), 2, refused_calls=2)
    counted(key, day - timedelta(days=3), 2, refused_calls=1)
    counted(key, day, 2)
    assert partners.first_call_on(workspace=workspace, partner=MIXPANEL) == day - timedelta(days=3)


def test_apps_above_tell_what_they_know(workspace, monkeypatch):
    asked = []
    known = [lambda *who: asked.append(who) or {"cohort_count": 2}, lambda *_: {"segment_count": 1}]
    monkeypatch.setattr(partners, "FACTS", known)
    found = partners.facts(workspace=workspace, partner=MIXPANEL)
    assert found == {"cohort_count": 2, "segment_count": 1}
    assert asked == [(workspace, "mixpanel")]


def test_looking_makes_no_integration(workspace):
    partners.connections(workspace=workspace)
    assert integrations.find(workspace=workspace, partner="mixpanel").pk is None
    assert not Integration.objects.exists()
