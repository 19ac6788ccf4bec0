"""Regular expressions that mean the same on every database, and that cost no more than the text is long.

PostgreSQL has its own dialect, and Python's engine, which SQLite would use, may take forever. So a pattern is read by
RE2, whose documented syntax has no look-around and no back-references, and only what both engines read alike is let
through. Classes such as `\\d` are ASCII, `.` matches every character, and `(?i)` at the beginning folds ASCII letters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2
from django.utils.translation import gettext as _

MAX_LENGTH = 200
FUNCTION = "rollcall_matches"
_FOLD = "(?i)"
# What both engines read alike, once the classes are written out.
_TOKEN = re.compile(
    r"""
    (?P<escaped>\\[dDwWsS])                        # a class
    | \\[.^$*+?()\[\]{}|\\/\-]                     # an escaped sign
    | (?P<set>\[\^?(?:\\[dws\\\]\[^\-.]|[^\]\[\\])+\])   # a set
    | \(\?:                                        # a group that captures nothing
    | [()|.^$*+?]
    | \{\d{1,3}(?:,\d{0,3})?\}
    | (?P<literal>[^\\\[\](){}|.^$*+?])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \t\n\r\f\v"}


class PatternError(ValueError):
    """A regular expression that cannot be used; the message says why."""


@lru_cache(maxsize=1_000)
def portable(pattern: str) -> str:
    """Return a pattern as both engines read it. Raises PatternError."""
    if len(pattern) > MAX_LENGTH:
        raise PatternError(_("A regular expression has {limit} characters at most.").format(limit=MAX_LENGTH))
    folds = pattern.startswith(_FOLD)
    position, parts = len(_FOLD) if folds else 0, []
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise PatternError(
                _("“{part}” is not supported here in a regular expression.").format(
                    part=pattern[position:][:10]
                )
            )
        parts.append(_written_out(token, folds=folds))
        position = token.end()
    written = "".join(parts)
    _compiled(written)
    return written


def matches(pattern: str, text: str) -> bool:
    """Whether a text holds what a portable pattern describes."""
    return bool(_compiled(pattern).search(text))


def teach(sqlite: Any) -> None:
    """Let a connection of SQLite match patterns, once: while a statement runs, no function can be made anew."""
    known = "SELECT 1 FROM pragma_function_list WHERE name = ?"
    if sqlite.execute(known, [FUNCTION]).fetchone() is None:
        sqlite.create_function(FUNCTION, 2, _matches_value, deterministic=True)


def _matches_value(pattern: str, text: str | None) -> bool:
    return text is not None and matches(pattern, text)


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_("This is not a regular expression: {reason}").format(reason=error)) from error


def _written_out(token: re.Match[str], *, folds: bool) -> str:
    text = token.group()
    if token["escaped"]:
        return f"[{'^' if text[1].isupper() else ''}{_CLASSES[text[1].lower()]}]"
    if token["set"]:
        inside = re.sub(r"\\([dws])", lambda it: _CLASSES[it[1]], text[1:-1])
        return f"[{inside}{_swapped(inside) if folds else ''}]"
    if folds and token["literal"] and text.isascii() and text.isalpha():
        return f"[{text}{text.swapcase()}]"
    return text


def _swapped(inside: str) -> str:
    """Return the letters and ranges of letters of a set in the other case."""
    return "".join(
        it.swapcase() for it in re.findall(r"[a-z]-[a-z]|[A-Z]-[A-Z]|(?<!\\)[A-Za-z]", inside) if it.isascii()
    )
