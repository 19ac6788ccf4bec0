"""What an administrator sets for a workspace's connection to a partner; every change is in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import audit, keys
from accounts.models import Integration, User, Workspace

# What apps above do in the transaction of a change, with the integration as it is now and the names of what changed.
# Each appends its own in its admin module.
FOLLOWERS: list[Callable[[Integration, Collection[str]], None]] = []


def find(*, workspace: Workspace, partner: str) -> Integration:
    """Return a workspace's integration with a partner; one as it would begin, not saved, if there is none."""
    known = Integration.objects.filter(workspace=workspace, partner=partner).first()
    return known or Integration(workspace=workspace, partner=partner)


@transaction.atomic
def change(
    *,
    workspace: Workspace,
    partner: str,
    values: Mapping[str, Any],
    by: User | None,
    address: str | None = None,
    now: datetime,
) -> list[str]:
    """Set fields of an integration to values; return the names of those that this changed.

    The names go to the audit log, the values do not: one may be a secret's digest.
    """
    integration = _locked(workspace, partner)
    changed = [name for name, value in values.items() if getattr(integration, name) != value]
    if changed:
        for name in changed:
            setattr(integration, name, values[name])
        integration.save(update_fields=changed)
        for follow in FOLLOWERS:
            follow(integration, changed)
        audit.record(
            workspace_id=workspace.pk,
            action=audit.Action.INTEGRATION_CHANGED,
            subject=partner,
            actor=by,
            address=address,
            detail={"settings": changed},
            now=now,
        )
    return changed


def require_partner_key(
    *,
    workspace: Workspace,
    partner: str,
    secret: str,
    by: User | None,
    address: str | None = None,
    now: datetime,
) -> bool:
    """Require the partner's own API key with every call from now on; any is right if `secret` is blank.

    Only its digest is kept. Returns False if that was so before.
    """
    digest = {"partner_api_key_digest": keys.digest_of(secret) if secret else ""}
    return bool(change(workspace=workspace, partner=partner, values=digest, by=by, address=address, now=now))


@transaction.atomic
def switch(
    *,
    workspace: Workspace,
    partner: str,
    is_on: bool,
    by: User | None,
    address: str | None = None,
    now: datetime,
) -> bool:
    """Switch an integration on, or off: then its calls are answered 503. Returns False if it was so before."""
    integration = _locked(workspace, partner)
    if integration.is_enabled == is_on:
        return False
    integration.is_enabled = is_on
    integration.save(update_fields=["is_enabled"])
    audit.record(
        workspace_id=workspace.pk,
        action=audit.Action.INTEGRATION_SWITCHED_ON if is_on else audit.Action.INTEGRATION_SWITCHED_OFF,
        subject=partner,
        actor=by,
        address=address,
        now=now,
    )
    return True


def _locked(workspace: Workspace, partner: str) -> Integration:
    # Two administrators at a time: the second sees what the first has set, and notes what changed since.
    integration, _ = Integration.objects.select_for_update().get_or_create(
        workspace=workspace, partner=partner
    )
    return integration
