"""The builder's scripts and their texts know each other."""

from __future__ import annotations

import re
from pathlib import Path

from segments import builder_words

SCRIPTS = Path(builder_words.__file__).parent / "static" / "segments"
ASKED = re.compile(r"words\.([a-z_]+)")
# These come with the counts, in the `words` of their answer.
OF_COUNTS = {"total", "share", "sentence", "note", "announcement"}
# These are put together by the scripts: which way a group joins, which way a node moves, what a number counts.
PUT_TOGETHER = re.compile(r"(match|exclude)_(and|or)|move_(up|down|out|into_\w+)|unit_\w+")


def asked():
    return {word for script in SCRIPTS.glob("*.js") for word in ASKED.findall(script.read_text())}


def test_every_text_that_a_script_asks_for_exists():
    assert asked() - OF_COUNTS - builder_words.words().keys() == set()


def test_no_text_is_left_over():
    unasked = builder_words.words().keys() - asked()
    assert {word for word in unasked if not PUT_TOGETHER.fullmatch(word)} == set()
