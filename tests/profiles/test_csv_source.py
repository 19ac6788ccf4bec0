"""Files as people send them: any encoding and delimiter of theirs, and a position that can be gone back to."""

from __future__ import annotations

import codecs
import io
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import csv_rows, csv_source
from profiles.csv_source import Format, Lines

TEXT = "external_id;prénom\r\nu1;Zoë\r\nu2;Ærø\r\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("cp1252") + b"u3;\x81\xe9\r\n", "latin-1"),
        (b"external_id\nu1\n", "utf-8"),
        (("é" * 20 + "\n").encode() + b"\xff\n", "utf-8"),
        (("é" * csv_source.SAMPLE_BYTES).encode()[1:], "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_encoding_is_found(content, encoding):
    source = io.BytesIO(content)
    assert csv_source.detect(source).encoding == encoding
    assert source.tell() == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_rows_are_the_same_in_every_encoding(encoding):
    source = io.BytesIO(TEXT.encode(encoding))
    rows = list(csv_rows.Reader(source, form=csv_source.detect(source)))
    assert [(row.external_id, row.custom) for row in rows] == [
        ("u1", {"prénom": "Zoë"}),
        ("u2", {"prénom": "Ærø"}),
    ]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2\n", ";"),
        ("a\tb\n1,5\t2;3\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("external_id,device_id\nu1,d1|d2|d3\n", ","),
        ('a;"b,c,d"\n1;"x,y,z"\n', ";"),
        ("external_id\nu1\n", ","),
        ("", ","),
    ],
)
def test_delimiter_is_found(text, delimiter):
    assert csv_source.detect(io.BytesIO(text.encode())).delimiter == delimiter


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "latin-1"])
@given(
    lines=st.lists(
        st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=20), max_size=20
    ),
    stop=st.integers(0, 20),
)
def test_reading_goes_on_exactly_where_it_stopped(encoding, lines, stop):
    content = "\n".join(lines).encode(encoding)
    source = io.BytesIO(content)
    first = Lines(source, encoding)
    taken = list(islice(first, stop))
    source.seek(first.position)
    assert "".join([*taken, *Lines(source, encoding)]).encode(encoding) == content


def test_rest_of_a_file_is_read_with_the_right_numbers_of_lines():
    text = 'external_id,note\nu1,"a\nb"\nu2,x\n\nu3,"c\nd"\nu4,y\n'
    reader = csv_rows.Reader(io.BytesIO(text.encode()))
    rows = iter(reader)
    before = [next(rows), next(rows)]
    other = csv_rows.Reader(io.BytesIO(text.encode()))
    other.go_on(position=reader.position, line=reader.line)
    assert [row.line for row in before] == [2, 4]
    assert (
        [(row.external_id, row.line) for row in other]
        == [(row.external_id, row.line) for row in rows]
        == [
            ("u3", 6),
            ("u4", 8),
        ]
    )


def test_line_without_an_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(csv_source, "MAX_LINE", 10)
    assert [len(line) for line in Lines(io.BytesIO(b"x" * 25), "utf-8")] == [10, 10, 5]


def test_line_without_an_end_does_not_fill_the_memory_in_utf_16_either(monkeypatch):
    monkeypatch.setattr(csv_source, "MAX_LINE", 10)
    monkeypatch.setattr(csv_source, "SAMPLE_BYTES", 8)
    content = ("😀" * 12 + "\nx").encode("utf-16-le")
    lines = Lines(io.BytesIO(content), "utf-16-le")
    assert list(lines) == ["😀" * 10, "😀😀\n", "x"]
    assert lines.position == len(content)


def test_format_of_a_file_that_says_nothing_is_plain():
    assert csv_source.detect(io.BytesIO(b"\n\n")) == Format()
