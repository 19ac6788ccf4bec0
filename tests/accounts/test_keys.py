"""Keys of both kinds: made once, shown once, kept as a digest, useless once invalidated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts import audit, keys
from accounts.models import AuditEntry, DataImportKey, Integration, RestApiKey, Scope
from tests.accounts.factories import make_key, make_rest_key

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def verified(secret, partner="mixpanel", now=NOW, **more):
    return keys.verify(secret=secret, partner=partner, now=now, **more)


def test_key_is_256_random_bits_behind_a_prefix(workspace):
    secrets = [make_key(workspace)[1] for _ in range(20)]
    assert len(set(secrets)) == 20
    assert all(secret.startswith("rc_") and len(secret) == 3 + 43 and secret.isascii() for secret in secrets)


def test_secret_is_stored_nowhere(workspace):
    key, secret = make_key(workspace, label="Production")
    row = DataImportKey.objects.filter(pk=key.pk).values().get()
    assert secret not in str(row)
    assert (row["prefix"], row["digest"]) == (secret[:11], keys.digest_of(secret))
    assert str(key) == f"{secret[:11]}…"


def test_key_opens_its_partner_in_its_workspace(workspace, other_workspace):
    key, secret = make_key(workspace)
    make_key(other_workspace)
    found = verified(secret)
    assert found == key
    assert found.integration.workspace == workspace


def test_second_key_does_not_make_a_second_integration(workspace):
    first, second = make_key(workspace)[0], make_key(workspace)[0]
    assert first.integration == second.integration
    assert Integration.objects.count() == 1


@pytest.mark.parametrize(
    "spoil",
    [
        str.upper,
        lambda it: it[:-1],
        lambda it: it + "x",
        lambda it: it[:11],
        lambda it: "",
        lambda it: " " + it,
    ],
)
def test_anything_but_the_very_key_is_unknown(workspace, spoil):
    _key, secret = make_key(workspace)
    with pytest.raises(keys.InvalidKeyError, match="Unknown"):
        verified(spoil(secret))


def test_keys_with_the_same_beginning_are_told_apart(workspace):
    (one, first), (two, second) = make_key(workspace), make_key(workspace)
    same = first[:11] + second[11:]
    DataImportKey.objects.filter(pk=two.pk).update(prefix=first[:11], digest=keys.digest_of(same))
    assert verified(first) == one
    assert verified(same) == two


def test_invalidated_key_says_so_whatever_the_partner(workspace, administrator):
    key, secret = make_key(workspace)
    assert keys.invalidate(key=key, by=administrator, now=NOW) is True
    key.refresh_from_db()
    assert (key.invalidated_at, key.invalidated_by) == (NOW, administrator)
    with pytest.raises(keys.InvalidKeyError, match="invalidated"):
        verified(secret)


def test_invalidating_twice_keeps_the_first(workspace, administrator, marketer):
    key, _secret = make_key(workspace)
    keys.invalidate(key=key, by=administrator, now=NOW)
    assert keys.invalidate(key=key, by=marketer, now=NOW + timedelta(days=1)) is False
    key.refresh_from_db()
    assert (key.invalidated_at, key.invalidated_by) == (NOW, administrator)


def test_other_keys_stay_valid(workspace):
    key, _secret = make_key(workspace)
    _other, secret = make_key(workspace)
    keys.invalidate(key=key, by=None, now=NOW)
    assert verified(secret)
    assert list(DataImportKey.objects.valid()) == [_other]


def test_key_of_another_partner_is_refused_by_name(workspace):
    _key, secret = make_key(workspace, "segment")
    with pytest.raises(keys.InvalidKeyError, match="mixpanel"):
        verified(secret)


def test_last_use_is_written_once_a_minute(workspace):
    key, secret = make_key(workspace)
    for seconds, expected in [(0, 0), (59, 0), (60, 0), (61, 61), (100, 61)]:
        verified(secret, now=NOW + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == NOW + timedelta(seconds=expected)


def test_address_is_noted_with_the_last_use_of_both_kinds_of_keys(workspace):
    for (key, secret), verify in (
        (make_key(workspace), verified),
        (make_rest_key(workspace), lambda secret, **more: keys.verify_rest(secret=secret, **more)),
    ):
        for seconds, address, kept in [(0, "192.0.2.1", "192.0.2.1"), (59, "192.0.2.2", "192.0.2.1")]:
            verify(secret, address=address, now=NOW + timedelta(seconds=seconds))
            key.refresh_from_db()
            assert key.last_used_address == kept
        verify(secret, address="192.0.2.2", now=NOW + timedelta(seconds=61))
        key.refresh_from_db()
        assert key.last_used_address == "192.0.2.2"


def test_refused_key_that_was_ours_is_told_and_no_other(workspace):
    key, secret = make_key(workspace)
    for refused, partner, known in [(secret, "segment", key), (secret[:-1], "mixpanel", None)]:
        with pytest.raises(keys.InvalidKeyError) as caught:
            verified(refused, partner)
        assert caught.value.key == known
    keys.invalidate(key=key, by=None, now=NOW)
    with pytest.raises(keys.InvalidKeyError) as caught:
        verified(secret)
    assert caught.value.key.workspace_id == workspace.pk


def test_refused_use_is_not_noted(workspace):
    key, secret = make_key(workspace)
    keys.invalidate(key=key, by=None, now=NOW)
    with pytest.raises(keys.InvalidKeyError):
        verified(secret)
    key.refresh_from_db()
    assert key.last_used_at is None


def test_verification_is_one_query_when_the_use_is_fresh(workspace, django_assert_num_queries):
    _key, secret = make_key(workspace)
    verified(secret)
    with django_assert_num_queries(1):
        assert verified(secret).integration.partner == "mixpanel"


def test_partners_own_key_is_asked_for_only_if_one_is_set(workspace):
    integration = make_key(workspace)[0].integration
    assert keys.partner_key_matches(integration=integration, partner_api_key=None)
    integration.partner_api_key_digest = keys.digest_of("software")
    assert keys.partner_key_matches(integration=integration, partner_api_key="software")
    for wrong in (None, "", "Software", integration.partner_api_key_digest):
        assert not keys.partner_key_matches(integration=integration, partner_api_key=wrong)


# --- REST API keys ------------------------------------------------------------------------------------------
def opened(secret, now=NOW):
    return keys.verify_rest(secret=secret, now=now)


def test_rest_key_is_256_random_bits_and_stored_nowhere(workspace):
    made = [make_rest_key(workspace) for _ in range(20)]
    assert len({secret for _key, secret in made}) == 20
    for key, secret in made:
        assert secret.startswith("rk_")
        assert len(secret) == 3 + 43
        assert secret not in str(RestApiKey.objects.filter(pk=key.pk).values().get())
        assert (key.prefix, str(key)) == (secret[:11], f"{secret[:11]}…")


def test_rest_key_opens_its_own_workspace_in_one_query(workspace, other_workspace, django_assert_num_queries):
    key, secret = make_rest_key(workspace)
    make_rest_key(other_workspace)
    opened(secret)
    with django_assert_num_queries(1):
        found = opened(secret)
        assert (found, found.workspace) == (key, workspace)


def test_scopes_are_kept_once_and_in_their_order(workspace):
    _key, secret = make_rest_key(workspace, "users.merge", "users.track", "users.merge")
    assert opened(secret).scopes == ["users.track", "users.merge"]
    everything, _secret = make_rest_key(workspace)
    assert everything.scopes == list(Scope)


@pytest.mark.parametrize(
    ("scopes", "reason"),
    [([], "at least one"), (["users.fly"], "no scope “users.fly”"), (["users.track", ""], "no scope “”")],
)
def test_rest_key_that_opens_nothing_or_what_is_not_there_is_not_made(workspace, scopes, reason):
    with pytest.raises(keys.InvalidScopesError, match=reason):
        keys.create_rest(workspace=workspace, label="", scopes=scopes, created_by=None, now=NOW)
    assert not RestApiKey.objects.exists()
    assert not AuditEntry.objects.exists()


def test_database_refuses_a_rest_key_without_scopes(workspace):
    key, _secret = make_rest_key(workspace)
    with pytest.raises(IntegrityError), transaction.atomic():
        RestApiKey.objects.filter(pk=key.pk).update(scopes=[])


def test_keys_of_one_kind_do_not_open_the_other(workspace):
    _key, rest = make_rest_key(workspace)
    _key, partners = make_key(workspace)
    with pytest.raises(keys.InvalidKeyError, match=r"Unknown REST API key\."):
        opened(partners)
    with pytest.raises(keys.InvalidKeyError, match=r"Unknown data import key\."):
        verified(rest)


@pytest.mark.parametrize("spoil", [str.upper, lambda it: it[:-1], lambda it: it[:11], lambda it: ""])
def test_anything_but_the_very_rest_key_is_unknown(workspace, spoil):
    _key, secret = make_rest_key(workspace)
    with pytest.raises(keys.InvalidKeyError, match="Unknown"):
        opened(spoil(secret))


def test_invalidated_rest_key_opens_nothing_and_keeps_who_did_it(workspace, administrator, marketer):
    key, secret = make_rest_key(workspace)
    _other, stays = make_rest_key(workspace)
    assert keys.invalidate(key=key, by=administrator, now=NOW) is True
    assert keys.invalidate(key=key, by=marketer, now=NOW + timedelta(days=1)) is False
    key.refresh_from_db()
    assert (key.invalidated_at, key.invalidated_by) == (NOW, administrator)
    with pytest.raises(keys.InvalidKeyError, match="invalidated"):
        opened(secret)
    assert opened(stays)


def test_last_use_of_a_rest_key_is_written_once_a_minute(workspace):
    key, secret = make_rest_key(workspace)
    for seconds, expected in [(0, 0), (60, 0), (61, 61), (100, 61)]:
        opened(secret, now=NOW + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == NOW + timedelta(seconds=expected)


# --- what the audit log says of them ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "kind", "detail"),
    [
        (make_key, "import_key", {"partner": "mixpanel"}),
        (make_rest_key, "rest_key", {"scopes": list(Scope)}),
    ],
)
def test_making_and_invalidating_are_in_the_audit_log_once(workspace, administrator, make, kind, detail):
    key, secret = make(workspace, label="Ada's phone", created_by=administrator)
    keys.invalidate(key=key, by=None, now=NOW)
    keys.invalidate(key=key, by=administrator, now=NOW)
    created, invalidated = AuditEntry.objects.order_by("id")
    assert (created.action, created.actor, created.detail) == (f"{kind}_created", administrator, detail)
    assert (invalidated.action, invalidated.actor, invalidated.happened_at) == (
        f"{kind}_invalidated",
        None,
        NOW,
    )
    for entry in (created, invalidated):
        assert (entry.subject, entry.workspace) == (str(key), workspace)
        assert not {secret, "Ada's phone"} & set(map(str, vars(entry).values()))


@pytest.mark.parametrize("make", [make_key, make_rest_key])
def test_no_key_is_made_or_invalidated_without_its_entry(workspace, monkeypatch, make):
    def full(**_entry):
        raise DatabaseError("disk full")

    key, _secret = make(workspace)
    monkeypatch.setattr(audit, "record", full)
    with pytest.raises(DatabaseError, match="disk full"):
        make(workspace)
    with pytest.raises(DatabaseError, match="disk full"):
        keys.invalidate(key=key, by=None, now=NOW)
    assert list(type(key).objects.valid()) == [key]
    assert type(key).objects.count() == 1
