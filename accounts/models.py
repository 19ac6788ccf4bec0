"""Who owns what: workspaces, their staff, their integrations, the keys that open them, and what was done there."""

from __future__ import annotations

from typing import Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# A partner's slug is part of the address it calls, so it is kept to what needs no escaping there.
PARTNER_PATTERN = r"[a-z0-9][a-z0-9_-]{0,49}"
partner_validator = RegexValidator(
    rf"\A{PARTNER_PATTERN}\Z", _("Use lower-case letters, digits, hyphens and underscores.")
)


class User(AbstractUser):
    """A member of staff: a marketer or an administrator. Never one of the people in a cohort."""

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
    partner_api_key_digest = models.CharField(max_length=64, blank=True, default="")
    external_id_property = models.CharField(
        _("external ID property"),
        max_length=255,
        blank=True,
        default="",
        help_text=_("The member property that holds the external ID, if it is none of the usual ones."),
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

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    happened_at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_key = models.CharField(_("key"), max_length=11, blank=True, default="", help_text="Its prefix.")
    action = models.CharField(_("action"), max_length=30, choices=Action)
    subject = models.CharField(_("concerns"), max_length=100)
    detail = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_entry_newest_first"),
            models.Index(fields=["workspace", "subject", "-id"], name="audit_entry_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} · {self.subject_in_words()}"

    def subject_in_words(self) -> str:
        """Return what it was done to in the reader's language; `subject` is what is searched for."""
        kind, _space, number = self.subject.partition(" ")
        words = {"user": gettext("User {id}"), "export": gettext("Export {id}")}
        return words[kind].format(id=number) if kind in words and number else self.subject


class DataPointUsage(models.Model):
    """Data points of one workspace, source and day.

    Kept in several rows (`shard`), so that imports that run side by side do not wait for one another's row.
    """

    class Source(models.TextChoices):
        """What wrote to the profiles."""

        PARTNER_COHORTS = "partner_cohorts", _("Partner cohorts")
        TRACKING_API = "tracking_api", _("REST API")
        CSV = "csv", _("CSV files")
        EVENTS = "events", _("Event imports")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    day = models.DateField(_("day"))
    source = models.CharField(_("source"), max_length=20, choices=Source)
    shard = models.PositiveSmallIntegerField()
    count = models.PositiveBigIntegerField(_("data points"))

    class Meta:
        verbose_name = _("data points")
        verbose_name_plural = _("data points")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "day", "source", "shard"], name="data_point_usage_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workspace} · {self.day} · {self.source}"
