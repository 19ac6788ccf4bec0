"""The form of one custom attribute: its name, what sort of value it has, and the value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from profiles import attributes, numbers, tracking_values
from profiles.attributes import AttributeValueError
from profiles.editing import Edit

# Names that the tracking API gives a meaning of its own.
_RESERVED = frozenset(
    [
        *("external_id", "user_alias", "device_id", "profile_id", "braze_id", "push_token_import"),
        *("_update_existing_only", "_merge_objects"),
        *attributes.STANDARD,
    ]
)


class Kind(models.TextChoices):
    """What sort of value."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    BOOLEAN = "boolean", _("Yes or no")
    JSON = "json", _("List or object (JSON)")


def fault_of(name: str) -> str | None:
    """Return why no custom attribute can have a name; None if one can."""
    if name.startswith("$"):
        return gettext("A name must not begin with $.")
    if name in _RESERVED:
        return gettext("This name has a meaning of its own: it is no custom attribute.")
    try:
        return None if attributes.text("name", name).strip() else gettext("Enter a name.")
    except AttributeValueError:
        return gettext("A name has at most 255 characters, and no NUL character.")


class AttributeForm(forms.Form):
    """One custom attribute of a profile. `name` is None for a new one; each sort of value has a field of its own."""

    name = forms.CharField(label=_("Name"), max_length=attributes.MAX_LENGTH)
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Value"), required=False, strip=False, max_length=attributes.MAX_LENGTH, widget=forms.Textarea
    )
    number = forms.CharField(label=_("Value"), required=False)
    boolean = forms.ChoiceField(
        label=_("Value"), required=False, choices=[("true", _("Yes")), ("false", _("No"))]
    )
    json = forms.CharField(label=_("Value"), required=False, max_length=200_000, widget=forms.Textarea)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, name: str | None, current: Mapping[str, Any]
    ) -> None:
        self.old_name, self.current = name, current
        self.value: Any = None
        self.before = _before(data, current.get(name or ""))
        super().__init__(data, initial=_initial(name, current.get(name or "")))
        if name is not None:
            del self.fields["name"]  # the address says it
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect):
                field.widget.attrs.setdefault("class", "rc-input")
        self.fields["text"].widget.attrs["rows"] = 3
        self.fields["number"].widget.attrs["inputmode"] = "decimal"

    @property
    def seen_text(self) -> str:
        """The value when the form was shown, as the form sends it back."""
        return orjson.dumps(self.before).decode()

    def clean_name(self) -> str:
        """Refuse names that are taken, or mean something else."""
        name: str = self.cleaned_data["name"]
        if fault := fault_of(name):
            raise ValidationError(fault)
        if name in self.current:
            raise ValidationError(_("This user has an attribute of this name already. Edit that one."))
        if len(self.current) >= settings.MAX_CUSTOM_ATTRIBUTES:
            full = gettext("This user has {count} custom attributes: there is no room for more.")
            raise ValidationError(full.format(count=numbers.count(len(self.current))))
        return name

    def clean(self) -> dict[str, Any]:
        """Read the value by its kind."""
        kind = self.cleaned_data.get("kind")
        if kind and kind not in self.errors:
            try:
                self.value = _read(Kind(kind), self.cleaned_data.get(kind, ""))
            except ValidationError as error:
                self.add_error(kind, error)
        for other in set(Kind.values) - {kind}:
            self.errors.pop(other, None)
        return self.cleaned_data

    def edits(self) -> dict[str, Edit]:
        """Return what was changed in the form; nothing if it is not valid."""
        if not self.is_valid():
            return {}
        name = self.cleaned_data["name"] if self.old_name is None else self.old_name
        return {name: Edit(self.before, self.value)}

    def removal(self) -> dict[str, Edit]:
        """Return what it is to remove the attribute."""
        return {self.old_name: Edit(self.before, None)} if self.old_name is not None else {}


def _before(data: Mapping[str, Any] | None, now: Any) -> Any:
    """Return what the sender of a form saw; nonsense was seen as it is now."""
    try:
        return orjson.loads((data or {})["seen"])
    except (KeyError, orjson.JSONDecodeError):
        return now


def _initial(name: str | None, value: Any) -> dict[str, Any]:
    kind = kind_of(value)
    match kind:
        case Kind.BOOLEAN:
            shown = "true" if value else "false"
        case Kind.TEXT:
            shown = value or ""
        case _:
            shown = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return {"name": name, "kind": kind, kind: shown}


def kind_of(value: Any) -> Kind:
    """Return what sort of value a custom attribute has; a text if it has none yet."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    return Kind.JSON if isinstance(value, list | dict) else Kind.TEXT


def _read(kind: Kind, text: str) -> Any:
    """Return the value that a text stands for. Raises ValidationError."""
    value: Any = text
    if kind is Kind.BOOLEAN:
        return text == "true"
    if kind is Kind.NUMBER:
        value = _number(text)
    elif kind is Kind.JSON:
        value = _nested(text)
    elif not text:
        raise ValidationError(_("Enter a text, or remove the attribute."))
    try:
        return tracking_values.read("value", value)(None)
    except AttributeValueError as error:
        raise ValidationError(
            _(
                "This is more than an attribute may hold: 64 bits, 255 characters, 500 elements, 100 kB, 50 levels."
            )
        ) from error


def _number(text: str) -> Any:
    try:
        value = orjson.loads(text.strip().replace(",", "."))
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError(_("Enter a number, like 512.5."))
    return value


def _nested(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, list | dict):
        raise ValidationError(_('Enter a list or an object as JSON, like ["a", "b"] or {"size": 42}.'))
    return value
