"""The audit log keeps who did what, and goes with what was done."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import override

from accounts import audit
from accounts.models import AuditEntry
from accounts.models_audit import AppendOnlyError

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


# --- nothing is ever changed or deleted --------------------------------------------------------------------
@pytest.fixture
def entry(workspace) -> AuditEntry:
    return audit.record(
        workspace_id=workspace.pk, action=audit.Action.USER_ERASED, subject="user 1", now=timezone.now()
    )


@pytest.mark.parametrize(
    "attempt",
    [
        lambda entry: entry.save(),
        lambda entry: entry.save(update_fields=["subject"]),
        lambda entry: entry.delete(),
        lambda _: AuditEntry.objects.update(subject="user 2"),
        lambda _: AuditEntry.objects.filter(subject="user 1").delete(),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["subject"]),
        lambda _: AuditEntry.objects.update_or_create(subject="user 1", defaults={"detail": {}}),
    ],
)
def test_entry_is_neither_changed_nor_deleted(entry, attempt):
    entry.subject = "user 2"
    with pytest.raises(AppendOnlyError), transaction.atomic():
        attempt(entry)
    assert AuditEntry.objects.get().subject == "user 1"


def test_database_itself_refuses_to_change_an_entry(entry):
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_auditentry SET subject = 'user 2'")


@pytest.mark.postgresql
def test_database_itself_refuses_to_delete_an_entry(entry):
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM accounts_auditentry")


def test_who_is_in_the_log_stays_in_it(workspace, administrator):
    audit.record(
        workspace_id=workspace.pk,
        action=audit.Action.USER_ERASED,
        subject="user 1",
        actor=administrator,
        now=timezone.now(),
    )
    with pytest.raises(ProtectedError):
        administrator.delete()
