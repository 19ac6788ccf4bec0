"""What the documents say of settings, commands and files is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT: Path = settings.BASE_DIR
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FROM_SETTINGS = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", (ROOT / "config" / "settings.py").read_text()))
FROM_ENVIRONMENT_ONLY = {"HOST", "PORT", "WEB_CONCURRENCY", "METRICS_DIR"}

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def test_example_names_every_setting_and_no_other():
    example = (ROOT / ".env.example").read_text()
    named = re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(named) == sorted(FROM_SETTINGS | FROM_ENVIRONMENT_ONLY)


def test_example_shows_the_defaults(settings):
    example = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^([A-Z_]+)=(\d+)$", example, re.MULTILINE))
    known = {name: str(getattr(settings, name)) for name in shown if hasattr(settings, name)}
    assert known
    assert {name: shown[name] for name in known} == known


@every_document
def test_links_lead_to_files(path):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@every_document
def test_files_named_exist(path):
    names = re.findall(r"`((?:\w+/)+\w+\.(?:py|md|yaml))`", path.read_text())
    assert [name for name in names if not (ROOT / name).exists()] == []


@every_document
def test_commands_named_exist(path):
    text = path.read_text()
    named = set(re.findall(r"manage\.py (\w+)", text))
    assert named - set(get_commands()) == set()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", text)) - targets == set()
