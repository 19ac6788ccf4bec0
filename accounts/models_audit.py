"""What was done to keys, integrations and people: the audit log."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class AppendOnlyError(TypeError):
    """Something would have changed or deleted what was written to the audit log."""

    def __init__(self) -> None:
        super().__init__("Entries of the audit log are added, and never changed or deleted.")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries to read. Whatever would change or delete some raises AppendOnlyError; so do the database's triggers."""

    def update(self, **kwargs: Any) -> int:
        """Refuse; `bulk_update` comes by here too."""
        raise AppendOnlyError

    def _update(self, values: Any) -> int:  # what an entry that is saved again comes by
        raise AppendOnlyError

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise AppendOnlyError


class AuditEntry(models.Model):
    """Something done to keys or people that must stay known. Rows are added, and never changed or deleted.

    No personal data: a person who was erased leaves the entry that says so, and nothing more.
    """

    class Action(models.TextChoices):
        """What was done."""

        REST_KEY_CREATED = "rest_key_created", _("REST API key created")
        REST_KEY_INVALIDATED = "rest_key_invalidated", _("REST API key invalidated")
        IMPORT_KEY_CREATED = "import_key_created", _("Data import key created")
        IMPORT_KEY_INVALIDATED = "import_key_invalidated", _("Data import key invalidated")
        USER_EDITED = "user_edited", _("User edited")
        USER_ALIAS_ADDED = "user_alias_added", _("Alias added to user")
        USER_IDENTIFIED = "user_identified", _("User identified")
        USER_RENAMED = "user_renamed", _("External ID of user changed")
        USERS_MERGED = "users_merged", _("Users merged")
        USER_DOWNLOADED = "user_downloaded", _("Data of user downloaded")
        USER_ERASED = "user_erased", _("User erased")
        EXPORT_ORDERED = "export_ordered", _("Members of segment exported")
        EXPORT_DOWNLOADED = "export_downloaded", _("Export of segment downloaded")
        INTEGRATION_SWITCHED_ON = "integration_switched_on", _("Integration switched on")
        INTEGRATION_SWITCHED_OFF = "integration_switched_off", _("Integration switched off")
        INTEGRATION_CHANGED = "integration_changed", _("Settings of integration changed")
        COHORT_DELETED = "cohort_deleted", _("Cohort deleted")
        COHORT_RESTORED = "cohort_restored", _("Cohort restored")
        ALLOTMENT_CHANGED = "allotment_changed", _("Allotment of data points changed")

    workspace = models.ForeignKey(
        "accounts.Workspace", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    happened_at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_key = models.CharField(_("key"), max_length=11, blank=True, default="", help_text="Its prefix.")
    address = models.GenericIPAddressField(_("from where"), null=True)
    action = models.CharField(_("action"), max_length=30, choices=Action)
    subject = models.CharField(_("concerns"), max_length=100)
    detail = models.JSONField(_("details"), default=dict)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")
        base_manager_name = "objects"  # which saving goes by
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_entry_newest_first"),
            models.Index(fields=["workspace", "subject", "-id"], name="audit_entry_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} · {self.subject_in_words()}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise AppendOnlyError

    def subject_in_words(self) -> str:
        """Return what it was done to in the reader's language; `subject` is what is searched for."""
        if self.subject == "allotment":
            return gettext("Allotment of data points")
        kind, _space, number = self.subject.partition(" ")
        words = {
            "user": gettext("User {id}"),
            "export": gettext("Export {id}"),
            "cohort": gettext("Cohort {id}"),
        }
        return words[kind].format(id=number) if kind in words and number else self.subject
