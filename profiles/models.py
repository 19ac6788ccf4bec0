"""The people: profiles, what identifies them, and the set of all who are live."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from accounts.models import Workspace


class ProfileQuerySet(models.QuerySet["Profile"]):
    """Questions asked of profiles."""

    def live(self) -> ProfileQuerySet:
        """Those that were not erased."""
        return self.filter(deleted_at=None)

    def for_workspace(self, workspace: Workspace) -> ProfileQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)

    def in_bitmap(self, members: BitMap) -> ProfileQuerySet:
        """Those whose id is in a small bitmap (a page of a list)."""
        return self.filter(id__in=members.to_array().tolist())


class Profile(models.Model):
    """One end user.

    An erased profile stays as an empty row, so that its id is never given to anybody else and every bitmap can be
    told that it is gone. `changed_at` is the change marker: bitmaps derived from profiles are repaired from it.
    """

    id = models.AutoField(primary_key=True)  # 32 bits: ids are the members of roaring bitmaps
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(_("external ID"), max_length=255, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(_("email"), max_length=255, blank=True, default="")
    first_name = models.CharField(_("first name"), max_length=255, blank=True, default="")
    last_name = models.CharField(_("last name"), max_length=255, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=255, blank=True, default="")
    country = models.CharField(_("country"), max_length=255, blank=True, default="")
    language = models.CharField(_("language"), max_length=255, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=255, blank=True, default="")
    custom_attributes = models.JSONField(_("custom attributes"), blank=True, default=dict)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            models.Index(fields=["workspace", "changed_at"], name="profile_changed"),
            models.Index(fields=["workspace", "email"], name="profile_email", condition=~models.Q(email="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(external_id=None) | ~models.Q(external_id=""),
                name="profile_external_id_not_blank",
            )
        ]

    def __str__(self) -> str:
        return self.external_id or _("Anonymous user {id}").format(id=self.pk)


class Identifier(models.Model):
    """What a partner may call a profile by: `key` as `profiles/matching.py` writes it, unique per workspace.

    On PostgreSQL the primary key's index covers the profile's id and compares bytes (migration 0001): a page of
    1,000 keys is matched without touching the table.
    """

    pk = models.CompositePrimaryKey("workspace", "key")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.TextField()
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="identifiers")

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")

    def __str__(self) -> str:
        return self.key


class Universe(models.Model):
    """All live profiles of a workspace as one bitmap, exact as of `as_of` (see `profiles/universe.py`)."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    members = models.BinaryField()
    as_of = models.DateTimeField()

    class Meta:
        verbose_name = _("universe")
        verbose_name_plural = _("universes")

    def __str__(self) -> str:
        return str(self.workspace_id)
