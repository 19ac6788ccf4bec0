"""Data import keys: made once, shown once, kept as a digest, useless once invalidated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import DataImportKey, Integration
from tests.accounts.factories import make_key

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def verified(secret, partner="mixpanel", now=NOW):
    return keys.verify(secret=secret, partner=partner, now=now)


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
