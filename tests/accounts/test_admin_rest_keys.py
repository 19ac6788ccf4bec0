"""REST API keys: made by administrators alone, shown once, and allowed no more than was ticked."""

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
from accounts.admin_forms import SCOPE_GROUPS
from accounts.models import RestApiKey, Scope
from tests.accounts.factories import make_rest_key

KEYS = reverse("admin:rest_api_keys")
GENERATE = reverse("admin:rest_api_keys_generate")
SECRET = re.compile(r"rk_[\w-]{43}")
ASKED = {"label": "Shop", "scopes": ["users.track", "users.merge"]}


def invalidate(key: RestApiKey) -> str:
    return reverse("admin:rest_api_key_invalidate", args=[key.pk])


@pytest.fixture
def key(workspace) -> RestApiKey:
    return make_rest_key(workspace)[0]


@pytest.mark.parametrize("method", ["get", "post"])
def test_marketer_and_anonymous_get_nowhere(method, marketer_client, client, key):
    for url in (KEYS, GENERATE, invalidate(key)):
        assert getattr(marketer_client, method)(url, ASKED).status_code in {403, 405}
        assert getattr(client, method)(url, ASKED).headers["Location"].startswith("/admin/login/")
    assert list(RestApiKey.objects.valid()) == [key]


def test_stranger_sees_and_invalidates_no_key_of_others(stranger_client, key):
    assert str(key) not in stranger_client.get(KEYS).text
    assert stranger_client.get(invalidate(key)).status_code == 404
    assert stranger_client.post(invalidate(key)).status_code == 404
    assert RestApiKey.objects.valid().filter(pk=key.pk).exists()


def test_stranger_s_key_opens_the_stranger_s_workspace(stranger_client, other_workspace):
    secret = SECRET.search(stranger_client.post(GENERATE, ASKED).text).group()
    assert keys.verify_rest(secret=secret, now=timezone.now()).workspace == other_workspace


def test_generated_key_allows_what_was_ticked(administrator_client, administrator, workspace):
    secret = SECRET.search(administrator_client.post(GENERATE, ASKED).text).group()
    key = keys.verify_rest(secret=secret, now=timezone.now())
    assert (key.label, key.scopes) == ("Shop", ["users.track", "users.merge"])
    assert (key.workspace, key.created_by) == (workspace, administrator)


def test_key_is_in_the_answer_once_and_nowhere_else(administrator_client, caplog):
    page = administrator_client.post(GENERATE, ASKED)
    secret = SECRET.search(page.text).group()
    assert page.text.count(secret) == 1
    assert "no-store" in page.headers["Cache-Control"]
    assert secret not in administrator_client.get(KEYS).text
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())
    assert secret not in caplog.text
    assert secret not in str(list(RestApiKey.objects.values()))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"scopes": []}, "Choose at least one thing that the key allows."),
        ({"scopes": ["users.track", "users.fly"]}, "users.fly"),
        ({"label": "x" * 101}, "100"),
    ],
)
def test_what_cannot_be_is_refused_and_loses_nothing(administrator_client, wrong, reason):
    page = administrator_client.post(GENERATE, ASKED | wrong)
    assert page.status_code == 422
    assert reason in page.text
    for value in [*(ASKED | wrong)["scopes"][:1]]:
        assert f'value="{value}" checked' in page.text
    assert f'value="{(ASKED | wrong)["label"]}"' in page.text
    assert not RestApiKey.objects.exists()


def test_generating_is_no_link(administrator_client):
    assert administrator_client.get(GENERATE, ASKED).headers["Location"] == KEYS
    assert not RestApiKey.objects.exists()


def test_every_scope_can_be_ticked_once_and_none_is_beforehand(administrator_client):
    offered = [scope for scopes in SCOPE_GROUPS.values() for scope in scopes]
    assert sorted(offered) == sorted(Scope)
    page = administrator_client.get(KEYS)
    for scope in Scope:
        assert page.text.count(f'name="scopes" value="{scope}"') == 1
    assert " checked" not in page.text


def test_list_says_what_each_key_allows(administrator_client, workspace):
    make_rest_key(workspace, "users.merge", label="Some")
    assert ">users.merge</code>" in row(administrator_client, "Some")
    make_rest_key(workspace, label="All")
    assert "Everything" in row(administrator_client, "All")


def row(client: Client, label: str) -> str:
    """Return the table's row of the key with this label."""
    rows = re.findall(r"<tr>.*?</tr>", client.get(KEYS).text, flags=re.DOTALL)
    return next(row for row in rows if f">{label}</td>" in row)


def test_confirmation_says_when_it_was_used_and_what_is_left(administrator_client, key, workspace):
    page = administrator_client.get(invalidate(key))
    for words in ("never", "None: no program can call the REST API then.", "401"):
        assert words in page.text
    RestApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    make_rest_key(workspace)
    page = administrator_client.get(invalidate(key))
    assert page.context["other_count"] == 1
    assert "<time" in page.text
    assert RestApiKey.objects.valid().count() == 2


def test_invalidated_key_is_refused_from_then_on(administrator_client, administrator, workspace):
    key, secret = make_rest_key(workspace)
    page = administrator_client.post(invalidate(key), follow=True)
    assert f"The key {key} is invalid from now on." in page.text
    key.refresh_from_db()
    assert key.invalidated_by == administrator
    with pytest.raises(keys.InvalidKeyError):
        keys.verify_rest(secret=secret, now=timezone.now())
    assert administrator_client.post(invalidate(key)).status_code == 404


def test_address_and_example_follow_public_url_and_prefix(administrator_client, settings):
    assert administrator_client.get(KEYS).context["endpoint"] == "http://testserver"
    settings.PUBLIC_URL, settings.ENDPOINT_PREFIX = "https://rollcall.example.com", "api/v1"
    page = administrator_client.get(KEYS)
    assert page.context["endpoint"] == "https://rollcall.example.com/api/v1"
    assert page.context["example"].startswith("curl https://rollcall.example.com/api/v1/users/track ")
    assert len(page.context["example"].splitlines()) == 2


def test_page_costs_the_same_for_1_and_50_keys(administrator_client, administrator, key, workspace):
    administrator_client.get(KEYS)
    with CaptureQueriesContext(connection) as one:
        administrator_client.get(KEYS)
    for _ in range(49):
        made, _secret = make_rest_key(workspace, created_by=administrator)
        keys.invalidate(key=made, by=administrator, now=timezone.now())
    with CaptureQueriesContext(connection) as fifty:
        page = administrator_client.get(KEYS)
    assert len(page.context["keys"]) == 50
    assert len(fifty) == len(one)


def test_forms_need_their_token(administrator, key):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(administrator)
    for url in (GENERATE, invalidate(key)):
        assert careful.post(url, ASKED).status_code == 403
    assert list(RestApiKey.objects.valid()) == [key]
