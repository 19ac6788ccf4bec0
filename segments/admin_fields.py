"""Fields of the form of a segment: its tags as words between commas, and the moment that the form began with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.admin import TextWidget

MAX_TAGS, MAX_TAG = 20, 50
KNOWN_SHOWN = 10


class TagsField(forms.CharField):
    """Words between commas, each once whatever its case; as a list."""

    widget = TextWidget

    def __init__(self, **more: Any) -> None:
        super().__init__(label=gettext_lazy("Tags"), required=False, **more)

    def to_python(self, value: Any) -> Any:
        """Return the tags in their order."""
        words = (" ".join(word.split()) for word in (super().to_python(value) or "").split(","))
        first = {word.casefold(): word for word in reversed([word for word in words if word])}
        return list(reversed(first.values()))

    def prepare_value(self, value: Any) -> Any:
        """Return the tags as somebody types them."""
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether there are other tags now."""
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))

    def validate(self, value: Any) -> None:
        """Refuse too many tags, and tags that are too long."""
        super().validate(value)
        if len(value) > MAX_TAGS:
            text = ngettext("Choose {limit} tag at most.", "Choose {limit} tags at most.", MAX_TAGS)
            raise ValidationError(text.format(limit=MAX_TAGS))
        if too_long := [word for word in value if len(word) > MAX_TAG]:
            text = _("A tag has {limit} characters at most: “{tag}” is longer.")
            raise ValidationError([text.format(limit=MAX_TAG, tag=word) for word in too_long])


def help_on_tags(known: Sequence[str]) -> str:
    """Return how tags are written, with those the workspace has."""
    how = _("Separate tags by commas.")
    if not known:
        return how
    text = (
        _("In use so far: {tags}.") if len(known) <= KNOWN_SHOWN else _("In use so far: {tags} and others.")
    )
    return f"{how} {text.format(tags=', '.join(known[:KNOWN_SHOWN]))}"


class SeenField(forms.CharField):
    """The moment at which what the form shows was saved; None if it is new."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> Any:
        """Return the moment."""
        try:
            return datetime.fromisoformat(value) if value else None
        except ValueError as error:
            raise ValidationError(
                _("This form is too old. Load the page again and repeat what you did.")
            ) from error

    def prepare_value(self, value: Any) -> Any:
        """Return it to the microsecond, as it is compared."""
        return value.isoformat() if isinstance(value, datetime) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether somebody edited it: nobody does."""
        return False
