"""Where Django's own German does not fit ours, `locale/django` says it otherwise."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import django
import polib
import pytest
import rest_framework
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.translation import gettext, override

CATALOGUE = Path("LC_MESSAGES", "django.mo")
OURS = settings.BASE_DIR / "locale" / "django" / "de" / CATALOGUE
FAMILIAR = re.compile(r"\b(du|dich|dir|deine?|gib|stelle|lade|nutze|wähle|prüfe)\b", re.IGNORECASE)


def messages(path: Path) -> dict[tuple[str | None, str], polib.MOEntry]:
    return {(entry.msgctxt, entry.msgid): entry for entry in polib.mofile(str(path))}


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "vor 1 Tag"),
        (-3, "vor 3 Tagen"),
        (-15, "vor 2 Wochen, 1 Tag"),
        (-800, "vor 2 Jahren, 2 Monaten"),
        (16, "in 2 Wochen, 2 Tagen"),
    ],
)
def test_german_moments_are_all_told_in_one_way(days, words):
    with override("de"):
        told = naturaltime(timezone.now() + timedelta(days=days, minutes=5 if days > 0 else -5))
    assert told.replace("\u00a0", " ").startswith(words)


@pytest.mark.parametrize(
    ("original", "words"),
    [
        ("History", "Verlauf"),
        ("Change history: %s", "Änderungsverlauf: %s"),
        (
            "This object doesn’t have a change history. It probably wasn’t added via this admin site.",
            "Dieses Objekt hat keinen Änderungsverlauf. Vermutlich wurde es nicht auf diesen Seiten angelegt.",
        ),
        ("Save", "Speichern"),
        ("Save and add another", "Speichern und neu hinzufügen"),
        ("Save and continue editing", "Speichern und weiter bearbeiten"),
    ],
)
def test_german_buttons_say_what_our_own_texts_say(original, words):
    with override("de"):
        assert gettext(original) == words


def test_no_form_calls_its_reader_du():
    homes = [Path(package.__file__).parent for package in (django, rest_framework)]
    of_django, of_rest = (
        messages(home / locale / "de" / CATALOGUE)
        for home, locale in zip(homes, ("conf/locale", "locale"), strict=True)
    )
    with override("de"):
        said = [gettext(msgid) for _context, msgid in of_django.keys() & of_rest.keys()]
    assert said
    assert [text for text in said if FAMILIAR.search(text)] == []


def test_everything_mended_is_still_said():
    known: set[tuple[str | None, str]] = set()
    for home in ("conf", "contrib/admin", "contrib/humanize"):
        known |= messages(Path(django.__file__).parent / home / "locale" / "de" / CATALOGUE).keys()
    assert messages(OURS).keys() <= known


def test_mended_catalogue_is_compiled():
    source = {(entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(OURS.with_suffix(".po")))}
    compiled = messages(OURS)
    assert source.keys() == compiled.keys()
    for key, entry in source.items():
        assert (compiled[key].msgstr, compiled[key].msgstr_plural) == (entry.msgstr, entry.msgstr_plural)
