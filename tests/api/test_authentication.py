"""Who may send: keys in the body, keys in the header, and everything that is none."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import DataImportKey, Integration
from cohorts.models import Cohort
from tests.accounts.factories import make_key
from tests.api.clients import Mixpanel, Partner, basic, page_body

pytestmark = pytest.mark.django_db


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


# --- the partner protocol: both secrets in the body ---------------------------------------------------------
@pytest.mark.parametrize(
    "secret", ["rc_unknown", "", " ", None, 7, True, [], {}, "x" * 5_000, "rc_é", "a\x7fb"]
)
@pytest.mark.parametrize("call", ["name", "change"])
def test_unknown_key_is_401(workspace, secret, call):
    partner = Partner("")
    partner.secrets["client_secret"] = secret
    answer = getattr(partner, call)()
    assert answer.status_code == 401
    assert set(answer.json()) == {"message"}
    assert not Cohort.objects.exists()


def test_missing_key_is_401(workspace):
    partner = Partner("")
    partner.secrets = {}
    assert partner.name().status_code == 401


def test_invalidated_key_is_401(partner, data_import_key, administrator):
    assert partner.name().status_code == 201
    keys.invalidate(key=data_import_key[0], by=administrator, now=timezone.now())
    assert partner.name().status_code == 401
    assert "invalidated" in partner.change().json()["message"]


def test_key_of_another_partner_is_401(workspace):
    _key, secret = make_key(workspace, "segment")
    assert Partner(secret, partner="mixpanel").name().status_code == 401
    assert Partner(secret, partner="segment").name().status_code == 201


def test_several_keys_are_valid_at_a_time(workspace, partner):
    _key, secret = make_key(workspace)
    assert partner.name().status_code == 201
    assert Partner(secret).name().status_code == 201


def test_key_is_checked_before_the_body(workspace):
    assert Partner("rc_unknown").change("nonsense", cohort_id=7).status_code == 401


@pytest.mark.parametrize("value", ["anything", "", None, 7])
def test_partner_api_key_is_ignored_while_none_is_set(partner, value):
    assert partner.name(partner_api_key=value).status_code in {201, 400 if value == 7 else 201}


def test_partner_api_key_may_be_missing_while_none_is_set(partner):
    del partner.secrets["partner_api_key"]
    assert partner.name().status_code == 201
    assert partner.change().status_code == 201


@pytest.mark.parametrize("value", ["wrong", "", None, 7, [], "Software"])
def test_wrong_partner_api_key_is_401_once_one_is_set(partner, value):
    Integration.objects.update(partner_api_key_digest=keys.digest_of("software"))
    assert partner.name().status_code == 201
    assert partner.name(partner_api_key=value).status_code == 401
    del partner.secrets["partner_api_key"]
    assert partner.change().status_code == 401


def test_header_key_does_not_open_the_partner_protocol(mixpanel):
    body = {"cohort_id": "c", "name": "n"}
    assert mixpanel.post("/partners/mixpanel/cohorts", body, **mixpanel.headers).status_code == 401


# --- the webhook: Basic and Bearer --------------------------------------------------------------------------
@pytest.mark.parametrize("user", ["", "mixpanel", "a b", "ué".encode("ascii", "ignore").decode()])
def test_any_user_name_will_do(mixpanel, data_import_key, user):
    mixpanel.headers = {"HTTP_AUTHORIZATION": basic(data_import_key[1], user)}
    assert mixpanel.add().status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_will_do_too(mixpanel, data_import_key, scheme):
    mixpanel.headers = {"HTTP_AUTHORIZATION": f"{scheme} {data_import_key[1]}"}
    assert mixpanel.add().status_code == 200


def test_password_is_all_after_the_first_colon(mixpanel, data_import_key):
    key, _secret = data_import_key
    odd = "rc_with:colons::in:it"
    DataImportKey.objects.filter(pk=key.pk).update(
        prefix=odd[: keys.PREFIX_LENGTH], digest=keys.digest_of(odd)
    )
    for header in (basic(odd), f"Bearer {odd}"):
        mixpanel.headers = {"HTTP_AUTHORIZATION": header}
        assert mixpanel.add().status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Bearer",
        "Bearer ",
        "Bearer rc_unknown",
        "Bearer rc_\x00",
        "Bearer rc_\u00e9",
        "Digest abc",
        "Token rc_x",
        "Basic !!!",
        "Basic YQ",
        "Basic YWJj",
        "Basic a\u00e9",
        "Basic \u00ff\u00fe",
        encoded(b""),
        encoded(b":"),
        encoded(b"user:"),
        encoded(b"no colon"),
        encoded("user:pässwörd".encode()),
        encoded("üser:rc_x".encode("latin-1")),
        encoded(b"user:\xff\xfe"),
        encoded(b"user:rc_\x00x"),
        encoded(b"\x00:\x00"),
        encoded(b"user:" + b"x" * 100_000),
        encoded(b"user:rc_\r\nx"),
    ],
)
def test_anything_but_a_key_is_401_and_never_500(mixpanel, header):
    mixpanel.headers = {"HTTP_AUTHORIZATION": header}
    answer = mixpanel.add()
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
    assert answer["WWW-Authenticate"].startswith("Basic ")
    assert not Cohort.objects.exists()


def test_no_header_at_all_is_401(mixpanel):
    mixpanel.headers = {}
    assert mixpanel.add().status_code == 401


def test_key_as_user_name_is_401(mixpanel, data_import_key):
    mixpanel.headers = {"HTTP_AUTHORIZATION": encoded(f"{data_import_key[1]}:".encode())}
    assert mixpanel.add().status_code == 401


def test_another_partners_key_does_not_open_the_webhook(workspace):
    _key, secret = make_key(workspace, "segment")
    answer = Mixpanel(secret).add()
    assert answer.status_code == 401
    assert "another partner" in answer.json()["error"]["message"]


def test_digest_of_a_key_is_no_key(mixpanel, data_import_key):
    mixpanel.headers = {"HTTP_AUTHORIZATION": f"Bearer {data_import_key[0].digest}"}
    assert mixpanel.add().status_code == 401


def test_answer_never_repeats_the_secret(workspace):
    secret = "rc_very-secret-indeed"
    assert secret not in Mixpanel(secret).add().content.decode()
    assert secret not in Partner(secret).name().content.decode()


def test_use_of_a_key_is_noted_once_a_minute(mixpanel, data_import_key):
    key, _secret = data_import_key
    mixpanel.add()
    key.refresh_from_db()
    first = key.last_used_at
    mixpanel.add()
    key.refresh_from_db()
    assert key.last_used_at == first
    DataImportKey.objects.update(last_used_at=first - timedelta(seconds=61))
    mixpanel.add()
    key.refresh_from_db()
    assert key.last_used_at > first


def test_session_cookie_of_staff_opens_nothing(administrator_client):
    body = page_body(["ann"])
    answer = administrator_client.post(Mixpanel.path, body, content_type="application/json")
    assert answer.status_code == 401
