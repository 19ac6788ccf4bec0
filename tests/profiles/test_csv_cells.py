"""What people wrote never becomes a formula, and comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import csv_cells, csv_rows

SIGNS = "=+-@\t\r\n＝＋－＠"
HOSTILE = st.text(st.sampled_from([*SIGNS, "'", '"', ",", ";", "|", " ", "1", "é"]), max_size=8)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20) | HOSTILE


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=4))
def test_lines_come_back_as_they_were_and_no_cell_begins_like_a_formula(rows):
    written = read("".join(map(csv_cells.line, rows)))
    assert not [cell for row in written for cell in row if cell.startswith(tuple(SIGNS))]
    assert [[csv_cells.plain(cell) for cell in row] for row in written] == rows


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", '"\'=1+1"'),
        ("+49 30", '"\'+49 30"'),
        ("-5", '"\'-5"'),
        ("@ada", '"\'@ada"'),
        ("\tx", '"\'\tx"'),
        ("\rx", '"\'\rx"'),
        ('=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'),
        ("'=1", "\"''=1\""),
        ("it's", "it's"),
        ("1-2", "1-2"),
        ("", '""'),
    ],
)
def test_cells_are_written_so(text, written):
    assert csv_cells.line([text]) == written + "\n"


def test_file_of_faults_is_imported_as_it_was_and_another_file_as_it_is():
    faults = csv_cells.line(["external_id", "phone", "-note", csv_cells.REASON])
    faults += csv_cells.line(["@u1", "+49 30", "'=1", "line 2: wrong"])
    (row,) = csv_rows.Reader(io.BytesIO(faults.encode()))
    assert (row.external_id, row.attributes, row.custom) == ("@u1", {"phone": "+49 30"}, {"-note": "'=1"})
    (row,) = csv_rows.Reader(io.BytesIO(b"external_id,phone\n'@u1,'+49\n"))
    assert (row.external_id, row.attributes) == ("'@u1", {"phone": "'+49"})
