"""The form of the allotment."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Allotment

MAX_DATA_POINTS = 10**15  # far more than anybody uses, and far less than a database's integer holds
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


class AllotmentForm(forms.Form):
    """How many data points, in which periods; without a number, no allotment."""

    data_points = forms.IntegerField(
        label=_("Data points in each period"),
        required=False,
        min_value=1,
        max_value=MAX_DATA_POINTS,
        help_text=_("Leave it blank for no allotment."),
        widget=forms.NumberInput(attrs={"class": "rc-input"}),
    )
    period = forms.ChoiceField(
        label=_("Period"), choices=Allotment.Period, widget=forms.Select(attrs={"class": "rc-input"})
    )
    starts_on = forms.DateField(
        label=_("First day of a period"),
        help_text=_("Days begin at midnight UTC. Periods follow each other from this day on, and before it."),
        widget=forms.DateInput(attrs={"class": "rc-input", "type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    @classmethod
    def of(cls, allotment: Allotment | None, *, today: date) -> AllotmentForm:
        """Return the form of an allotment as it is; without one, a suggestion."""
        if allotment is None:
            return cls(initial={"period": Allotment.Period.MONTH, "starts_on": today.replace(day=1)})
        known: dict[str, Any] = {name: getattr(allotment, name) for name in cls.base_fields}
        return cls(initial=known)

    def clean_starts_on(self) -> date:
        """Keep to days near enough to count from."""
        day: date = self.cleaned_data["starts_on"]
        if not EARLIEST <= day <= LATEST:
            raise forms.ValidationError(
                _("Enter a day from %(earliest)s to %(latest)s."),
                params={"earliest": EARLIEST.isoformat(), "latest": LATEST.isoformat()},
            )
        return day
