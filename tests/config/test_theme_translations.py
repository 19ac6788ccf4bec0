"""The admin theme ships neither French nor German: what it says is translated by Django or by `locale/theme`.

The strings are collected from the installed theme, so an upgrade that says something new fails here and lists it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import django
import polib
import pytest
import unfold
from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import templatize

Message = tuple[str | None, str]  # context and msgid

THEME = Path(unfold.__file__).parent
CATALOGUES = settings.BASE_DIR / "locale" / "theme"
CATALOGUE = Path("LC_MESSAGES", "django.po")
GETTEXT = re.compile(r"_|n?p?gettext(_lazy)?")
LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"\b(?:_|n?p?gettext)\({LITERAL}(?:, {LITERAL})*")
# What a translation has to repeat: values, tags, and the space around the text.
KEPT = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}|<[^>]+>|^\s+|\s+$")
FRENCH_SLIPS = re.compile(r"[^\u00a0][:;?!»](?=\s|$)|«[^\u00a0]|\w'\w")

every_language = pytest.mark.parametrize("language", ["fr", "de"])


# --- what the theme says -----------------------------------------------------------------------------------
def messages_in_python(source: str) -> Iterator[Message]:
    """Find calls anywhere, in f-strings too, where xgettext finds none."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and GETTEXT.fullmatch(
            name := ast.unparse(node.func).rpartition(".")[2]
        ):
            yield message_of(name, [word.value for word in node.args if isinstance(word, ast.Constant)])


def messages_in_template(source: str) -> Iterator[Message]:
    """Find tags and `_()`: Django turns both into Python calls among placeholders."""
    for call in CALL.findall(templatize(source)):
        yield from messages_in_python(f"{call})")


def message_of(name: str, words: list[str]) -> Message:
    return (words[0], words[1]) if "pgettext" in name else (None, words[0])


@cache
def messages_of_theme() -> frozenset[Message]:
    readers = {"*.py": messages_in_python, "*.html": messages_in_template, "*.txt": messages_in_template}
    return frozenset(
        message
        for pattern, messages_in in readers.items()
        for path in THEME.rglob(pattern)
        for message in messages_in(path.read_text())
    )


# --- what the catalogues know ------------------------------------------------------------------------------
def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(CATALOGUES / language / CATALOGUE))


def messages_of_django(language: str) -> set[Message]:
    homes = [Path(app.path) for app in apps.get_app_configs() if app.name.startswith("django.contrib.")]
    files = [
        home / "locale" / language / CATALOGUE for home in [*homes, Path(django.__file__).parent / "conf"]
    ]
    return {
        key(entry)
        for file in files
        if file.exists()
        for entry in polib.pofile(str(file))
        if entry.translated()
    }


def key(entry: polib.POEntry | polib.MOEntry) -> Message:
    return entry.msgctxt, entry.msgid


def pairs(entry: polib.POEntry | polib.MOEntry) -> list[tuple[str, str]]:
    """Return each form of the original with its translation."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid_plural if form else entry.msgid, text) for form, text in entry.msgstr_plural.items()]


# --- the promises ------------------------------------------------------------------------------------------
def test_every_way_of_marking_a_string_is_found():
    python = (
        """_("a" " b"); f"{gettext_lazy('c')} d"; translation.pgettext("e", "f"); ngettext("g", "h", 2)"""
    )
    template = """{% trans "i" %}{% translate 'j' context "k" %}{% include "l" with m=_("n") o=p|default:_('q') %}
    {% blocktranslate count r=s with t=u %}v {{ t }}'s{% plural %}w{% endblocktranslate %}it's x _("y")"""
    assert set(messages_in_python(python)) == {(None, "a b"), (None, "c"), ("e", "f"), (None, "g")}
    assert set(messages_in_template(template)) == {
        (None, "i"),
        ("k", "j"),
        (None, "n"),
        (None, "q"),
        (None, "v %(t)s's"),
    }


@every_language
def test_every_string_of_the_theme_is_translated(language):
    known = {key(entry) for entry in catalogue(language)} | messages_of_django(language)
    assert sorted(messages_of_theme() - known, key=repr) == []


@every_language
def test_catalogue_holds_nothing_the_theme_no_longer_says(language):
    assert {key(entry) for entry in catalogue(language)} <= messages_of_theme()


@every_language
def test_no_translation_is_fuzzy_empty_or_obsolete(language):
    assert [e.msgid for e in catalogue(language) if e.fuzzy or e.obsolete or not e.translated()] == []


@every_language
def test_translations_keep_placeholders_tags_and_outer_space(language):
    for entry in catalogue(language):
        for original, translation in pairs(entry):
            assert sorted(KEPT.findall(translation)) == sorted(KEPT.findall(original)), entry.msgid


def test_french_has_its_no_break_spaces_and_apostrophes():
    texts = [text for entry in catalogue("fr") for _original, text in pairs(entry)]
    assert [text for text in texts if FRENCH_SLIPS.search(text)] == []


@every_language
def test_compiled_catalogue_is_up_to_date(language):
    source = catalogue(language)
    compiled = polib.mofile(str(CATALOGUES / language / CATALOGUE.with_suffix(".mo")))
    assert {key(entry): pairs(entry) for entry in compiled} == {key(entry): pairs(entry) for entry in source}


@every_language
def test_page_of_the_theme_shows_the_translation(administrator_client, language):
    original = "You have been successfully logged out from the administration"
    translation = next(entry.msgstr for entry in catalogue(language) if entry.msgid == original)
    answer = administrator_client.post(reverse("admin:logout"), headers={"accept-language": language})
    assert escape(translation) in answer.content.decode()
