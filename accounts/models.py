"""Who owns what: workspaces, their staff, their integrations, the keys that open them, and what was done there."""

from __future__ import annotations

from typing import Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models_audit import AuditEntry
from accounts.models_calls import Heartbeat, KeyCalls, RejectedCall
from accounts.models_usage import Allotment, AllotmentNotice, DataPointUsage

__all__ = [
    "PARTNER_PATTERN",
    "Allotment",
    "AllotmentNotice",
    "AnyKey",
    "AuditEntry",
    "DataImportKey",
    "DataPointUsage",
    "Heartbeat",
    "Integration",
    "Key",
    "KeyCalls",
    "KeyQuerySet",
    "Membership",
    "RejectedCall",
    "RestApiKey",
    "Scope",
    "User",
    "Workspace",
    "partner_validator",
]

# A partner's slug is part of the address it calls, so it is kept to what needs no escaping there.
PARTNER_PATTERN = r"[a-z0-9][a-z0-9_-]{0,49}"
partner_validator = RegexValidator(
    rf"\A{PARTNER_PATTERN}\Z", _("Use lower-case letters, digits, hyphens and underscores.")
)


class User(AbstractUser):
    """A member of staff: a marketer or an administrator. Never one of the people in a cohort."""

    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        default="",
        help_text="The one they chose last, which mails are written in; blank for the server’s.",
    )

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team")


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    """Questions asked of workspaces."""

    def for_user(self, user: User) -> WorkspaceQuerySet:
        """Those whose data the user may see: the ones they belong to, and all of them for the operator."""
        return self.all() if user.is_superuser else self.filter(memberships__user=user)


class Workspace(models.Model):
    """The tenant: everything but users belongs to exactly one."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(
        _("slug"), unique=True, help_text=_("Names the workspace on the command line, for example “default”.")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's belonging to a workspace. What they may do there is decided by their groups."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("workspace")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("team member"),
    )
    gets_mail = models.BooleanField(_("gets mail about what needs attention"), default=True)

    class Meta:
        verbose_name = _("workspace membership")
        verbose_name_plural = _("workspace memberships")
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.workspace}"


class Integration(models.Model):
    """A workspace's connection to one partner, with what the operator set for it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="integrations")
    partner = models.CharField(_("partner"), max_length=50, validators=[partner_validator])
    is_enabled = models.BooleanField(_("on"), default=True)
    partner_api_key_digest = models.CharField(_("partner API key"), max_length=64, blank=True, default="")
    member_mapping = models.JSONField(
        _("member properties"),
        default=list,
        blank=True,
        help_text="Rules of `profiles/mapping.py` in their order; none for the usual ones.",
    )
    holds_unmatched = models.BooleanField(_("hold unmatched members"), default=False)
    id_limit = models.PositiveIntegerField(
        _("IDs per request"), null=True, blank=True, help_text="None for MAX_IDS_PER_REQUEST."
    )
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute and key"), null=True, blank=True, help_text="None for CALLS_PER_MINUTE."
    )
    expected_minutes = models.PositiveIntegerField(
        _("expected interval in minutes"),
        null=True,
        blank=True,
        help_text="Of dynamic syncs; none to learn each cohort’s own rhythm.",
    )

    class Meta:
        verbose_name = _("integration")
        verbose_name_plural = _("integrations")
        constraints = [models.UniqueConstraint(fields=["workspace", "partner"], name="integration_once")]

    def __str__(self) -> str:
        return f"{self.partner} · {self.workspace}"


AnyKey = TypeVar("AnyKey", bound="Key")


class KeyQuerySet(models.QuerySet[AnyKey]):
    """Questions asked of keys of one kind."""

    def valid(self) -> Self:
        """Those that may still be used."""
        return self.filter(invalidated_at=None)


class Key(models.Model):
    """A secret that a program sends. Only its digest is kept."""

    prefix = models.CharField(_("begins with"), max_length=11, db_index=True)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key, in hexadecimal.")
    label = models.CharField(_("label"), max_length=100, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    last_used_at = models.DateTimeField(_("last used"), null=True)
    last_used_address = models.GenericIPAddressField(_("last used from"), null=True)
    invalidated_at = models.DateTimeField(_("invalidated"), null=True)
    invalidated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("invalidated by"),
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.prefix}…"


class DataImportKeyQuerySet(KeyQuerySet["DataImportKey"]):
    """Questions asked of data import keys."""

    def for_partner(self, workspace: Workspace, partner: str) -> Self:
        """Those of one workspace's integration, newest first."""
        return self.filter(integration__workspace=workspace, integration__partner=partner).order_by("-id")


class DataImportKey(Key):
    """What a partner sends: it decides workspace and partner."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="keys")

    objects = DataImportKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("data import key")
        verbose_name_plural = _("data import keys")

    @property
    def workspace_id(self) -> int:
        """Whose key it is."""
        return self.integration.workspace_id


class Scope(models.TextChoices):
    """What a REST API key may allow. Names of users' scopes are those of Braze's permissions, which clients know."""

    USERS_TRACK = "users.track", _("Write users’ attributes, events and purchases, and create users")
    EVENTS_IMPORT = "events.import", _("Import past events of users in Mixpanel’s format")
    USERS_ALIAS_NEW = "users.alias.new", _("Add aliases to users")
    USERS_ALIAS_UPDATE = "users.alias.update", _("Change aliases of users")
    USERS_IDENTIFY = "users.identify", _("Give anonymous users an external ID")
    USERS_MERGE = "users.merge", _("Merge two users into one")
    USERS_EXTERNAL_IDS_RENAME = "users.external_ids.rename", _("Change users’ external IDs")
    USERS_EXPORT_IDS = "users.export.ids", _("Read all that is known of a user")
    USERS_DELETE = "users.delete", _("Delete users for ever")
    SEGMENTS_READ = "segments.read", _("Read segments, their sizes and their members")
    COHORTS_READ = "cohorts.read", _("Read cohorts, their sizes and their members")


class RestApiKeyQuerySet(KeyQuerySet["RestApiKey"]):
    """Questions asked of REST API keys."""

    def for_workspace(self, workspace: Workspace) -> Self:
        """Those of one workspace, newest first."""
        return self.filter(workspace=workspace).order_by("-id")


class RestApiKey(Key):
    """What a program of the workspace's own sends: it decides the workspace, and what may be done there."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField(_("scopes"), help_text="Values of Scope, in its order.")

    objects = RestApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("REST API key")
        verbose_name_plural = _("REST API keys")
        constraints = [
            models.CheckConstraint(condition=~models.Q(scopes=[]), name="rest_api_key_opens_something")
        ]
