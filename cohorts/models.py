"""What partners send: cohorts, the syncs that brought them, and every change of their members."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace, partner_validator
from cohorts.models_held import HeldKey, HeldSet

__all__ = [
    "Cohort",
    "CohortDelta",
    "CohortQuerySet",
    "CohortSync",
    "CohortSyncQuerySet",
    "HeldKey",
    "HeldSet",
    "LatestMove",
    "StaleIncident",
    "Tally",
]


class CohortQuerySet(models.QuerySet["Cohort"]):
    """Questions asked of cohorts."""

    def for_workspace(self, workspace: Workspace) -> CohortQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)

    def current(self) -> CohortQuerySet:
        """Those that were not deleted here."""
        return self.filter(ignored_at=None)

    def without_members(self) -> CohortQuerySet:
        """Leave the snapshot where it is: a list of cohorts must not fetch a megabyte per row."""
        return self.defer("snapshot")


class Cohort(models.Model):
    """A named set of profiles owned by a partner.

    Its members are the `snapshot` bitmap, which includes the deltas up to `snapshot_sequence`, folded with the later
    ones. Only `cohorts/membership.py` reads or writes them.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    partner = models.CharField(_("partner"), max_length=50, validators=[partner_validator])
    partner_cohort_id = models.CharField(_("partner’s ID"), max_length=255)
    name = models.CharField(_("name"), max_length=1_000)
    description = models.TextField(_("description"), blank=True, default="")
    partner_created_at = models.DateTimeField(_("created by the partner"), null=True)
    created_at = models.DateTimeField(_("first received"), default=timezone.now)
    last_sync_at = models.DateTimeField(_("last sync"), null=True)
    ignored_at = models.DateTimeField(
        _("deleted"), null=True, help_text="Since when its syncs are answered with 404; None for most."
    )
    ignored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("deleted by"),
    )
    snapshot = models.BinaryField(default=bytes)
    snapshot_sequence = models.PositiveBigIntegerField(default=0)

    objects = CohortQuerySet.as_manager()

    latest_move: str | None  # the mark of its workspace's, where `membership.lock` read the cohort

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "partner", "partner_cohort_id"], name="cohort_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="cohort_name_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """How the identifiers of a page, or of a whole sync, fared. `received` minus the others were repeats."""

    received_count = models.PositiveIntegerField(_("received"), default=0)
    matched_count = models.PositiveIntegerField(_("matched"), default=0)
    unknown_count = models.PositiveIntegerField(_("unknown"), default=0)
    identified_count = models.PositiveIntegerField(_("identified, use the external ID"), default=0)
    invalid_count = models.PositiveIntegerField(_("invalid"), default=0)
    held_count = models.PositiveIntegerField(
        _("held"), default=0, help_text="Those of the unknown that wait for a user."
    )

    class Meta:
        abstract = True

    @property
    def unmatched_count(self) -> int:
        """Identifiers that matched no profile, for any reason."""
        return self.unknown_count + self.identified_count + self.invalid_count


class CohortSyncQuerySet(models.QuerySet["CohortSync"]):
    """Questions asked of syncs."""

    def for_workspace(self, workspace: Workspace) -> CohortSyncQuerySet:
        """Those of one workspace's cohorts."""
        return self.filter(cohort__workspace=workspace)

    def unfinished_since(self, moment: datetime) -> CohortSyncQuerySet:
        """Those that still wait for pages, the last of which came before `moment`."""
        return self.filter(status=CohortSync.Status.RUNNING, last_page_at__lt=moment)


