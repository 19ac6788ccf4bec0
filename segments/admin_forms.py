"""The form of a segment: its name, and the filters as the JSON that the builder writes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from segments import builder, filters, saving, wording
from segments.admin_fields import SeenField, TagsField, help_on_tags
from segments.filters import Fault, FilterError
from segments.models import Segment, SegmentTag, nobody_yet
from segments.saving import OutdatedError
from segments.wording import Words

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Segment]
else:
    # It takes a type parameter in its stubs only.
    ModelForm = forms.ModelForm
UNREADABLE = _("The filters could not be read. Reload the page and build them again.")


class DefinitionField(forms.JSONField):
    """A definition. Read by orjson, which bounds the depth; what cannot be read becomes a definition without filters."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Return what the JSON holds."""
        try:
            return orjson.loads(value or "")
        except orjson.JSONDecodeError as error:
            raise ValidationError(UNREADABLE) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what is shown again after a fault."""
        try:
            return orjson.loads(data or "")
        except orjson.JSONDecodeError:
            return nobody_yet()

    def prepare_value(self, value: Any) -> str:
        """Return the text of the hidden field."""
        return orjson.dumps(value).decode()

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the filters are others now."""
        return bool(initial != self.bound_data(data, initial))


class SegmentForm(ModelForm):
    """Checks a segment against its workspace. `faults` are those of the filters, each with its node's pointer.

    `conflict` is the segment as somebody else saved it meanwhile, if that is why it is not saved.
    """

    workspace: ClassVar[Workspace]
    tags = TagsField()
    seen_at = SeenField()
    definition = DefinitionField(label=_("Filters"), initial=nobody_yet)

    class Meta:
        model = Segment
        fields = ("name", "description", "definition")

    class Media:
        css: ClassVar = {
            "all": ["segments/builder.css", "segments/builder_fields.css", "segments/builder_summary.css"]
        }
        js: ClassVar = [forms.Script("segments/builder.js", type="module")]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: list[Fault] = []
        self.conflict: Segment | None = None
        if "description" in self.fields:  # those who may only look have no such field
            self.fields["description"].widget.attrs["rows"] = 2
            self._prepare_tags()
        if self.instance.pk is not None:
            self.initial["seen_at"] = self.instance.updated_at

    def _prepare_tags(self) -> None:
        mine = Exists(
            Segment.tags.through.objects.filter(segment=self.instance.pk, segmenttag=OuterRef("pk"))
        )
        known = SegmentTag.objects.filter(workspace=self.workspace).annotate(is_mine=mine).order_by("name")
        self.fields["tags"].help_text = help_on_tags([tag.name for tag in known])
        self.initial["tags"] = [tag.name for tag in known if tag.is_mine]

    def full_clean(self) -> None:
        """Check while nobody else changes segments: the transaction that saves this one holds their lock to its end."""
        if self.is_bound:
            saving.hold(workspace_id=self.workspace.pk)
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Refuse to save over what somebody else saved meanwhile, unless that was seen and shall be."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk is not None:
            overwritten = SeenField().to_python(self.data.get("overwrite"))
            cleaned["seen_at"] = overwritten or cleaned.get("seen_at")
            self._check_seen(cleaned["seen_at"])
        return cleaned

    def _check_seen(self, seen_at: datetime | None) -> None:
        try:
            saving.check_seen(segment=self.instance, seen_at=seen_at)
        except OutdatedError as error:
            self.conflict = error.segment
            self.add_error("seen_at", _("Somebody else saved this segment after you opened it."))
        except Segment.DoesNotExist:
            self.add_error(None, _("Somebody else deleted this segment after you opened it."))

    def clean_name(self) -> str:
        """Refuse a name the workspace has already."""
        name: str = self.cleaned_data["name"]
        others = Segment.objects.for_workspace(self.workspace).exclude(pk=self.instance.pk)
        if others.filter(name=name).exists():
            raise ValidationError(_("There is already a segment of this name. Choose another one."))
        return name

    def clean_definition(self) -> dict[str, Any]:
        """Return the definition as it is stored. Faults are kept for the builder, which shows them at their nodes."""
        try:
            return saving.check(
                workspace=self.workspace,
                segment=self.instance,
                definition=self.cleaned_data["definition"],
                now=timezone.now(),
            )
        except FilterError as error:
            self.faults = error.faults
            raise ValidationError([fault.message for fault in error.faults]) from error

    # --- what the page shows -------------------------------------------------------------------------------
    @property
    def builder(self) -> dict[str, Any]:
        """What the builder starts with."""
        shown = self.shown
        faults = self.faults or self._reading_faults()
        data = builder.page_data(
            workspace=self.workspace,
            own=self.instance,
            definition=shown,
            faults=faults,
            now=timezone.now(),
        )
        return data | {"is_edited": self.is_bound, "focus_fault": set(self.errors) == {"definition"}}

    @cached_property
    def words(self) -> Words:
        """The filters in words, for pages without the builder."""
        (words,) = wording.of(workspace=self.workspace, definitions=[self.shown])
        return words

    @property
    def shown(self) -> Any:
        """The definition that the page shows: the one that was sent, or the saved one."""
        if not self.is_bound:
            return self.instance.definition
        return DefinitionField().bound_data(self["definition"].data, None)

    def _reading_faults(self) -> list[Fault]:
        if "definition" in self.errors:
            return [Fault("/root", str(UNREADABLE))]
        try:
            filters.parse(self.shown, is_draft=True)
        except FilterError as error:
            return error.faults
        return []
