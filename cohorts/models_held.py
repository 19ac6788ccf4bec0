"""Members that match nobody yet, where the operator chose to hold them (`cohorts/held.py`)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class HeldSetQuerySet(models.QuerySet["HeldSet"]):
    """Questions asked of held sets."""

    def counting(self) -> HeldSetQuerySet:
        """Those whose members join as soon as their users exist: at most one of each cohort."""
        return self.filter(state=HeldSet.State.CURRENT)

    def wanted(self) -> HeldSetQuerySet:
        """Those whose members join, or may after their full sync is complete."""
        return self.exclude(state=HeldSet.State.DROPPED)

    def collecting(self) -> HeldSetQuerySet:
        """Those that full syncs fill, page by page."""
        return self.filter(state=HeldSet.State.COLLECTING)


class HeldSet(models.Model):
    """Held members of a cohort. A full sync fills a set of its own, which takes the place of the other at the swap.

    So the swap is a change of two rows, however many members are held. What is dropped is deleted soon after.
    """

    class State(models.TextChoices):
        """What the set is good for."""

        COLLECTING = "collecting", _("Waits for the pages of its sync")
        CURRENT = "current", _("Waits for users")
        DROPPED = "dropped", _("To be deleted")

    cohort = models.ForeignKey("cohorts.Cohort", on_delete=models.PROTECT, related_name="held_sets")
    sync = models.ForeignKey(
        "cohorts.CohortSync", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = models.CharField(max_length=10, choices=State)
    member_count = models.PositiveIntegerField(default=0)
    checked_as_of = models.DateTimeField(
        null=True, help_text="Since when changed profiles were not compared yet; None for all profiles."
    )

    objects = HeldSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("held members")
        verbose_name_plural = _("held members")
        constraints = [
            models.UniqueConstraint(
                fields=["cohort"], condition=models.Q(state="current"), name="held_set_counts_once"
            ),
            models.UniqueConstraint(
                fields=["sync"], condition=models.Q(state="collecting"), name="held_set_of_sync_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cohort} · {self.get_state_display()}"


class HeldKey(models.Model):
    """One key of one held member: a candidate as `profiles/matching.py` writes them, the first position first.

    `member` is a digest of all its keys: the same member that comes again is the same rows. `page` is that of the
    full sync which brought it, 0 without one. `held_at` is the clock of the database, as of a change of a profile.
    """

    pk = models.CompositePrimaryKey("key", "held_set", "member", "page")
    key = models.TextField()
    held_set = models.ForeignKey(HeldSet, on_delete=models.PROTECT, related_name="+", db_index=False)
    member = models.UUIDField()
    page = models.PositiveIntegerField(default=0)
    position = models.PositiveSmallIntegerField()
    held_at = models.DateTimeField()

    class Meta:
        verbose_name = _("key of a held member")
        verbose_name_plural = _("keys of held members")
        indexes = [
            models.Index(fields=["held_set", "member"], name="held_key_of_member"),
            models.Index(
                fields=["held_set", "held_at"], condition=models.Q(position=0), name="held_member_since"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.held_set_id} · {self.position}"
