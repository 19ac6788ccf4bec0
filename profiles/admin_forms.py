"""The forms that edit a user by hand: standard attributes all at once, custom ones one at a time.

Each carries, unseen, what its attributes were when it was shown: what came in meanwhile is found by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from profiles import admin_attributes, attributes, editing
from profiles.attributes import AttributeValueError
from profiles.editing import Edit
from profiles.models import Profile

_MOMENTS = ("date_of_first_session", "date_of_last_session")
_WIDGETS: dict[str, dict[str, str]] = {
    "dob": {"type": "date"},
    **{name: {"type": "datetime-local", "step": "1"} for name in _MOMENTS},
    "email": {"inputmode": "email"},
    "phone": {"inputmode": "tel"},
}
_HINTS = {
    "country": _("As your systems write it, for example PT."),
    "language": _("As your systems write it, for example en."),
    "time_zone": _("For example Europe/Lisbon."),
    **dict.fromkeys(_MOMENTS, _("In UTC.")),
}
_EXAMPLES = {
    "dob": _("Enter a date, like 1990-12-31."),
    **dict.fromkeys(_MOMENTS, _("Enter a time, like 2026-01-31T09:30:00.")),
}


class AttributesForm(forms.Form):
    """The standard attributes of a profile, each as a text; `meanwhile` says what others made of some of them."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        profile: Profile,
        kept: Mapping[str, str] | None = None,
        meanwhile: Mapping[str, str] | None = None,
    ) -> None:
        self.seen = _seen(data, editing.texts_of(profile))
        super().__init__(data, initial=self.seen | dict(kept or {}))
        self.fields = {name: _field(name) for name in self.seen}
        self.meanwhile = dict(meanwhile or {})

    @property
    def seen_text(self) -> str:
        """What the attributes were when the form was shown, as the form sends it back."""
        return orjson.dumps(self.seen).decode()

    def groups(self) -> Iterator[tuple[Any, list[tuple[forms.BoundField, str | None]]]]:
        """Yield the fields in the groups of the user's page, each with what others made of it meanwhile."""
        for title, names in admin_attributes.GROUPS:
            yield title, [(self[name], self._became(name)) for name in names if name in self.fields]

    def _became(self, name: str) -> str | None:
        value = self.meanwhile.get(name)
        return None if value is None else dict(admin_attributes.choices_of(name)).get(value, value)

    def clean(self) -> dict[str, Any]:
        """Read each value as the tracking API would; what was not touched may stay as odd as it is."""
        for name, value in list(self.cleaned_data.items()):
            if name not in self.errors and not self._is_as_seen(name, value):
                try:
                    self.cleaned_data[name] = _canonical(name, value)
                except ValidationError as error:
                    self.add_error(name, error)
        return self.cleaned_data

    def edits(self) -> dict[str, Edit]:
        """Return what was changed in the form."""
        return {
            name: Edit(self.seen[name], value)
            for name, value in self.cleaned_data.items()
            if not self._is_as_seen(name, value)
        }

    def _is_as_seen(self, name: str, value: str) -> bool:
        """Whether a value is the one that was shown: browsers drop line breaks, and seconds that are none."""
        seen = self.seen[name]
        shortest = seen.removesuffix(":00") if name in _MOMENTS else seen
        return value in {seen, shortest, seen.replace("\r", "").replace("\n", "")}


def _seen(data: Mapping[str, Any] | None, now: dict[str, str]) -> dict[str, str]:
    """Return what the sender of a form saw; what is missing or nonsense was seen as it is now."""
    try:
        sent = orjson.loads((data or {}).get("seen", ""))
    except orjson.JSONDecodeError:
        sent = None
    if not isinstance(sent, dict):
        return now
    return {name: sent[name] if isinstance(sent.get(name), str) else text for name, text in now.items()}


def _field(name: str) -> forms.Field:
    common: dict[str, Any] = {
        "label": admin_attributes.name_of(name),
        "required": False,
        "help_text": _HINTS.get(name, ""),
    }
    choices = admin_attributes.choices_of(name)
    if choices:
        widget = forms.Select(attrs={"class": "rc-input"})
        return forms.ChoiceField(choices=[("", _("Not known")), *choices], widget=widget, **common)
    attrs = {"class": "rc-input", "autocomplete": "off", **_WIDGETS.get(name, {})}
    return forms.CharField(
        max_length=attributes.MAX_LENGTH, strip=False, widget=forms.TextInput(attrs=attrs), **common
    )


def _canonical(name: str, value: str) -> str:
    """Return a text as `editing.text_of` writes it. Raises ValidationError."""
    if name == "email" and value:
        validate_email(value)
    try:
        return editing.text_of(attributes.read(name, value or None))
    except AttributeValueError as error:
        raise ValidationError(_EXAMPLES.get(name, _("This value cannot be kept."))) from error
