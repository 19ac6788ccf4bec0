"""Keys of both kinds, data import and REST API: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import JSONField, Q

from accounts import audit
from accounts.models import (
    AnyKey,
    DataImportKey,
    Integration,
    Key,
    KeyQuerySet,
    RejectedCall,
    RestApiKey,
    Scope,
    User,
    Workspace,
)

PREFIX_LENGTH = 11  # "rc_" or "rk_" and 8 characters: enough to recognise a key by, useless to guess it from
LAST_USED_RESOLUTION = timedelta(minutes=1)

Owner = TypeVar("Owner", Integration, Workspace)
Cause = RejectedCall.Cause


class InvalidKeyError(Exception):
    """The secret is no valid key of its kind, or of that partner. `reason` says why, for its sender's operator.

    `key` is the one that the secret is, with its owner loaded, if it was ever ours.
    """

    def __init__(self, reason: str, cause: RejectedCall.Cause, key: Key | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause
        self.key = key


class InvalidScopesError(Exception):
    """A REST API key cannot be made with these scopes: `unknown` ones, or, if there are none, no scope at all."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(
            f"There is no scope “{unknown[0]}”." if unknown else "A key needs at least one scope."
        )
        self.unknown = unknown


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret in hexadecimal: what is stored in its place."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def create(
    *,
    workspace: Workspace,
    partner: str,
    label: str,
    created_by: User | None,
    address: str | None = None,
    now: datetime,
) -> tuple[DataImportKey, str]:
    """Create a data import key of 256 random bits; return it and its secret, which cannot be had again.

    `address` is where that was asked for from; None for a command.
    """
    integration, _ = Integration.objects.get_or_create(workspace=workspace, partner=partner)
    secret, kept = _made("rc_", label, created_by, now)
    key = DataImportKey.objects.create(integration=integration, **kept)
    _record(audit.Action.IMPORT_KEY_CREATED, key, created_by, address, now, {"partner": partner})
    return key, secret


@transaction.atomic
def create_rest(
    *,
    workspace: Workspace,
    label: str,
    scopes: Collection[str],
    created_by: User | None,
    address: str | None = None,
    now: datetime,
) -> tuple[RestApiKey, str]:
    """Create a REST API key of 256 random bits; return it and its secret, which cannot be had again.

    `address` is where that was asked for from; None for a command.
    Raises InvalidScopesError for scopes that are not in Scope, and for none.
    """
    if not scopes or set(scopes) - set(Scope):
        raise InvalidScopesError(sorted(set(scopes) - set(Scope)))
    kept_scopes = [scope.value for scope in Scope if scope in scopes]
    secret, kept = _made("rk_", label, created_by, now)
    key = RestApiKey.objects.create(workspace=workspace, scopes=kept_scopes, **kept)
    _record(audit.Action.REST_KEY_CREATED, key, created_by, address, now, {"scopes": kept_scopes})
    return key, secret


