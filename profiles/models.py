"""The people: profiles, what identifies them, what they did, the set of all who are live, and how they come in."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from accounts.models import Workspace
from profiles.indexes import by_prefix
from profiles.models_imports import ImportJob

__all__ = [
    "CustomEvent",
    "EventName",
    "EventReceipt",
    "FilterBitmap",
    "Identifier",
    "ImportJob",
    "Profile",
    "ProfileChange",
]


class ProfileQuerySet(models.QuerySet["Profile"]):
    """Questions asked of profiles."""

    def live(self) -> ProfileQuerySet:
        """Those that were not erased."""
        return self.filter(deleted_at=None)

    def for_workspace(self, workspace: Workspace) -> ProfileQuerySet:
        """Those of one workspace."""
        return self.filter(workspace=workspace)

    def in_bitmap(self, members: BitMap) -> ProfileQuerySet:
        """Those whose id is in a small bitmap (a page of a list)."""
        return self.filter(id__in=members.to_array().tolist())


class Profile(models.Model):
    """One end user.

    An erased profile stays as an empty row, so that its id is never given to anybody else and every bitmap can be
    told that it is gone. Every write to a profile, its identifiers or its events is told to `profiles/changes.py`.
    """

    class Gender(models.TextChoices):
        """What the tracking API knows."""

        MALE = "M", _("Male")
        FEMALE = "F", _("Female")
        OTHER = "O", _("Other")
        NOT_APPLICABLE = "N", _("Not applicable")
        NOT_SAID = "P", _("Prefers not to say")

    class Subscription(models.TextChoices):
        """Whether a user wants to hear from us by a channel."""

        OPTED_IN = "opted_in", _("Opted in")
        SUBSCRIBED = "subscribed", _("Subscribed")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")

    id = models.AutoField(primary_key=True)  # 32 bits: ids are the members of roaring bitmaps
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(_("external ID"), max_length=255, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(_("email"), max_length=255, blank=True, default="")
    first_name = models.CharField(_("first name"), max_length=255, blank=True, default="")
    last_name = models.CharField(_("last name"), max_length=255, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=255, blank=True, default="")
    country = models.CharField(_("country"), max_length=255, blank=True, default="")
    language = models.CharField(_("language"), max_length=255, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=255, blank=True, default="")
    gender = models.CharField(_("gender"), max_length=1, choices=Gender, blank=True, db_default="")
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    home_city = models.CharField(_("home city"), max_length=255, blank=True, db_default="")
    email_subscribe = models.CharField(
        _("email subscription"), max_length=12, choices=Subscription, blank=True, db_default=""
    )
    push_subscribe = models.CharField(
        _("push subscription"), max_length=12, choices=Subscription, blank=True, db_default=""
    )
    first_session_at = models.DateTimeField(_("first session"), null=True, blank=True)
    last_session_at = models.DateTimeField(_("last session"), null=True, blank=True)
    push_tokens = models.JSONField(
        _("push tokens"), blank=True, db_default=models.Value([], models.JSONField())
    )
    custom_attributes = models.JSONField(_("custom attributes"), blank=True, default=dict)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            models.Index(fields=["workspace", "id"], name="profile_of_workspace"),
            # None on `changed_at`: what is indexed costs every update an entry in each of the indexes.
            by_prefix("email"),
            by_prefix("phone"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(external_id=None) | ~models.Q(external_id=""),
                name="profile_external_id_not_blank",
            )
        ]

    def __str__(self) -> str:
        return self.external_id or _("Anonymous user {id}").format(id=self.pk)


class Identifier(models.Model):
    """What a partner may call a profile by: `key` as `profiles/matching.py` writes it, unique per workspace.

    On PostgreSQL the primary key's index covers the profile's id and compares bytes (migration 0001): a page of
    1,000 keys is matched without touching the table.
    """

    pk = models.CompositePrimaryKey("workspace", "key")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.TextField()
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="identifiers")

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")

    def __str__(self) -> str:
        return self.key


class FilterBitmap(models.Model):
    """The profiles that one SQL filter selects, as a bitmap that is exact as of `as_of` (`profiles/filter_bitmaps.py`).

    `digest` names workspace-independent text and parameters of the filter; all live profiles are one, too.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.BinaryField(max_length=16)
    members = models.BinaryField()
    size_bytes = models.PositiveIntegerField(default=0)
    as_of = models.DateTimeField()
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("filter bitmap")
        verbose_name_plural = _("filter bitmaps")
        constraints = [models.UniqueConstraint(fields=["workspace", "digest"], name="filter_bitmap_once")]
        indexes = [models.Index(fields=["used_at"], name="filter_bitmap_used")]

    def __str__(self) -> str:
        return f"{self.workspace_id} {bytes(self.digest).hex()}"


