"""The forms about who a user is: an external ID, an alias, another user, and the proof that one means to delete."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from profiles import admin_search, attributes, matching
from profiles.models import Profile

NOBODY = _("This stands for nobody. Enter what your systems call the user.")


def _text(label: Any, **more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "rc-input", "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=attributes.MAX_LENGTH, widget=widget, **more)


def _somebody(value: str) -> str:
    if matching.is_nobody(value):
        raise ValidationError(NOBODY)
    return value


class ExternalIdForm(forms.Form):
    """The external ID that a user is to have."""

    external_id = _text(
        _("External ID"), help_text=_("As your systems write it. Upper and lower case differ.")
    )

    def __init__(self, *args: Any, current: str | None, **kwargs: Any) -> None:
        self.current = current
        super().__init__(*args, **kwargs)

    def clean_external_id(self) -> str:
        """Refuse what names nobody, and what changes nothing."""
        value = _somebody(self.cleaned_data["external_id"])
        if value == self.current:
            raise ValidationError(_("This is the user’s external ID already."))
        return value


class AliasForm(forms.Form):
    """An alias that a user is to have."""

    label = _text(_("Label"), help_text=_("Which system calls the user so, for example crm."))
    name = _text(_("Name"), help_text=_("What it calls the user. Upper and lower case differ."))

    def clean_label(self) -> str:
        """Refuse what names nobody."""
        return _somebody(self.cleaned_data["label"])

    def clean_name(self) -> str:
        """Refuse what names nobody."""
        return _somebody(self.cleaned_data["name"])


class OtherUserForm(forms.Form):
    """Another user, by any identifier; `other` is that user once the form is valid."""

    identifier = _text(
        _("The other user"),
        help_text=_("An external ID, alias (label:name), device ID, email, phone or ID, the whole of it."),
    )

    def __init__(self, *args: Any, profile: Profile, **kwargs: Any) -> None:
        self.profile = profile
        self.other: Profile | None = None
        super().__init__(*args, **kwargs)

    def clean_identifier(self) -> str:
        """Find the one other user who is called so."""
        text: str = self.cleaned_data["identifier"]
        workspace_id = self.profile.workspace_id
        users = Profile.objects.live().filter(workspace=workspace_id)
        found = admin_search.by_identifier(users=users, workspace_id=workspace_id, text=text)
        others = [user for user in found if user.pk != self.profile.pk]
        if not found:
            raise ValidationError(_("Nobody has this identifier."))
        if not others:
            raise ValidationError(_("This is the user whose page you come from. Enter another one’s."))
        if len(found) > 1:
            raise ValidationError(_("Several users have it. Enter an identifier that only one has."))
        self.other = others[0]
        return text


class ProofForm(forms.Form):
    """What only those type who mean this user: the external ID, or our ID."""

    proof = _text(None)

    def __init__(self, *args: Any, profile: Profile, **kwargs: Any) -> None:
        self.expected, self.own_id = profile.external_id or str(profile.pk), str(profile.pk)
        super().__init__(*args, **kwargs)
        asked = _("Type the external ID of the user to confirm:")
        if not profile.external_id:
            asked = _("Type the ID of the user to confirm:")
        self.fields["proof"].label = format_html('{} <span class="rc-code">{}</span>', asked, self.expected)

    def clean_proof(self) -> str:
        """Refuse anything else."""
        value: str = self.cleaned_data["proof"]
        if value not in {self.expected.strip(), self.own_id}:
            raise ValidationError(_("This is not what is asked for. Nothing was deleted."))
        return value