class CohortSync(Tally):
    """One export of a cohort by the partner: one or many pages."""

    class Action(models.TextChoices):
        """What the partner asked for."""

        MEMBERS = "members", _("Full sync")
        ADD_MEMBERS = "add_members", _("Add members")
        REMOVE_MEMBERS = "remove_members", _("Remove members")
        CHANGES = "changes", _("Additions and removals")
        HELD = "held", _("Held members joined")  # ours: no partner asks for it

    class Status(models.TextChoices):
        """How far it came."""

        RUNNING = "running", _("Waiting for pages")
        COMPLETE = "complete", _("Complete")
        SUPERSEDED = "superseded", _("Superseded by a newer sync")
        EXPIRED = "expired", _("Incomplete: pages never came")

    cohort = models.ForeignKey(
        Cohort, on_delete=models.PROTECT, related_name="syncs", verbose_name=_("cohort")
    )
    session_id = models.CharField(_("session"), max_length=255, blank=True, default="")
    action = models.CharField(_("action"), max_length=20, choices=Action)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.RUNNING)
    total_pages = models.PositiveIntegerField(_("pages"), null=True)
    pages = models.BinaryField(default=bytes, help_text="Bitmap of the numbers of the pages seen.")
    pages_count = models.PositiveIntegerField(_("pages seen"), default=0)
    entered_count = models.PositiveIntegerField(_("added"), default=0)
    left_count = models.PositiveIntegerField(_("removed"), default=0)
    started_at = models.DateTimeField(_("started"))
    last_page_at = models.DateTimeField(_("last page"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, default="")
    unmatched_sample = models.JSONField(_("unmatched sample"), blank=True, default=list)

    objects = CohortSyncQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync")
        verbose_name_plural = _("import history")
        indexes = [
            models.Index(fields=["cohort", "session_id", "action", "-id"], name="sync_of_session"),
            models.Index(fields=["cohort", "-id"], name="sync_of_cohort_newest"),
            models.Index(fields=["-last_page_at"], name="sync_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.cohort} · {self.get_action_display()}"


class CohortDelta(Tally):
    """One applied change of a cohort's members, as a bitmap; or a page of a full sync that does not count yet.

    `members` are those the partner named. Folding into the snapshot leaves in it those who really entered (added,
    replaced) or left (removed); who left by a full sync is in `left`. So the history is exact, and a reader may
    apply a delta before or after it was folded with the same result. One without a sync is a handover: profiles
    were merged, and those that stayed took the places of the others.
    """

    class Kind(models.TextChoices):
        """What the delta does to the members. A page does nothing until its sync is complete."""

        PAGE = "page", _("Page of a full sync")
        ADDED = "added", _("Added")
        REMOVED = "removed", _("Removed")
        REPLACED = "replaced", _("Replaced")

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="deltas", db_index=False)
    sync = models.ForeignKey(
        CohortSync, null=True, on_delete=models.PROTECT, related_name="deltas", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    sequence = models.PositiveBigIntegerField(null=True)
    page = models.PositiveIntegerField(null=True)
    digest = models.BinaryField(max_length=16, default=bytes)
    members = models.BinaryField(default=bytes)
    left = models.BinaryField(default=bytes)
    entered_count = models.PositiveIntegerField(null=True)
    left_count = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=["sync", "page"], condition=~models.Q(kind="page"), name="delta_of_sync"),
            models.Index(
                fields=["cohort", "created_at"], condition=~models.Q(kind="page"), name="delta_of_day"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cohort", "sequence"], name="delta_sequence_once"),
            models.UniqueConstraint(
                fields=["sync", "page"], condition=models.Q(kind="page"), name="delta_page_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="page", sequence=None, page__isnull=False)
                | (~models.Q(kind="page") & models.Q(sequence__isnull=False)),
                name="delta_counts_or_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cohort_id} #{self.sequence}"


class LatestMove(models.Model):
    """A mark of the last time that memberships of a workspace moved from merged profiles to others.

    Whoever matched identifiers before it looks again (see `cohorts/moves.py`).
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.PROTECT, primary_key=True, related_name="+")
    mark = models.CharField(max_length=32)

    class Meta:
        verbose_name = _("latest move")
        verbose_name_plural = _("latest moves")

    def __str__(self) -> str:
        return self.mark


class StaleIncident(models.Model):
    """That a dynamic sync fell silent: from when it was found stale until its cohort was heard of again.

    Staff is mailed once when it begins and once when it ends. Only `cohorts/staleness.py` reads or writes them.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="incidents")
    heard_at = models.DateTimeField(_("last sync"), help_text="Before it fell silent.")
    began_at = models.DateTimeField(_("began"))
    claimed_at = models.DateTimeField(null=True, help_text="Since when somebody is mailing it.")
    told_at = models.DateTimeField(_("staff told"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_told_at = models.DateTimeField(_("staff told of the end"), null=True)

    class Meta:
        verbose_name = _("stale cohort")
        verbose_name_plural = _("stale cohorts")
        constraints = [
            models.UniqueConstraint(
                fields=["cohort"], condition=models.Q(ended_at=None), name="stale_incident_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cohort} · {self.began_at}"
