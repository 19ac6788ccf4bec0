import io

import pytest

from profiles import csv_rows
from profiles.csv_rows import CsvHeaderError, Header, Row


def rows_of(text: str | bytes) -> list[Row]:
    return list(csv_rows.Reader(io.BytesIO(text if isinstance(text, bytes) else text.encode())))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("external_id,email,email", "more than once: email"),
        ("external_id,,email", "needs a name"),
        ("external_id,alias:", "needs a name"),
        ("email,country", "must name external_id"),
        ("external_id," + "x" * 256, "at most 255"),
        ("external_id,a\0b", "UTF-8 text"),
        ("", "must name external_id"),
    ],
)
def test_header_that_says_too_little_is_refused(header, reason):
    with pytest.raises(CsvHeaderError, match=reason):
        csv_rows.Reader(io.BytesIO(header.encode()))


def test_each_column_goes_where_its_name_says():
    header = Header(["plan", "device_id", "alias:a:b", "email", "external_id"])
    row = csv_rows.parse(header, ["pro", "d1|d2|", "7", "a@example.com", "u1"], line=2)
    assert row.external_id == "u1"
    assert row.aliases == ["a:a%3Ab:7"]
    assert row.devices == ["d1", "d2"]
    assert row.attributes == {"email": "a@example.com"}
    assert row.custom == {"plan": "pro"}


def test_byte_order_mark_quotes_line_breaks_and_blank_lines_are_read():
    text = '\ufeffexternal_id,note\r\n\r\nu1,"one, ""two""\nthree"\r\nu2,x\r\n'
    first, second = rows_of(text)
    assert (first.external_id, first.custom) == ("u1", {"note": 'one, "two"\nthree'})
    assert (second.external_id, second.line) == ("u2", 5)


def test_reasons_of_an_errors_file_are_not_imported_again():
    assert rows_of("external_id,import_error\nu1,line 2: bad\n")[0].custom == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("u1,a", "has 2 cells, the first line has 4"),
        ("u1,a,b,c,d", "has 5 cells, the first line has 4"),
        (",a@example.com,,", "has no external_id, alias or device_id"),
        (",,|,", "has no external_id, alias or device_id"),
        ("null,,,", "external_id holds “null”"),
        ("  ,,,", "external_id holds “  ”"),
        (",,d1|Anonymous,", "device_id holds “Anonymous”"),
        (",,,N/A", "alias:crm holds “N/A”"),
        ("u1," + "x" * 256 + ",,", "email has 256 characters; 255 are allowed"),
        ("u1,," + "x" * 256 + ",", "device_id has 256 characters"),
        ("u1,a\0b,,", "email holds a NUL character"),
    ],
)
def test_row_at_fault_says_why(line, reason):
    (row,) = rows_of(f"external_id,email,device_id,alias:crm\n{line}\n")
    assert reason in row.fault


def test_bytes_that_are_no_text_are_a_fault_of_their_row_only():
    bad, good = rows_of(b"external_id,email\nu1,\xff\xfe\nu2,x\n")
    assert "not UTF-8" in bad.fault
    assert good.fault == ""


def test_many_devices_may_be_longer_together_than_one_value():
    (row,) = rows_of("external_id,device_id\nu1," + "|".join(f"{'d' * 100}{n}" for n in range(9)) + "\n")
    assert (row.fault, len(row.devices)) == ("", 9)


def test_cell_too_large_for_the_reader_is_a_fault_of_its_row_only():
    big, good = rows_of("external_id,email\nu1," + "x" * 200_000 + "\nu2,x\n")
    assert "not CSV" in big.fault
    assert good.external_id == "u2"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("-3.25", -3.25),
        ("0", 0),
        ("true", True),
        ("false", False),
        *(
            (text, text)
            for text in ("007", "1.50", "1e3", "+5", "-0", "TRUE", " 1", "1" * 16, "nan", "١٢", "2026-01-31")
        ),
    ],
)
def test_number_or_boolean_is_kept_as_such_only_if_nothing_is_lost(cell, value):
    typed = csv_rows.typed(cell)
    assert (typed, type(typed)) == (value, type(value))
