"""Imports of files: one row per file, from its upload to its end (see `profiles/jobs.py`)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from profiles.models_jobs import Job


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Questions asked of import jobs."""

    def for_workspace(self, workspace: Workspace) -> ImportJobQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)


class ImportJob(Job):
    """A file that is imported in the background, how far it came, and how its rows fared."""

    class Kind(models.TextChoices):
        """What the file holds."""

        CSV = "csv", _("Users (CSV)")
        EVENTS = "events", _("Events (Mixpanel raw export)")

    class Status(models.TextChoices):
        """How far it came."""

        DRAFT = "draft", _("Not started")
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        COMPLETE = "complete", _("Complete")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    is_dry_run = models.BooleanField(_("dry run"), default=False)
    file_name = models.CharField(_("file name"), max_length=255)
    options = models.JSONField(blank=True, default=dict)
    total_bytes = models.PositiveBigIntegerField(_("size"), default=0)
    done_bytes = models.PositiveBigIntegerField(_("read"), default=0)
    counts = models.JSONField(_("counts"), blank=True, default=dict)
    error_file = models.FileField(_("rows at fault"), max_length=255, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("started by"),
    )
    created_at = models.DateTimeField(_("uploaded"))
    error_bytes = models.PositiveBigIntegerField(default=0)  # of the file of faults that are committed

    moved_on = _("This import has moved on meanwhile.")
    objects = ImportJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["workspace", "-id"], name="import_job_newest")]

    def __str__(self) -> str:
        return self.file_name
