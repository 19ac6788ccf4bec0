"""Versions beside each other: what stayed stands in one row, what came or went is marked."""

from __future__ import annotations

from segments.comparison import Entry, Row, compare
from segments.outline import Line


def outline(*texts: str) -> Line:
    return Line("all", [Line(text) for text in texts])


def told(rows: list[Row]) -> list[tuple[str | None, str | None]]:
    return [(row.before and row.before.text, row.after and row.after.text) for row in rows]


def test_the_same_has_no_differences():
    rows = compare(outline("a", "b"), outline("a", "b"))
    assert told(rows) == [("all", "all"), ("a", "a"), ("b", "b")]
    assert all(row.is_same for row in rows)


def test_lines_come_go_and_change():
    rows = compare(outline("a", "b", "c"), outline("b", "x", "d"))
    assert told(rows) == [("all", "all"), ("a", None), ("b", "b"), ("c", "x"), (None, "d")]
    assert [row.is_same for row in rows] == [True, False, True, False, False]


def test_a_line_that_moved_into_a_group_is_another_one():
    (_, moved) = compare(Line("all", [Line("a")]), Line("all", [Line("any", [Line("a")])]))[:2]
    assert moved == Row(Entry(1, "a"), Entry(1, "any"))


def test_what_cannot_be_read_has_no_lines():
    assert told(compare(None, outline("a"))) == [(None, "all"), (None, "a")]
    assert compare(None, None) == []
