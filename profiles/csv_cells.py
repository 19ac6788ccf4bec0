"""The cells of the CSV files that Rollcall writes: no spreadsheet takes one for a formula, whatever people put there.

A cell that begins like a formula gets an apostrophe before it, by which spreadsheets know a text, and is quoted. So is
one that begins like that behind apostrophes: this way `plain` brings back every cell as it was. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

APOSTROPHE = "'"
# The column that a file of faults has more than its source: a corrected one can be imported as it is.
REASON = "import_error"
# What begins a formula, or is left out before one. Japanese spreadsheets read the wide signs, too.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
# What needs no quotes.
_BARE = re.compile("(?!'*[=+\\-@\t＝＋－＠])[^\",\r\n]*")


def safe(text: str) -> str:
    """Return the text of a cell that no spreadsheet takes for a formula."""
    return APOSTROPHE + text if _FORMULA.match(text) else text


def plain(cell: str) -> str:
    """Return what `safe` made a cell of."""
    return cell[1:] if cell.startswith(APOSTROPHE) and _FORMULA.match(cell) else cell


def as_they_were(names: Sequence[str], cells: list[str]) -> list[str]:
    """Return the cells of a line that is imported: if the file is one of faults, as they were before it was written."""
    return [plain(cell) for cell in cells] if REASON in names else cells


def line(texts: Iterable[str]) -> str:
    """Return texts as one line of a CSV file, its end included. A single blank one is quoted: no line is blank."""
    return (",".join(map(_written, texts)) or '""') + "\n"


def _written(text: str) -> str:
    return text if _BARE.fullmatch(text) else '"' + safe(text).replace('"', '""') + '"'
