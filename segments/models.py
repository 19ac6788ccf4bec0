"""What marketers define: segments, with their tags, their former versions and their sizes day by day."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from segments.models_exports import SegmentExport

__all__ = ["Segment", "SegmentExport", "SegmentSize", "SegmentTag", "SegmentVersion"]


def nobody_yet() -> dict[str, Any]:
    """Return the definition a new segment begins with: one group, no filter."""
    return {"version": 2, "root": {"type": "group", "operator": "and", "exclude": False, "children": []}}


class SegmentTag(models.Model):
    """A word that marketers sort their segments by."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=50)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="segment_tag_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="segment_tag_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentQuerySet(models.QuerySet["Segment"]):
    """Questions asked of segments."""

    def for_workspace(self, workspace: Workspace) -> SegmentQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)

    def active(self) -> SegmentQuerySet:
        """Those that are not archived."""
        return self.filter(archived_at=None)


class Segment(models.Model):
    """A named tree of filters owned by a marketer: `definition`, as `segments/filters` reads it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True, default="")
    definition = models.JSONField(_("filters"), default=nobody_yet)
    tags = models.ManyToManyField(SegmentTag, blank=True, related_name="segments", verbose_name=_("tags"))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last edited"), default=timezone.now, editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        verbose_name=_("last edited by"),
    )
    archived_at = models.DateTimeField(_("archived"), null=True, editable=False)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="segment_name_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="segment_name_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentVersion(models.Model):
    """What a segment was saved as: each save that changes its filters keeps one. The newest is the segment itself."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("filters"))
    saved_at = models.DateTimeField(_("saved"))
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("saved by"),
    )

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="segment_version_once")]

    def __str__(self) -> str:
        return f"{self.segment_id} v{self.number}"


class SegmentSize(models.Model):
    """How many users a segment selected on one day (UTC), in all and by channel: the last count of that day."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes", db_index=False)
    day = models.DateField(_("day"))
    total_count = models.PositiveIntegerField(_("users"))
    email_count = models.PositiveIntegerField(_("reachable by email"))
    push_count = models.PositiveIntegerField(_("reachable by push"))
    measured_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("size")
        verbose_name_plural = _("sizes")
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="segment_size_once")]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.day}"
