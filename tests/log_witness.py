"""A witness of the logs: whatever is logged during a test, as the line of JSON that production would write.

No line may hold an e-mail address at all, nor an id of the people the test is about. Those people are whoever the
factories make and whoever matching is asked for: members that a partner sent and nobody knows are among them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import structlog
from django.conf import settings

from profiles import matching

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
WORD = re.compile(r"\w(?:[\w.@+-]*\w)?")
# Fields whose values are not free: a name of the code, a moment, or random. An id like "post" may equal one of them.
SAFE = {"timestamp", "level", "logger", "method", "route", "request_id", "exception", "places"}
# Shorter ids, and short numbers, are met by chance: in a count, an id of a row, a word.
SHORTEST, SHORTEST_NUMBER = 3, 6
# What test clients and tools say of what they send.
TOOLS = ("asyncio", "factory", "faker", "httpcore", "httpx", "hypothesis", "schemathesis", "urllib3")


class Witness(logging.Handler):
    """What was logged since the test began, and about whom it was."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(production_formatter())
        self.lines: list[str] = []
        self.ids: set[str] = set()
        self.phrases: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line that production would write."""
        if not record.name.startswith(TOOLS):
            self.lines.append(self.format(record))

    def know(self, keys: Iterable[str]) -> None:
        """Note people, by matching's keys: external ids, devices, and names of aliases."""
        for key in keys:
            kind, _, rest = key.partition(":")
            name = matching.alias_of(key)[1] if kind == "a" else rest
            if len(name) >= (SHORTEST_NUMBER if name.isdecimal() else SHORTEST):
                (self.ids if WORD.fullmatch(name) else self.phrases).add(name.lower())

    def forget(self) -> None:
        """Begin anew."""
        self.lines.clear()

    def leaks(self) -> list[str]:
        """Return the lines that name somebody."""
        return [line for line in self.lines if EMAIL.search(line) or self._names_somebody(line)]

    def _names_somebody(self, line: str) -> bool:
        text = "\n".join(_free_texts(orjson.loads(line))).lower()
        # One of one word is looked for as a word: "ann" is no part of "channel".
        return not self.ids.isdisjoint(WORD.findall(text)) or any(name in text for name in self.phrases)


def production_formatter() -> logging.Formatter:
    """Return the formatter that production writes its logs with."""
    config = settings.LOGGING["formatters"]["json"]
    return structlog.stdlib.ProcessorFormatter(**{key: it for key, it in config.items() if key != "()"})


def _free_texts(value: Any, name: str = "") -> Iterator[str]:
    """Yield what a line says outside the fields that are safe."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in SAFE:
                yield from _free_texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _free_texts(inner, name)
    elif isinstance(value, str) or type(value) is int:
        yield str(value)


_present: list[Witness] = []


def install() -> None:
    """Tell the witness of the test at hand whom matching is asked for, and have the tools keep their details.

    Factories tell of every attribute, and each line is written three times over: by console, test runner and witness.
    """
    for tool in TOOLS:
        logging.getLogger(tool).setLevel(logging.WARNING)
    asked = matching.lookup

    def lookup(*, workspace_id: int, keys: Sequence[str]) -> dict[str, int]:
        know(keys)
        return asked(workspace_id=workspace_id, keys=keys)

    matching.lookup = lookup


def know(keys: Iterable[str]) -> None:
    """Tell the witness of the test at hand about people: factories do, whoever else makes some may."""
    for witness in _present:
        witness.know(keys)


@contextmanager
def watching() -> Iterator[Witness]:
    """Watch everything that is logged, from the lowest level up."""
    witness, root = Witness(), logging.getLogger()
    before = root.level
    root.addHandler(witness)
    root.setLevel(logging.DEBUG)
    _present.append(witness)
    try:
        yield witness
    finally:
        _present.remove(witness)
        root.setLevel(before)
        root.removeHandler(witness)
