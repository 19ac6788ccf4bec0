"""What the value of a filter may be: how it is entered, read, and said in a sentence. Pure.

A value that was read is hashable. None stands for one that is still to be entered: a draft may hold it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

MAX_TEXT = 255
MAX_TEXTS = 100  # a longer list of chips is no longer readable
MAX_ID = 2**63 - 1


class ValueFaultError(ValueError):
    """A value that its filter cannot take; the message says what is allowed."""


@dataclass(frozen=True)
class Names:
    """What things are called that filters mention by their id."""

    cohorts: Mapping[int, str] = field(default_factory=dict)
    segments: Mapping[int, str] = field(default_factory=dict)


class Value(Protocol):
    """A kind of value."""

    def read(self, raw: Any) -> Any:
        """Return the value of what JSON holds, None if it is still to be entered. Raises ValueFaultError."""

    def dump(self, value: Any) -> Any:
        """Return the JSON of a value."""

    def tell(self, value: Any, names: Names) -> str:
        """Return a value as it stands in a sentence."""

    def widget(self) -> dict[str, Any]:
        """Return how the builder asks for it."""

    @property
    def missing(self) -> str:
        """What is said of a value that is not there."""


def quoted(text: str) -> str:
    """Return a text as it stands in a sentence."""
    return _("“{name}”").format(name=text)


def any_of(texts: Sequence[str]) -> str:
    """Return `a, b or c`."""
    return str(get_text_list(list(texts), pgettext("joins conditions", "or")))


def all_of(texts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return str(get_text_list(list(texts), pgettext("joins conditions", "and")))


class Json:
    """A value that JSON holds as it is."""

    def dump(self, value: Any) -> Any:
        """Return the JSON of a value."""
        return list(value) if isinstance(value, tuple) else value

    @property
    def missing(self) -> str:
        """What is said of a value that is not there."""
        return _("Enter a value.")


class Nothing(Json):
    """The operator says it all."""

    def read(self, raw: Any) -> tuple[()]:
        """Return nothing, which is never missing."""
        if raw not in (None, "", []):
            raise ValueFaultError(_("This filter takes no value."))
        return ()

    def tell(self, value: Any, names: Names) -> str:
        """Return nothing."""
        return ""

    def widget(self) -> dict[str, Any]:
        """Return none."""
        return {"widget": "none"}


@dataclass(frozen=True)
class Text(Json):
    """A text; `suggests` if values of users can be offered."""

    suggests: bool = False

    def read(self, raw: Any) -> str | None:
        """Return the text."""
        return _text(raw) or None

    def tell(self, value: str, names: Names) -> str:
        """Return the text in quotes."""
        return quoted(value)

    def widget(self) -> dict[str, Any]:
        """Return a field."""
        return {"widget": "text", "max": MAX_TEXT, "suggests": self.suggests, "label": _("Value")}


@dataclass(frozen=True)
class Texts(Json):
    """One or several texts: of fixed `choices` (text and name), or freely chosen."""

    choices: Sequence[tuple[str, Any]] = ()
    suggests: bool = False
    is_all: bool = False

    def read(self, raw: Any) -> tuple[str, ...] | None:
        """Return the texts, each once."""
        texts = tuple(dict.fromkeys(_text(item) for item in items(raw)))
        if "" in texts:
            raise ValueFaultError(_("A value must not be blank."))
        allowed = [choice for choice, _name in self.choices]
        if allowed and (wrong := [text for text in texts if text not in allowed]):
            raise ValueFaultError(_("“{value}” is none of the choices.").format(value=wrong[0][:50]))
        return texts or None

    def tell(self, value: tuple[str, ...], names: Names) -> str:
        """Return `“a” or “b”`."""
        called = dict(self.choices)
        texts = [quoted(str(called.get(text, text))) for text in value]
        return all_of(texts) if self.is_all else any_of(texts)

    def widget(self) -> dict[str, Any]:
        """Return a field of chips."""
        choices = [{"id": choice, "name": str(name), "note": ""} for choice, name in self.choices]
        return _chips(choices or None, suggests=self.suggests, is_free=not choices, label=_("Values"))


@dataclass(frozen=True)
class Ids(Json):
    """One or several things of the workspace, `of` the names' mapping of that name."""

    of: str
    label: Any
    gone: Any
    none: Any
    is_all: bool = False

    @property
    def missing(self) -> str:
        """Return what to choose."""
        return str(self.none)

    def read(self, raw: Any) -> tuple[int, ...] | None:
        """Return the ids, each once."""
        return tuple(dict.fromkeys(an_id(item) for item in items(raw))) or None

    def tell(self, value: tuple[int, ...], names: Names) -> str:
        """Return `“a” or “b”`."""
        called: Mapping[int, str] = getattr(names, self.of)
        texts = [quoted(called[item]) if item in called else str(self.gone) for item in value]
        return all_of(texts) if self.is_all else any_of(texts)

    def widget(self) -> dict[str, Any]:
        """Return a list to choose from; the builder's page adds the choices."""
        return {**_chips([], suggests=False, is_free=False, label=str(self.label)), "of": self.of}


def an_id(raw: Any) -> int:
    """Return the id of a thing. Raises ValueFaultError."""
    if type(raw) is not int or not 0 < raw <= MAX_ID:
        raise ValueFaultError(_("The value must be chosen from the list."))
    return raw


def _text(raw: Any) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise ValueFaultError(_("The value must be text."))
    if len(raw) > MAX_TEXT:
        raise ValueFaultError(_("The value has {limit} characters at most.").format(limit=MAX_TEXT))
    if "\x00" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
        raise ValueFaultError(_("The value holds a character that no text can have."))
    return raw


def items(raw: Any) -> list[Any]:
    """Return what a list holds. Raises ValueFaultError."""
    if raw in (None, ""):
        return []
    if not isinstance(raw, list):
        raise ValueFaultError(_("The value must be a list."))
    if len(raw) > MAX_TEXTS:
        raise ValueFaultError(_("Choose {limit} values at most.").format(limit=MAX_TEXTS))
    return raw


def _chips(choices: Any, *, suggests: bool, is_free: bool, label: str) -> dict[str, Any]:
    more = {"choices": choices, "suggests": suggests, "is_free": is_free, "label": label}
    return {"widget": "texts", "max": MAX_TEXTS, **more}
