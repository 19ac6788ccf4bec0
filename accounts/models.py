"""Who owns what: workspaces, their staff, their integrations and the keys partners send."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
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


class DataImportKeyQuerySet(models.QuerySet["DataImportKey"]):
    """Questions asked of data import keys."""

    def valid(self) -> DataImportKeyQuerySet:
        """Those that partners may still use."""
        return self.filter(invalidated_at=None)

    def for_partner(self, workspace: Workspace, partner: str) -> DataImportKeyQuerySet:
        """Those of one workspace's integration, newest first."""
        return self.filter(integration__workspace=workspace, integration__partner=partner).order_by("-id")


class DataImportKey(models.Model):
    """A secret that a partner sends: it decides workspace and partner. Only its digest is kept."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="keys")
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

    objects = DataImportKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("data import key")
        verbose_name_plural = _("data import keys")

    def __str__(self) -> str:
        return f"{self.prefix}…"


class DataPointUsage(models.Model):
    """Data points of one workspace, source and day.

    Kept in several rows (`shard`), so that imports that run side by side do not wait for one another's row.
    """

    class Source(models.TextChoices):
        """What wrote to the profiles."""

        PARTNER_COHORTS = "partner_cohorts", _("Partner cohorts")

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
