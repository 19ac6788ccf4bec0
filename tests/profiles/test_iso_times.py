"""Times in texts: what is a time for filters, and how SQLite compares it."""

from __future__ import annotations

import pytest

from profiles import iso_times


@pytest.mark.parametrize(
    ("text", "comparable"),
    [
        ("2026-01-01", "2026-01-01 00:00:00.000000"),
        ("2026-01-01T10:00", "2026-01-01 10:00:00.000000"),
        ("2026-01-01 10:00:05Z", "2026-01-01 10:00:05.000000"),
        ("2026-01-01T23:59:59.999999Z", "2026-01-01 23:59:59.999999"),
        ("2026-01-01T01:00:00.5+02:00", "2025-12-31 23:00:00.500000"),
        ("2026-01-01T23:00:00-0230", "2026-01-02 01:30:00.000000"),
    ],
)
def test_times_are_compared_in_utc_to_the_microsecond(text, comparable):
    assert iso_times.comparable(text) == comparable


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            5,
            "",
            "2026",
            "2026-W01-1T00:00:00",
            "2026-08-27 10:11:12,5",
            "20260101T101010Z",
            "2026-1-1",
        ),
        *("2026-02-30", "2026-13-01", "2026-01-01T24:00", "2026-01-01T10:00:60Z", "2026-01-01T10:00+05:99"),
        *("2026-01-01T10:00+15:00", "2026-01-01T10:00:00Z\n", "0001-01-01T00:00+14:00", "２026-01-01"),
        *("9999-12-31T23:59:59-14:00", "2026-01-01T10:00:00.1234567Z", " 2026-01-01"),
    ],
)
def test_anything_else_is_no_time(text):
    assert iso_times.comparable(text) is None
