"""The audit log keeps who did what, and goes with what was done."""

from __future__ import annotations

import pytest
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import override

from accounts import audit
from accounts.models import AuditEntry

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_entry_says_who_did_what_to_whom_and_when(workspace, administrator):
    detail = {"fields": ["email"]}
    audit.record(
        workspace_id=workspace.pk,
        action=audit.Action.USER_EDITED,
        subject="user 4711",
        actor=administrator,
        detail=detail,
        now=NOW,
    )
    entry = AuditEntry.objects.get()
    assert (entry.workspace, entry.happened_at, entry.actor) == (workspace, NOW, administrator)
    assert (entry.action, entry.subject, entry.detail) == ("user_edited", "user 4711", detail)
    with override("en"):
        assert (entry.actor_key, str(entry)) == ("", "User edited · User 4711")


def test_entry_of_the_api_names_its_key(workspace):
    entry = audit.record(
        workspace_id=workspace.pk,
        action=audit.Action.USER_ERASED,
        subject="user 4711",
        key_prefix="rk_12345678",
        now=NOW,
    )
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_key, entry.detail) == (None, "rk_12345678", {})


def test_one_who_is_in_the_audit_log_stays_known(workspace, administrator):
    audit.record(
        workspace_id=workspace.pk,
        action=audit.Action.USER_ERASED,
        subject="user 4711",
        actor=administrator,
        now=NOW,
    )
    with pytest.raises(ProtectedError):
        administrator.delete()
