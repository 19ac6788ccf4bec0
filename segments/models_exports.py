"""Exports of a segment's members: one row per file, from its order to its expiry."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Workspace
from profiles.models_jobs import Job


class SegmentExportQuerySet(models.QuerySet["SegmentExport"]):
    """Questions asked of exports."""

    def for_workspace(self, workspace: Workspace) -> SegmentExportQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)


class SegmentExport(Job):
    """The members of a segment at one moment, written to a CSV file in the background (`segments/exports.py`).

    `members` is the bitmap of whom the file holds, or will hold, while there is one. `last_id` is the profile up to
    which it is written, `done_count` the rows it has, and `size_bytes` how much of it is committed.
    """

    class Status(models.TextChoices):
        """How far it came."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        COMPLETE = "complete", pgettext_lazy("export", "Complete")
        CANCELLED = "cancelled", pgettext_lazy("export", "Cancelled")
        FAILED = "failed", pgettext_lazy("export", "Failed")
        EXPIRED = "expired", _("Expired")

    class Removal(models.TextChoices):
        """Why a complete file is not here any more."""

        AGE = "age", _("The file was deleted, as its time was over.")
        HAND = "hand", _("A member of the team deleted the file.")
        ERASURE = "erasure", _("The file was deleted, as a user in it was erased.")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    segment = models.ForeignKey(
        "segments.Segment",
        null=True,
        on_delete=models.SET_NULL,
        related_name="exports",
        verbose_name=_("segment"),
    )
    segment_name = models.CharField(_("segment"), max_length=100)
    fields = models.JSONField(_("fields"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    members = models.BinaryField(null=True, editable=False)
    total_count = models.PositiveIntegerField(_("users"), null=True)
    done_count = models.PositiveIntegerField(_("written"), default=0)
    last_id = models.PositiveIntegerField(default=0, editable=False)
    size_bytes = models.PositiveBigIntegerField(_("size"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("ordered by"),
    )
    created_at = models.DateTimeField(_("ordered"))
    expires_at = models.DateTimeField(_("expires"), null=True)
    removal = models.CharField(max_length=7, choices=Removal, blank=True, default="", editable=False)

    LARGE = ("members",)
    moved_on = _("This export has moved on meanwhile.")
    objects = SegmentExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["workspace", "-id"], name="segment_export_newest")]

    def __str__(self) -> str:
        return self.segment_name
