"""The form of a segment: its name, and the filters as the JSON that the builder writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from segments import audience, builder, filters, references
from segments.filters import Fault, FilterError, Group, Names
from segments.models import Segment, nobody_yet
from segments.outline import Line, outline

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
    """Checks a segment against its workspace. `faults` are those of the filters, each with its node's pointer."""

    workspace: ClassVar[Workspace]
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
        if "description" in self.fields:  # those who may only look have no such field
            self.fields["description"].widget.attrs["rows"] = 2

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
            tree = filters.parse(self.cleaned_data["definition"])
            audience.ask(workspace=self.workspace, tree=tree, own=self.instance, now=timezone.now())
        except FilterError as error:
            self.faults = error.faults
            raise ValidationError([fault.message for fault in error.faults]) from error
        return filters.dump(tree)

    # --- what the page shows -------------------------------------------------------------------------------
    @property
    def builder(self) -> dict[str, Any]:
        """What the builder starts with."""
        shown = self._shown()
        faults = self.faults or self._reading_faults()
        data = builder.page_data(workspace=self.workspace, own=self.instance, definition=shown, faults=faults)
        return data | {"is_edited": self.is_bound, "focus_fault": set(self.errors) == {"definition"}}

    @property
    def sentence(self) -> str:
        """The filters in one sentence; blank if they say nothing yet, or cannot be read."""
        tree = self._tree()
        return filters.describe(tree, self._names(tree)) if tree and filters.is_finished(tree) else ""

    @property
    def outline(self) -> Line | None:
        """The filters as indented lines, for pages without the builder."""
        tree = self._tree()
        return outline(tree, self._names(tree)) if tree and filters.is_finished(tree) else None

    def _shown(self) -> Any:
        if not self.is_bound:
            return self.instance.definition
        return DefinitionField().bound_data(self["definition"].data, None)

    def _reading_faults(self) -> list[Fault]:
        if "definition" in self.errors:
            return [Fault("/root", str(UNREADABLE))]
        try:
            filters.parse(self._shown(), is_draft=True)
        except FilterError as error:
            return error.faults
        return []

    def _tree(self) -> Group | None:
        try:
            return filters.parse(self._shown(), is_draft=True)
        except FilterError:
            return None

    def _names(self, tree: Group) -> Names:
        return references.load(workspace=self.workspace, trees=[tree]).there.names