class ProfileChange(models.Model):
    """Profiles that one transaction changed: the change marker (see `profiles/changes.py`)."""

    class Kind(models.TextChoices):
        """What of them: a filter on events need not look at who moved house."""

        EXISTENCE = "existence", _("Created or erased")
        ATTRIBUTES = "attributes", _("Attributes or identifiers")
        EVENTS = "events", _("Events")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    changed_at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=10, choices=Kind)
    members = models.BinaryField()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [models.Index(fields=["workspace", "changed_at"], name="profile_change_newest")]

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.changed_at}"


class EventName(models.Model):
    """What users of a workspace did at least once: a custom event, or the purchase of a product in a currency."""

    class Kind(models.TextChoices):
        """What sort of event."""

        CUSTOM = "custom", _("Custom event")
        PURCHASE = "purchase", _("Purchase")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    name = models.CharField(_("name"), max_length=255)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")

    class Meta:
        verbose_name = _("event name")
        verbose_name_plural = _("event names")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "name", "currency"], name="event_name_once"),
            models.CheckConstraint(
                condition=models.Q(kind="custom", currency="") | models.Q(kind="purchase"),
                name="event_name_currency_of_purchases",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CustomEvent(models.Model):
    """How often, and when, one profile did one thing. Purchases have a quantity and a revenue too.

    `days` maps the days of the last 90 (UTC, "2026-11-22") to the number of events. Updates touch no indexed
    column, so that PostgreSQL can do them in place. Names and profiles are never deleted, so the database is not
    asked to look for them: for each new row that takes longer than all the rest.
    """

    pk = models.CompositePrimaryKey("name", "profile")
    name = models.ForeignKey(
        EventName, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="events", db_constraint=False)
    count = models.PositiveBigIntegerField(_("count"))
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    days = models.JSONField(_("per day"), default=dict)
    quantity = models.PositiveBigIntegerField(_("quantity"), db_default=0)
    revenue = models.DecimalField(_("revenue"), max_digits=24, decimal_places=4, db_default=0)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.name_id} × {self.count}"


class EventReceipt(models.Model):
    """That an event was imported: one that comes again is not counted again.

    `digest` begins with the event's time, so that the receipts of a file fall on neighbouring pages of the index.
    """

    pk = models.CompositePrimaryKey("workspace", "digest")
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    digest = models.UUIDField()

    class Meta:
        verbose_name = _("event receipt")
        verbose_name_plural = _("event receipts")

    def __str__(self) -> str:
        return str(self.digest)


class PeopleCount(models.Model):
    """How many live users a workspace had on a day (UTC): the last count of the day stays."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    identified_count = models.PositiveIntegerField(_("identified"))
    anonymous_count = models.PositiveIntegerField(_("anonymous"))

    class Meta:
        verbose_name = _("number of users")
        verbose_name_plural = _("numbers of users")
        constraints = [models.UniqueConstraint(fields=["workspace", "day"], name="people_count_once")]

    def __str__(self) -> str:
        return f"{self.workspace} · {self.day}"
