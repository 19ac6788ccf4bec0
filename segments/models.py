"""What marketers define: segments."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace


def nobody_yet() -> dict[str, Any]:
    """Return the definition a new segment begins with: one group, no filter."""
    return {"version": 1, "root": {"type": "group", "operator": "and", "exclude": False, "children": []}}


class SegmentQuerySet(models.QuerySet["Segment"]):
    """Questions asked of segments."""

    def for_workspace(self, workspace: Workspace) -> SegmentQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)


class Segment(models.Model):
    """A named tree of filters owned by a marketer: `definition`, as `segments/filters.py` reads it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True, default="")
    definition = models.JSONField(_("filters"), default=nobody_yet)
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
