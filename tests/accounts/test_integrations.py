"""What an administrator sets is kept, and noted without its values."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts import integrations, keys
from accounts.models import AuditEntry, Integration
from tests.accounts.factories import make_key

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def change(workspace, by=None, **values):
    return integrations.change(
        workspace=workspace, partner="mixpanel", values=values, by=by, address="203.0.113.7", now=NOW
    )


def test_what_is_changed_is_kept_and_noted_by_name(workspace, administrator):
    assert change(workspace, administrator, id_limit=5_000, holds_unmatched=False) == ["id_limit"]
    found = integrations.find(workspace=workspace, partner="mixpanel")
    assert (found.id_limit, found.holds_unmatched) == (5_000, False)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.detail) == (
        "integration_changed",
        "mixpanel",
        {"settings": ["id_limit"]},
    )
    assert (entry.actor, entry.address, entry.workspace) == (administrator, "203.0.113.7", workspace)


def test_what_stays_as_it_was_is_not_noted(workspace):
    assert change(workspace, id_limit=None) == []
    assert not AuditEntry.objects.exists()


def test_change_is_of_one_workspace_and_partner(workspace, other_workspace):
    make_key(other_workspace)
    make_key(workspace, "heap")
    change(workspace, expected_minutes=30)
    changed = Integration.objects.exclude(expected_minutes=None)
    assert [(it.workspace, it.partner) for it in changed] == [(workspace, "mixpanel")]


def test_partner_key_is_required_replaced_and_required_no_more(workspace):
    def is_right(secret):
        found = integrations.find(workspace=workspace, partner="mixpanel")
        return keys.partner_key_matches(integration=found, partner_api_key=secret)

    def require(secret):
        return integrations.require_partner_key(
            workspace=workspace, partner="mixpanel", secret=secret, by=None, now=NOW
        )

    assert require("first secret")
    assert (is_right("first secret"), is_right("second secret"), is_right(None)) == (True, False, False)
    assert require("second secret")
    assert (is_right("first secret"), is_right("second secret")) == (False, True)
    assert not require("second secret")
    assert require("")
    assert is_right(None)
    kept = str(list(Integration.objects.values())) + str(list(AuditEntry.objects.values()))
    assert "secret" not in kept
    assert [it.detail for it in AuditEntry.objects.all()] == [{"settings": ["partner_api_key_digest"]}] * 3


def test_switching_is_noted_once(workspace, administrator):
    def switch(*, is_on):
        return integrations.switch(
            workspace=workspace, partner="mixpanel", is_on=is_on, by=administrator, now=NOW
        )

    assert [switch(is_on=True), switch(is_on=False), switch(is_on=False), switch(is_on=True)] == [
        False,
        True,
        False,
        True,
    ]
    assert integrations.find(workspace=workspace, partner="mixpanel").is_enabled
    assert [it.action for it in AuditEntry.objects.order_by("id")] == [
        "integration_switched_off",
        "integration_switched_on",
    ]


def test_key_s_integration_is_read_with_all_that_is_set(workspace, django_assert_num_queries):
    _, secret = make_key(workspace)
    rules = [{"property": "crm", "identifier": "external_id"}]
    change(workspace, member_mapping=rules)
    keys.verify(secret=secret, partner="mixpanel", now=NOW)
    with django_assert_num_queries(1):
        found = keys.verify(secret=secret, partner="mixpanel", now=NOW).integration
        assert found.member_mapping == rules