def _made(kind: str, label: str, created_by: User | None, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return a new secret, and what is kept of it and its making."""
    secret = f"{kind}{secrets.token_urlsafe(32)}"
    prefix, digest = secret[:PREFIX_LENGTH], digest_of(secret)
    made = {"prefix": prefix, "digest": digest, "label": label, "created_by": created_by, "created_at": now}
    return secret, made


@transaction.atomic
def invalidate(
    *, key: DataImportKey | RestApiKey, by: User | None, address: str | None = None, now: datetime
) -> bool:
    """Make the key useless from now on; return False if it already was."""
    valid: KeyQuerySet[Any] = type(key).objects.valid()
    done = bool(valid.filter(pk=key.pk).update(invalidated_at=now, invalidated_by=by))
    if done:
        is_rest = isinstance(key, RestApiKey)
        action = audit.Action.REST_KEY_INVALIDATED if is_rest else audit.Action.IMPORT_KEY_INVALIDATED
        _record(action, key, by, address, now, {})
    return done


def _record(
    action: audit.Action,
    key: DataImportKey | RestApiKey,
    by: User | None,
    address: str | None,
    now: datetime,
    detail: dict[str, Any],
) -> None:
    audit.record(
        workspace_id=key.workspace_id,
        action=action,
        subject=str(key),
        actor=by,
        address=address,
        detail=detail,
        now=now,
    )


def verify(*, secret: str, partner: str, address: str | None = None, now: datetime) -> DataImportKey:
    """Return the valid data import key that `secret` is, with its integration loaded; note its use from `address`.

    Raises InvalidKeyError for an unknown or invalidated key and for a key of another partner.
    """
    key = _known(DataImportKey.objects.raw(_IMPORT_KEYS, [secret[:PREFIX_LENGTH]]), secret, "data import key")
    key.integration = _owner(Integration, key)
    _refuse_invalidated(key, "data import key")
    if key.integration.partner != partner:
        reason = f"This data import key belongs to another partner than “{partner}”."
        raise InvalidKeyError(reason, Cause.OTHER_PARTNERS_KEY, key)
    _note_use(key, address, now)
    return key


def verify_rest(*, secret: str, address: str | None = None, now: datetime) -> RestApiKey:
    """Return the valid REST API key that `secret` is, with its workspace loaded; note its use from `address`.

    Raises InvalidKeyError for an unknown or invalidated key.
    """
    key = _known(RestApiKey.objects.raw(_REST_KEYS, [secret[:PREFIX_LENGTH]]), secret, "REST API key")
    key.workspace = _owner(Workspace, key)
    _refuse_invalidated(key, "REST API key")
    _note_use(key, address, now)
    return key


# Written out, not built: composing these took Python longer than the database takes to answer them, and one of them
# runs with every call.
_IMPORT_KEYS = """
    SELECT k.*, i.workspace_id AS owner_workspace_id, i.partner AS owner_partner, i.is_enabled AS owner_is_enabled,
        i.partner_api_key_digest AS owner_partner_api_key_digest, i.member_mapping AS owner_member_mapping,
        i.holds_unmatched AS owner_holds_unmatched, i.id_limit AS owner_id_limit,
        i.calls_per_minute AS owner_calls_per_minute, i.expected_minutes AS owner_expected_minutes, i.id AS owner_id
    FROM accounts_dataimportkey k JOIN accounts_integration i ON i.id = k.integration_id WHERE k.prefix = %s
"""
_REST_KEYS = """
    SELECT k.*, w.id AS owner_id, w.name AS owner_name, w.slug AS owner_slug
    FROM accounts_restapikey k JOIN accounts_workspace w ON w.id = k.workspace_id WHERE k.prefix = %s
"""


def _known(candidates: Iterable[AnyKey], secret: str, kind: str) -> AnyKey:
    # Digests are compared in constant time; the prefix, which is no secret, only narrows down which.
    digest = digest_of(secret)
    key = next((key for key in candidates if hmac.compare_digest(key.digest, digest)), None)
    if key is None:
        raise InvalidKeyError(f"Unknown {kind}.", Cause.UNKNOWN_KEY)
    return key


def _refuse_invalidated(key: Key, kind: str) -> None:
    if key.invalidated_at is not None:
        reason = f"This {kind} was invalidated. Create another one in Rollcall."
        raise InvalidKeyError(reason, Cause.INVALIDATED_KEY, key)


def _owner(model: type[Owner], key: Key) -> Owner:
    """Return what the key belongs to, from the columns that its row has of it; the others are fetched if needed."""
    found = {
        name.removeprefix("owner_"): value for name, value in vars(key).items() if name.startswith("owner_")
    }
    columns = model._meta.concrete_fields  # noqa: SLF001 - a public name in all but its spelling
    ordered = [column.attname for column in columns if column.attname in found]
    # JSON comes out of a join as the text it is stored as.
    texts = {column.attname for column in columns if isinstance(column, JSONField)}
    values = [json.loads(found[name]) if name in texts else found[name] for name in ordered]
    return model.from_db(None, ordered, values)


def _note_use(key: DataImportKey | RestApiKey, address: str | None, now: datetime) -> None:
    # At most one write a minute: a page of members must not wait for the row of its key. What follows a refused call
    # is noted at once (`note_next_use`), or its partner would go on to be shown as failing (`accounts/partners.py`).
    before = now - LAST_USED_RESOLUTION
    if key.last_used_at is None or key.last_used_at < before:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
        type(key).objects.filter(stale, pk=key.pk).update(last_used_at=now, last_used_address=address)


def note_next_use(*, workspace_id: int, partner: str, now: datetime) -> None:
    """Let the next use of a partner's keys be noted, however soon: after a refused call it shows that all is well again.

    So a key's last use is known to two minutes, and no call that is accepted has to look whether one was refused.
    """
    before = now - LAST_USED_RESOLUTION
    own = DataImportKey.objects.filter(integration__workspace=workspace_id, integration__partner=partner)
    own.filter(last_used_at__gt=before).update(last_used_at=before)


def partner_key_matches(*, integration: Integration, partner_api_key: str | None) -> bool:
    """Whether the partner's own key is right; any is while the operator requires none."""
    if not integration.partner_api_key_digest:
        return True
    return hmac.compare_digest(integration.partner_api_key_digest, digest_of(partner_api_key or ""))
