"""Regular expressions that mean the same on every database, and that cost no more than the text is long.

PostgreSQL has its own dialect, and Python's engine, which SQLite would use, may take forever. So a pattern is read by
RE2, whose documented syntax has no look-around and no back-references, and only what both engines read alike is let
through. Classes such as `\\d` are ASCII, `.` matches every character, and `(?i)` at the beginning folds ASCII letters.
PostgreSQL writes counts out before it begins, so what they add up to is limited, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import re2
from django.utils.translation import gettext as _

MAX_LENGTH = 200
# With its counts written out. PostgreSQL's time to prepare grows with the third power: half a second at this size.
MAX_SIZE = 255
FUNCTION = "rollcall_matches"
_FOLD = "(?i)"
# What both engines read alike, once the classes are written out.
_TOKEN = re.compile(
    r"""
    (?P<escaped>\\[dDwWsS])                        # a class
    | \\[.^$*+?()\[\]{}|\\/\-]                     # an escaped sign
    | (?P<set>\[(?P<negated>\^(?!\])|(?![\^\]]))(?P<before>-?)(?P<inside>(?:  # a set, of
        \\[dws\]\[^\-.\\]                          #   classes and escaped signs
        | [^\]\[\\-]-[^\]\[\\-]                    #   ranges
        | [^\]\[\\-]                               #   characters
      )*)(?P<after>-?)\])                          #   and a hyphen at either end
    | (?P<opened>\((?:\?:)?)                       # a group, which captures nothing that anybody asks for
    | (?P<closed>\))
    | (?P<between>[|^$])
    | (?P<repeat>[*+?]|\{(?P<least>0|[1-9]\d{0,2})(?:,(?P<most>0|[1-9]\d{0,2})?)?\})
    | (?P<literal>[^\\\[\](){}|^$*+?])
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_SET = re.compile(r"\\.|(?P<first>[^\\])(?:-(?P<last>[^\\]))?", re.DOTALL)
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \t\n\r\f\v"}


class PatternError(ValueError):
    """A regular expression that cannot be used; the message says why."""


@lru_cache(maxsize=1_000)
def portable(pattern: str) -> str:
    """Return a pattern as both engines read it. Raises PatternError."""
    if len(pattern) > MAX_LENGTH:
        raise PatternError(_("A regular expression has {limit} characters at most.").format(limit=MAX_LENGTH))
    folds = pattern.startswith(_FOLD)
    tokens = list(_tokens(pattern, len(_FOLD) if folds else 0))
    written = "".join(_written_out(token, folds=folds) for token in tokens)
    _compiled(written)
    if _size(tokens) > MAX_SIZE:
        raise PatternError(_("This regular expression repeats too much in its repetitions."))
    return written


def _tokens(pattern: str, position: int) -> Iterator[re.Match[str]]:
    can_be_repeated = False
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None or (token["repeat"] and not can_be_repeated):
            part = pattern[position:][:10]
            raise PatternError(_("“{part}” is not supported here in a regular expression.").format(part=part))
        yield token
        can_be_repeated = not (token["opened"] or token["between"])
        position = token.end()


def _size(tokens: Iterable[re.Match[str]]) -> int:
    """Return how many characters and sets there are when all counts are written out."""
    groups, last = [0], 0
    for token in tokens:
        if token["opened"]:
            groups.append(0)
        elif token["repeat"]:
            times = max(int(token["least"] or 1), int(token["most"] or 1))
            groups[-1] += last * (times - 1)
            last *= times
        elif not token["between"]:
            last = max(1, groups.pop()) if token["closed"] else 1
            groups[-1] += last
    return groups[0]


def matches(pattern: str, text: str) -> bool:
    """Whether a text holds what a portable pattern describes."""
    return bool(_compiled(pattern).search(text))


def matches_value(pattern: str, text: str | None) -> bool:
    """As `matches`, of a value that may be NULL: so SQLite asks."""
    return text is not None and matches(pattern, text)


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise PatternError(_("This is not a regular expression: {reason}").format(reason=reason)) from error


def _written_out(token: re.Match[str], *, folds: bool) -> str:
    text = token.group()
    if token["escaped"]:
        return f"[{'^' if text[1].isupper() else ''}{_CLASSES[text[1].lower()]}]"
    if token["set"]:
        inside = re.sub(r"\\(.)", lambda it: _CLASSES.get(it[1], it[0]), token["inside"])
        hyphen = token["before"] or token["after"]
        return f"[{token['negated']}{hyphen}{inside}{_swapped(inside) if folds else ''}]"
    if folds and token["literal"] and text.isascii() and text.isalpha():
        return f"[{text}{text.swapcase()}]"
    return text


def _swapped(inside: str) -> str:
    """Return the letters of a set in the other case, as ranges."""
    ranges = [(it["first"], it["last"] or it["first"]) for it in _IN_SET.finditer(inside) if it["first"]]
    return "".join(
        f"{max(first, low).swapcase()}-{min(last, high).swapcase()}"
        for first, last in ranges
        for low, high in ("az", "AZ")
        if max(first, low) <= min(last, high)
    )
