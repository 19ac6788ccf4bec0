"""What is kept of programs' calls, and of the worker's life: counts, refusals, beats. Never a body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import Workspace


class KeyCalls(models.Model):
    """How many calls came with a data import key on a day (UTC), and how many of them were refused.

    Kept in several rows (`shard`), so that calls side by side do not wait for one another.
    """

    key = models.ForeignKey("accounts.DataImportKey", on_delete=models.PROTECT, related_name="calls")
    day = models.DateField(_("day"))
    shard = models.PositiveSmallIntegerField()
    call_count = models.PositiveBigIntegerField(_("calls"))
    refused_count = models.PositiveBigIntegerField(_("refused"))

    class Meta:
        verbose_name = _("calls of a key")
        verbose_name_plural = _("calls of keys")
        constraints = [models.UniqueConstraint(fields=["key", "day", "shard"], name="key_calls_once")]

    def __str__(self) -> str:
        return f"{self.key} · {self.day}"


class RejectedCallQuerySet(models.QuerySet["RejectedCall"]):
    """Questions asked of rejected calls."""

    def for_workspace(self, workspace: Workspace, *, and_nobodys: bool) -> RejectedCallQuerySet:
        """Those with a key of one workspace, and those with nobody's key to whom they may be shown."""
        nobodys = models.Q(workspace=None) if and_nobodys else models.Q()
        return self.filter(models.Q(workspace=workspace) | nobodys)


class RejectedCall(models.Model):
    """Calls of a partner that were refused in one minute for one reason; never the body. Kept for 30 days."""

    class Cause(models.TextChoices):
        """Why, in one word: what it means and what helps follows from it."""

        UNKNOWN_KEY = "unknown_key", _("Unknown key")
        INVALIDATED_KEY = "invalidated_key", _("Invalidated key")
        OTHER_PARTNERS_KEY = "other_partners_key", _("Key of another partner")
        WRONG_PARTNER_KEY = "wrong_partner_key", _("Wrong partner API key")
        NO_KEY = "no_key", _("No key")
        BAD_BODY = "bad_body", _("Malformed request")
        BODY_TOO_LARGE = "body_too_large", _("Too large")
        NOT_JSON = "not_json", _("Not JSON")
        TOO_MANY_CALLS = "too_many_calls", _("Too many calls")
        OTHERS = "others", _("Many more calls")

    workspace = models.ForeignKey(
        "accounts.Workspace",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="None where the key is nobody’s.",
    )
    partner = models.CharField(_("partner"), max_length=50)
    endpoint = models.CharField(_("endpoint"), max_length=20)
    minute_at = models.DateTimeField(_("minute"))
    last_at = models.DateTimeField(_("when"))
    status = models.PositiveSmallIntegerField(_("answer"))
    cause = models.CharField(_("cause"), max_length=20, choices=Cause)
    reason = models.CharField(_("reason"), max_length=300)
    key_prefix = models.CharField(_("key"), max_length=11, blank=True, default="")
    address = models.GenericIPAddressField(_("from where"), null=True)
    body_bytes = models.PositiveBigIntegerField(_("size"), default=0, help_text="Of the latest, in bytes.")
    call_count = models.PositiveIntegerField(_("calls"), default=1)
    fingerprint = models.CharField(
        max_length=32, unique=True, help_text="Of all that makes two calls one row."
    )

    objects = RejectedCallQuerySet.as_manager()

    class Meta:
        verbose_name = _("rejected call")
        verbose_name_plural = _("rejected calls")
        indexes = [
            models.Index(fields=["workspace", "-last_at", "-id"], name="rejected_call_newest"),
            models.Index(fields=["minute_at"], name="rejected_call_by_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.status} · {self.get_cause_display()}"


class Heartbeat(models.Model):
    """That a part of the server is alive: the worker writes one each minute, by a job of the queue it works on."""

    name = models.CharField(max_length=50, primary_key=True)
    beat_at = models.DateTimeField()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
