"""The settings of an integration: saved, refused with a reason, asked about, and noted."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import integrations, keys
from accounts.models import AuditEntry, Integration
from tests.accounts.factories import make_key
from tests.api.clients import page_body
from tests.cohorts.factories import CohortFactory

SETTINGS, KEY, SWITCH = (
    reverse(f"admin:technology_partner_{name}", args=["mixpanel"]) for name in ("settings", "key", "switch")
)
NOTHING = {"id_limit": "", "calls_per_minute": "", "expected_minutes": ""}


def integration(workspace):
    return integrations.find(workspace=workspace, partner="mixpanel")


@pytest.mark.parametrize("method", ["get", "post"])
def test_marketer_and_anonymous_change_nothing(method, marketer_client, client, db):
    for url in (SETTINGS, KEY, SWITCH):
        assert getattr(marketer_client, method)(url).status_code in {403, 405}
        assert getattr(client, method)(url).headers["Location"].startswith("/admin/login/")
    assert not Integration.objects.exists()


def test_stranger_changes_the_stranger_s_own(stranger_client, workspace, other_workspace):
    make_key(workspace)
    stranger_client.post(SETTINGS, NOTHING | {"id_limit": "7"})
    stranger_client.post(SWITCH, {"to": "off"})
    assert (integration(workspace).id_limit, integration(workspace).is_enabled) == (None, True)
    assert (integration(other_workspace).id_limit, integration(other_workspace).is_enabled) == (7, False)


def test_settings_are_saved_shown_and_noted_without_values(administrator_client, administrator, workspace):
    sent = {"id_limit": "5000", "calls_per_minute": "60", "expected_minutes": "30", "holds_unmatched": "on"}
    page = administrator_client.post(SETTINGS, sent, follow=True)
    assert "The settings are saved." in page.text
    assert 'value="5000"' in page.text
    found = integration(workspace)
    assert (found.id_limit, found.calls_per_minute, found.expected_minutes, found.holds_unmatched) == (
        5000,
        60,
        30,
        True,
    )
    entry = AuditEntry.objects.get()
    assert entry.detail == {
        "settings": ["id_limit", "calls_per_minute", "expected_minutes", "holds_unmatched"]
    }
    assert (entry.actor, entry.address) == (administrator, "127.0.0.1")
    administrator_client.post(SETTINGS, NOTHING)
    found = integration(workspace)
    assert (found.id_limit, found.expected_minutes, found.holds_unmatched) == (None, None, False)


def test_audit_log_calls_settings_as_their_page_does(administrator_client, workspace):
    administrator_client.post(SETTINGS, NOTHING | {"id_limit": "7"})
    entry = AuditEntry.objects.get()
    page = administrator_client.get(reverse("admin:accounts_auditentry_change", args=[entry.pk]))
    assert "IDs per request" in page.text


def test_saving_what_is_there_notes_nothing(administrator_client, workspace):
    page = administrator_client.post(SETTINGS, NOTHING, follow=True)
    assert "Nothing was changed." in page.text
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "99999999999", "1000001"])
def test_number_out_of_bounds_is_refused_and_kept_in_the_form(administrator_client, workspace, name, value):
    page = administrator_client.post(SETTINGS, NOTHING | {name: value})
    assert page.status_code == 422
    assert page.text.count("rc-error") == 1
    assert f'value="{value}"' in page.text
    assert not Integration.objects.exists()


# --- on and off --------------------------------------------------------------------------------------------
def test_switching_off_asks_first_and_names_the_cohorts(administrator_client, workspace):
    make_key(workspace)
    for number in range(12):
        CohortFactory.create(name=f"Cohort no. {number}")
    CohortFactory.create(name="Of another partner", partner="heap")
    page = administrator_client.get(SWITCH)
    assert "12 cohorts stop following Mixpanel" in page.text
    assert page.text.count("Cohort no. ") == 10
    assert "and 2 more" in page.text
    assert "Of another partner" not in page.text
    assert integration(workspace).is_enabled


def test_partner_is_answered_503_while_off_and_served_when_on_again(administrator_client, client, workspace):
    _, secret = make_key(workspace)

    def called():
        header = {"authorization": f"Bearer {secret}"}
        body = page_body([], page=(1, 1))
        return client.post("/partners/mixpanel/webhook", body, "application/json", headers=header).status_code

    page = administrator_client.post(SWITCH, {"to": "off"}, follow=True)
    assert "Mixpanel is switched off." in page.text
    assert "goes on by itself" in page.text
    assert called() == 503
    administrator_client.post(SWITCH, {"to": "on"})
    assert called() == 200


# --- the partner's own key -----------------------------------------------------------------------------------
def test_partner_key_is_set_never_shown_replaced_and_removed(administrator_client, workspace, caplog):
    first = administrator_client.post(KEY, {"partner_api_key": "s3cret-of-theirs"}, follow=True)
    assert ">Required<" in first.text
    assert keys.partner_key_matches(integration=integration(workspace), partner_api_key="s3cret-of-theirs")
    second = administrator_client.post(KEY, {"partner_api_key": "another-s3cret"}, follow=True)
    assert keys.partner_key_matches(integration=integration(workspace), partner_api_key="another-s3cret")
    third = administrator_client.post(KEY, {"remove": "1", "partner_api_key": "typed-s3cret"}, follow=True)
    assert ">Not required<" in third.text
    assert integration(workspace).partner_api_key_digest == ""
    seen = first.text + second.text + third.text + caplog.text + str(list(AuditEntry.objects.values()))
    assert "s3cret" not in seen


@pytest.mark.parametrize("value", ["", " ", "x" * 201, "a\0b"])
def test_partner_key_that_no_call_can_carry_is_refused(administrator_client, workspace, value):
    page = administrator_client.post(KEY, {"partner_api_key": value})
    assert page.status_code == 422
    assert 'id="partner-key-error"' in page.text
    assert not Integration.objects.exists()


def test_forms_need_their_token(administrator):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(administrator)
    for url in (SETTINGS, KEY, SWITCH):
        assert careful.post(url, {}).status_code == 403
    assert not Integration.objects.exists()


def test_question_costs_the_same_for_1_and_50_cohorts(administrator_client, workspace):
    CohortFactory.create()
    administrator_client.get(SWITCH)
    with CaptureQueriesContext(connection) as one:
        administrator_client.get(SWITCH)
    CohortFactory.create_batch(49, last_sync_at=timezone.now())
    with CaptureQueriesContext(connection) as fifty:
        assert "50 cohorts" in administrator_client.get(SWITCH).text
    assert len(fifty) == len(one)
