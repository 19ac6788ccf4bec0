"""Every string of ours is there in French and German, and `make messages` was run after the last one was written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.apps import apps
from django.conf import settings

ROOT: Path = settings.BASE_DIR
CATALOGUE = Path("LC_MESSAGES", "django.po")
NOT_OURS = shutil.ignore_patterns(
    ".*", "tests", "benchmarks", "docs", "var", "staticfiles", "__pycache__", "node_modules"
)
# What a translation has to repeat: values, and tags.
KEPT = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|<[^>]+>")
# The collection knows the functions that mark a string by their names, and by this one of our own.
RENAMED = re.compile(r"gettext\w* as (?!_$|_[,)\s])\w+", re.MULTILINE)
Message = tuple[str | None, str, str]

every_language = pytest.mark.parametrize("language", ["fr", "de"])


def catalogue(language: str, root: Path = ROOT) -> polib.POFile:
    return polib.pofile(str(root / "locale" / language / CATALOGUE))


def key(entry: polib.POEntry | polib.MOEntry) -> Message:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def pairs(entry: polib.POEntry | polib.MOEntry) -> list[tuple[str, str]]:
    """Return each form of the original with its translation."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid_plural if form else entry.msgid, text) for form, text in entry.msgstr_plural.items()]


def test_no_string_is_marked_by_a_name_that_the_collection_does_not_know():
    homes = [Path(app.path) for app in apps.get_app_configs() if Path(app.path).parent == ROOT]
    modules = [path for home in [*homes, ROOT / "config"] for path in home.rglob("*.py")]
    assert [path.name for path in modules if RENAMED.search(path.read_text())] == []


@every_language
def test_no_translation_is_missing_fuzzy_or_obsolete(language):
    assert [e.msgid for e in catalogue(language) if e.fuzzy or e.obsolete or not e.translated()] == []


@every_language
def test_translations_keep_placeholders_and_tags(language):
    wrong = [
        entry.msgid
        for entry in catalogue(language)
        for original, translation in pairs(entry)
        if sorted(KEPT.findall(translation)) != sorted(KEPT.findall(original))
    ]
    assert wrong == []


@every_language
def test_compiled_catalogue_is_up_to_date(language):
    compiled_path = ROOT / "locale" / language / CATALOGUE.with_suffix(".mo")
    assert compiled_path.exists()
    compiled = polib.mofile(str(compiled_path))
    expected = {key(entry): pairs(entry) for entry in catalogue(language)}
    assert {key(entry): pairs(entry) for entry in compiled} == expected


@pytest.mark.skipif(
    not shutil.which("xgettext") and os.environ.get("CI") != "true", reason="needs gettext to collect strings"
)
def test_catalogues_hold_exactly_the_strings_of_the_code(tmp_path):
    """Collects anew into a copy, as `make messages` would in place."""
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=NOT_OURS)
    command = [sys.executable, "manage.py", "makemessages", "--locale", "fr", "--locale", "de"]
    subprocess.run([*command, "--no-obsolete", "--no-location"], cwd=copy, check=True, capture_output=True)
    for language in ("fr", "de"):
        known = {key(entry) for entry in catalogue(language) if not entry.obsolete}
        assert {key(entry) for entry in catalogue(language, copy)} == known
