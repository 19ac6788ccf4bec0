"""The form of an export: which fields of the members the file has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from profiles import admin_attributes, export_columns
from profiles.attributes import MAX_LENGTH
from profiles.csv_rows import CUSTOM_PREFIX
from profiles.export_columns import ExportColumnsError

OWN = {
    "external_id": _("External ID"),
    "profile_id": _("Profile ID"),
    "device_id": _("Devices"),
    "user_aliases": _("Aliases"),
    "created_at": _("Created"),
    "custom_attributes": _("All custom attributes, as JSON in one column"),
}
USUAL = ("external_id", "email", "first_name", "last_name", "country", "language")


def title_of(column: str) -> str:
    """Return what a column of an export is called on pages."""
    if column.startswith(CUSTOM_PREFIX):
        return column.removeprefix(CUSTOM_PREFIX)
    return str(OWN[column]) if column in OWN else admin_attributes.name_of(column)


def _choices() -> list[tuple[str, str]]:
    return [(name, title_of(name)) for name in export_columns.NAMES]


class ExportForm(forms.Form):
    """The fields of a file. `columns` are those of `profiles/export_columns.py`, in the order of the form."""

    chosen = forms.MultipleChoiceField(required=False, choices=_choices)
    custom = forms.CharField(
        label=_("Names of custom attributes, one on each line"),
        required=False,
        help_text=_("Each gets a column of its own; users who do not have it have a blank cell there."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, like: Sequence[str] | None = None) -> None:
        """Begin with what was sent, or the columns of an earlier export, or the usual ones."""
        named = [name.removeprefix(CUSTOM_PREFIX) for name in like or () if name.startswith(CUSTOM_PREFIX)]
        super().__init__(data, initial={"chosen": like or USUAL, "custom": "\n".join(named)})
        self.columns: list[str] = []

    def clean(self) -> None:
        """Put the columns together. Refuses none, and names that are none."""
        names = dict.fromkeys(line.strip() for line in self.cleaned_data.get("custom", "").splitlines())
        names.pop("", None)
        if any(len(name) > MAX_LENGTH or "\x00" in name for name in names):
            self.add_error("custom", gettext("A name has at most 255 characters, and no NUL character."))
        chosen = set(self.cleaned_data.get("chosen", ()))
        own = [name for _title, names_ in self.groups_of_names() for name in names_ if name in chosen]
        self.columns = [*own, *(CUSTOM_PREFIX + name for name in names)]
        try:
            export_columns.check(self.columns)
        except ExportColumnsError as error:
            raise ValidationError(self._reason()) from error

    def _reason(self) -> str:
        if not self.columns:
            return gettext("Choose at least one field.")
        told = gettext("A file has at most {count} columns.")
        return told.format(count=export_columns.MAX_COLUMNS)

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """The fields by group: what each is called, and whether it is chosen."""
        chosen = set(self["chosen"].value() or ())
        return [
            (title, [(name, title_of(name), name in chosen) for name in names])
            for title, names in self.groups_of_names()
        ]

    @staticmethod
    def groups_of_names() -> Iterable[tuple[str, list[str]]]:
        """Return the fields by group, but for all custom attributes as one."""
        yield gettext("User"), [name for name in OWN if name != export_columns.CUSTOM]
        for title, names in admin_attributes.GROUPS:
            yield str(title), [name for name in names if name in export_columns.NAMES]
        yield gettext("Custom attributes"), [export_columns.CUSTOM]
