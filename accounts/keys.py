"""Data import keys: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import DataImportKey, Integration, User, Workspace

PREFIX_LENGTH = 11  # "rc_" and 8 characters: enough to recognise a key by, useless to guess it from
LAST_USED_RESOLUTION = timedelta(minutes=1)


class InvalidKeyError(Exception):
    """The secret is no valid key of that partner. `reason` says why, for the partner's operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret in hexadecimal: what is stored in its place."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create(
    *, workspace: Workspace, partner: str, label: str, created_by: User | None, now: datetime
) -> tuple[DataImportKey, str]:
    """Create a key of 256 random bits; return it and its secret, which cannot be had again."""
    integration, _ = Integration.objects.get_or_create(workspace=workspace, partner=partner)
    secret = f"rc_{secrets.token_urlsafe(32)}"
    key = DataImportKey.objects.create(
        integration=integration,
        prefix=secret[:PREFIX_LENGTH],
        digest=digest_of(secret),
        label=label,
        created_by=created_by,
        created_at=now,
    )
    return key, secret


def invalidate(*, key: DataImportKey, by: User | None, now: datetime) -> bool:
    """Make the key useless from now on; return False if it already was."""
    return bool(DataImportKey.objects.valid().filter(pk=key.pk).update(invalidated_at=now, invalidated_by=by))


def verify(*, secret: str, partner: str, now: datetime) -> DataImportKey:
    """Return the valid key that `secret` is, with its integration loaded.

    Raises InvalidKeyError for an unknown or invalidated key and for a key of another partner. Digests are
    compared in constant time; the prefix, which is no secret, only narrows down which.
    """
    digest = digest_of(secret)
    candidates = DataImportKey.objects.filter(prefix=secret[:PREFIX_LENGTH]).select_related("integration")
    key = next((key for key in candidates if hmac.compare_digest(key.digest, digest)), None)
    if key is None:
        raise InvalidKeyError("Unknown data import key.")
    if key.invalidated_at is not None:
        raise InvalidKeyError("This data import key was invalidated. Create another one in Rollcall.")
    if key.integration.partner != partner:
        raise InvalidKeyError(f"This data import key belongs to another partner than “{partner}”.")
    _note_use(key, now)
    return key


def _note_use(key: DataImportKey, now: datetime) -> None:
    # At most one write a minute: a page of members must not wait for the row of its key.
    before = now - LAST_USED_RESOLUTION
    if key.last_used_at is None or key.last_used_at < before:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
        DataImportKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def partner_key_matches(*, integration: Integration, partner_api_key: str | None) -> bool:
    """Whether the partner's own key is right; any is while the operator requires none."""
    if not integration.partner_api_key_digest:
        return True
    return hmac.compare_digest(integration.partner_api_key_digest, digest_of(partner_api_key or ""))
