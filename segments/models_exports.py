"""Exports of a segment's members: one row per file, from its order to its expiry."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace


class SegmentExportQuerySet(models.QuerySet["SegmentExport"]):
    """Questions asked of exports."""

    def for_workspace(self, workspace: Workspace) -> SegmentExportQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)


class SegmentExport(models.Model):
    """The members of a segment at one moment, written to a CSV file in the background."""

    class Status(models.TextChoices):
        """How far it came."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        COMPLETE = "complete", _("Complete")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

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
    total_count = models.PositiveIntegerField(_("users"), null=True)
    done_count = models.PositiveIntegerField(_("written"), default=0)
    file = models.FileField(_("file"), max_length=255, blank=True)
    size_bytes = models.PositiveBigIntegerField(_("size"), default=0)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("ordered by"),
    )
    created_at = models.DateTimeField(_("ordered"))
    beat_at = models.DateTimeField(_("last sign of life"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    claim = models.UUIDField(null=True, editable=False)  # of the worker that runs it; another has none of it

    objects = SegmentExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["workspace", "-id"], name="segment_export_newest")]

    def __str__(self) -> str:
        return self.segment_name
