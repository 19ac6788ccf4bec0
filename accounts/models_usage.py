"""Data points, and how many of them a workspace means to use."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


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

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
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


class Allotment(models.Model):
    """How many data points a workspace means to use in a period. Nothing is refused past it: it is for mails and charts."""

    class Period(models.TextChoices):
        """How long a period is; the first begins on `starts_on`."""

        MONTH = "month", _("Month")
        QUARTER = "quarter", _("Quarter")
        YEAR = "year", _("Year")

    workspace = models.OneToOneField(
        "accounts.Workspace", on_delete=models.PROTECT, primary_key=True, related_name="allotment"
    )
    data_points = models.PositiveBigIntegerField(_("data points"))
    period = models.CharField(_("period"), max_length=10, choices=Period, default=Period.MONTH)
    starts_on = models.DateField(_("first day"))

    class Meta:
        verbose_name = _("allotment")
        verbose_name_plural = _("allotments")
        constraints = [
            models.CheckConstraint(condition=models.Q(data_points__gt=0), name="allotment_not_empty")
        ]

    def __str__(self) -> str:
        return f"{self.workspace} · {self.get_period_display()}"


class AllotmentNotice(models.Model):
    """That the workspace's staff is told of a share of the allotment used: once per period and share.

    It is claimed before the mails go out, and `sent_at` once they are out: see `accounts/allotment_notices.py`.
    """

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
    period_start = models.DateField()
    percent = models.PositiveSmallIntegerField()
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice of data points")
        verbose_name_plural = _("notices of data points")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "period_start", "percent"], name="allotment_notice_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workspace} · {self.period_start} · {self.percent}"
