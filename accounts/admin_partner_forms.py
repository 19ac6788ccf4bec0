"""The forms of technology partners: naming one, the settings of its integration, its own key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts import partners
from accounts.authentication import MAX_SECRET_LENGTH
from accounts.models import Integration

if TYPE_CHECKING:
    IntegrationForm = forms.ModelForm[Integration]
else:
    # It takes a type parameter in its stubs only.
    IntegrationForm = forms.ModelForm

MOST_IDS, MOST_CALLS, MOST_MINUTES = 100_000, 100_000, 30 * 24 * 60


class PartnerForm(forms.Form):
    """The slug of any partner."""

    partner = forms.CharField(max_length=50)

    def clean_partner(self) -> str:
        """Refuse what no partner's address can hold."""
        slug: str = self.cleaned_data["partner"].lower()
        if not partners.is_slug(slug):
            raise ValidationError(
                _(
                    "Use lower-case letters, digits, hyphens and underscores, and begin with a letter or a digit."
                )
            )
        return slug


class SettingsForm(IntegrationForm):
    """Limits, pace and unmatched members. A number left blank leaves the matter to the server."""

    BOUNDS: ClassVar = {
        "id_limit": MOST_IDS,
        "calls_per_minute": MOST_CALLS,
        "expected_minutes": MOST_MINUTES,
    }

    class Meta:
        model = Integration
        fields = ("id_limit", "calls_per_minute", "expected_minutes", "holds_unmatched")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in self.BOUNDS.items():
            field = self.fields[name]
            field.validators = [MinValueValidator(1), MaxValueValidator(most)]
            field.help_text = ""
            field.widget = forms.TextInput(
                attrs={
                    "class": "rc-input",
                    "inputmode": "numeric",
                    "autocomplete": "off",
                    "aria-describedby": f"id_{name}_helptext",
                }
            )


class PartnerKeyForm(forms.Form):
    """The partner's own API key, which is written and never shown."""

    partner_api_key = forms.CharField(max_length=MAX_SECRET_LENGTH)
