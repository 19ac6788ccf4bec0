"""The data import keys of a partner: addresses to call with them, and keys that are shown once."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import keys
from accounts.models import DataImportKey
from tests.accounts.factories import make_key

PARTNERS = reverse("admin:technology_partners")
MIXPANEL = reverse("admin:technology_partner", args=["mixpanel"])
GENERATE = reverse("admin:technology_partner_generate_key", args=["mixpanel"])
SECRET = re.compile(r"rc_[\w-]{43}")


def invalidate(key: DataImportKey) -> str:
    return reverse("admin:technology_partner_invalidate_key", args=["mixpanel", key.pk])


@pytest.fixture
def key(data_import_key) -> DataImportKey:
    return data_import_key[0]


@pytest.fixture
def new_key(administrator_client):
    """The answer to a click on "Generate key", and the secret it shows."""
    page = administrator_client.post(GENERATE, {"label": "Production"})
    return page, SECRET.search(page.text).group()


@pytest.mark.parametrize("method", ["get", "post"])
def test_marketer_and_anonymous_get_nowhere(method, marketer_client, client, key):
    for url in (PARTNERS, MIXPANEL, GENERATE, invalidate(key)):
        assert getattr(marketer_client, method)(url).status_code in {403, 405}
        assert getattr(client, method)(url).headers["Location"].startswith("/admin/login/")
    assert DataImportKey.objects.valid().count() == 1


def test_stranger_sees_and_invalidates_no_key_of_others(stranger_client, key):
    assert str(key) not in stranger_client.get(MIXPANEL).text
    assert stranger_client.get(invalidate(key)).status_code == 404
    assert stranger_client.post(invalidate(key)).status_code == 404
    assert DataImportKey.objects.valid().filter(pk=key.pk).exists()


def test_stranger_s_key_belongs_to_the_stranger_s_workspace(stranger_client, other_workspace):
    stranger_client.post(GENERATE, {"label": ""})
    assert DataImportKey.objects.get().integration.workspace == other_workspace


def test_generated_key_works_and_is_noted(new_key, administrator, workspace):
    key = keys.verify(secret=new_key[1], partner="mixpanel", now=timezone.now())
    assert (key.label, key.created_by, key.integration.workspace) == ("Production", administrator, workspace)


def test_key_is_in_the_answer_once_and_nowhere_else(new_key, administrator_client, caplog):
    page, secret = new_key
    assert page.status_code == 200
    assert page.text.count(secret) == 1
    assert "no-store" in page.headers["Cache-Control"]
    assert secret not in administrator_client.get(MIXPANEL).text
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())
    assert secret not in caplog.text
    assert secret not in str(page.headers) + str(page.cookies)
    assert secret not in str(list(DataImportKey.objects.values()))


def test_generating_is_no_link(administrator_client):
    assert administrator_client.get(GENERATE).headers["Location"] == MIXPANEL
    assert not DataImportKey.objects.exists()


def test_label_too_long_makes_no_key_and_says_so(administrator_client):
    page = administrator_client.post(GENERATE, {"label": "x" * 101})
    assert page.status_code == 422
    assert "100" in page.text
    assert not DataImportKey.objects.exists()


def test_label_is_shown_as_text(administrator_client):
    page = administrator_client.post(GENERATE, {"label": "<b>bold</b>"})
    assert "&lt;b&gt;bold&lt;/b&gt;" in page.text
    assert "<b>bold</b>" not in page.text


def test_second_key_is_made_while_the_first_works(new_key, administrator_client):
    second = SECRET.search(administrator_client.post(GENERATE, {"label": ""}).text).group()
    for secret in (new_key[1], second):
        assert keys.verify(secret=secret, partner="mixpanel", now=timezone.now())


def test_confirmation_says_what_would_break(administrator_client, key, workspace):
    DataImportKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    for _ in range(2):
        make_key(workspace)
    page = administrator_client.get(invalidate(key))
    assert page.context["other_count"] == 2
    for words in ("401", "pauses the sync", "Last used", "<time", "Other valid keys"):
        assert words in page.text
    assert DataImportKey.objects.valid().count() == 3


def test_confirmation_warns_about_the_last_key(administrator_client, key):
    page = administrator_client.get(invalidate(key))
    assert "None: Mixpanel will be disconnected." in page.text
    assert "never" in page.text


def test_invalidated_key_is_refused_from_then_on(administrator_client, administrator, data_import_key):
    key, secret = data_import_key
    page = administrator_client.post(invalidate(key), follow=True)
    assert f"The key {key} is invalid from now on." in page.text
    key.refresh_from_db()
    assert key.invalidated_by == administrator
    with pytest.raises(keys.InvalidKeyError):
        keys.verify(secret=secret, partner="mixpanel", now=timezone.now())


def test_key_is_invalidated_once(administrator_client, key):
    administrator_client.post(invalidate(key))
    key.refresh_from_db()
    assert administrator_client.post(invalidate(key)).status_code == 404
    assert DataImportKey.objects.get().invalidated_at == key.invalidated_at


def test_state_goes_from_not_connected_over_waiting_to_connected(administrator_client, workspace):
    assert "Not connected" in administrator_client.get(PARTNERS).text
    key, _ = make_key(workspace)
    assert "Waiting for the first call" in administrator_client.get(PARTNERS).text
    DataImportKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    page = administrator_client.get(PARTNERS)
    assert ">Connected<" in page.text
    assert "Last call" in page.text


def test_addresses_are_those_the_page_was_asked_under(administrator_client):
    page = administrator_client.get(MIXPANEL)
    assert page.context["endpoints"].rest == "http://testserver"
    assert "http://testserver/partners/mixpanel/webhook" in page.text
    assert "http://testserver/partners/mixpanel/cohorts" in page.text


def test_addresses_follow_public_url_and_prefix(administrator_client, settings):
    settings.PUBLIC_URL, settings.ENDPOINT_PREFIX = "https://rollcall.example.com", "api/v1"
    found = administrator_client.get(MIXPANEL).context["endpoints"]
    assert found.rest == "https://rollcall.example.com/api/v1"
    assert found.webhook == "https://rollcall.example.com/api/v1/partners/mixpanel/webhook"


def test_addresses_of_the_page_are_answered_by_the_api(administrator_client, client, db):
    found = administrator_client.get(MIXPANEL).context["endpoints"]
    for url in (found.webhook, found.cohorts, f"{found.cohorts}/users"):
        path = url.removeprefix("http://testserver")
        assert client.post(path, {}, content_type="application/json").status_code == 401


def test_page_says_that_importing_creates_nobody_and_counts_data_points(administrator_client):
    page = administrator_client.get(MIXPANEL)
    assert "Importing never creates users" in page.text
    assert "Every integration counts towards data points" in page.text


def test_page_costs_the_same_for_1_and_50_keys(administrator_client, administrator, key, workspace):
    administrator_client.get(MIXPANEL)
    with CaptureQueriesContext(connection) as one:
        administrator_client.get(MIXPANEL)
    for _ in range(49):
        made, _secret = make_key(workspace, created_by=administrator)
        keys.invalidate(key=made, by=administrator, now=timezone.now())
    with CaptureQueriesContext(connection) as fifty:
        page = administrator_client.get(MIXPANEL)
    assert len(page.context["keys"]) == 50
    assert len(fifty) == len(one)


def test_forms_need_their_token(administrator, key):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(administrator)
    for url in (GENERATE, invalidate(key)):
        assert careful.post(url, {"label": ""}).status_code == 403
    assert DataImportKey.objects.valid().count() == 1
