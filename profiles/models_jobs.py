"""What every job of the worker has: one that works on it, signs of life, and an end (`profiles/job_claims.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """Work in the background, from its order to its end. Each kind has its own words for a `status`."""

    LARGE: ClassVar[Sequence[str]] = ()  # columns that are read only where they are needed
    moved_on: ClassVar[Promise]  # says that the job is in no state any more for what somebody wants
    status = models.CharField(_("status"), max_length=10)
    file = models.FileField(_("file"), max_length=255, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, default="")
    started_at = models.DateTimeField(_("started"), null=True)
    beat_at = models.DateTimeField(_("last sign of life"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    worked = models.DurationField(default=timedelta)  # what the workers took for what is done
    claim = models.UUIDField(null=True, editable=False)  # of the worker that runs it; another has none of it

    class Meta:
        abstract = True
