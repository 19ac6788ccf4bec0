"""What a file seems to hold is suggested, and shown as it would be read."""

from __future__ import annotations

import io

import pytest

from profiles import csv_preview
from profiles.csv_preview import Shown
from profiles.csv_rows import CsvHeaderError
from profiles.csv_source import Format


def suggestions(names: str) -> list[str]:
    return [column.suggestion for column in csv_preview.columns(io.BytesIO(names.encode()), Format())]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("external_id", "external_id"),
        ("User ID", "external_id"),
        ("E-Mail", "email"),
        ("First Name", "first_name"),
        ("date_of_birth", "dob"),
        ("dob", "dob"),
        ("home-city", "home_city"),
        ("alias:crm", "alias:crm"),
        ("plan", "custom:plan"),
        ("Größe", "custom:Größe"),
        ("import_error", ""),
    ],
)
def test_what_a_column_holds_is_suggested_by_its_name(name, target):
    assert suggestions(name + ",x") == [target, "custom:x"]


def test_no_two_columns_are_suggested_the_same_target():
    assert suggestions("id,user_id,mail,email") == ["external_id", "custom:user_id", "email", "custom:email"]


def test_column_without_a_name_is_left_out():
    assert suggestions("id,,x") == ["external_id", "", "custom:x"]


def test_samples_are_the_first_different_values():
    text = "id,plan\n" + "".join(
        f"u{n},{plan}\n" for n, plan in enumerate(["pro", "", "pro", "free", "a", "b"])
    )
    _, plan = csv_preview.columns(io.BytesIO(text.encode()), Format())
    assert plan.samples == ["pro", "free", "a"]


def test_rows_are_shown_as_they_would_be_read():
    text = "id,devices,born,seen,active,visits,left\nu1,d1|d2,1990-12-31,2026-01-31T09:30:00+01:00,true,7,x\nu2,,31.12.1990,,,,\n"
    targets = [
        "external_id",
        "device_id",
        "dob",
        "date_of_last_session",
        "custom:active",
        "custom:visits",
        "",
    ]
    shown = csv_preview.preview(io.BytesIO(text.encode()), Format(), targets)
    (_, first), (second, cells) = shown.rows
    assert first == [
        Shown("u1"),
        Shown("d1, d2"),
        Shown("1990-12-31", "date"),
        Shown("2026-01-31 08:30:00+00:00", "time"),
        Shown("true", "boolean"),
        Shown("7", "number"),
    ]
    assert "dob must be a date" in second.fault
    assert cells[2] == Shown("31.12.1990")


def test_row_with_too_few_cells_is_shown_at_fault():
    shown = csv_preview.preview(io.BytesIO(b"id,plan\nu1\n"), Format(), ["external_id", "custom:plan"])
    ((row, cells),) = shown.rows
    assert "has 1 cells" in row.fault
    assert cells == [Shown("u1"), Shown("")]


def test_mapping_for_other_columns_is_refused():
    with pytest.raises(CsvHeaderError, match="2 columns"):
        csv_preview.preview(io.BytesIO(b"id,plan\n"), Format(), ["external_id"])


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(b"id,caf\xe9\nu1,caf\xe9\n", "utf-8"), (b"\x00\xd8,\x00a\x00\n\x00\x00\xd8,\x00a\x00", "utf-16-le")],
)
def test_text_of_another_encoding_is_shown_with_a_mark_and_breaks_no_page(content, encoding):
    form = Format(encoding)
    found = csv_preview.columns(io.BytesIO(content), form)
    shown = csv_preview.preview(io.BytesIO(content), form, ["external_id", "custom:x"])
    texts = [column.name for column in found] + [value for column in found for value in column.samples]
    texts += [cell.text for _row, cells in shown.rows for cell in cells]
    assert "\ufffd" in "".join(texts)
    assert "".join(texts).encode()


def test_file_of_more_columns_than_anybody_maps_is_refused():
    names = ",".join(f"c{number}" for number in range(1_001))
    with pytest.raises(CsvHeaderError, match="1,001 columns; 1,000 are allowed"):
        csv_preview.columns(io.BytesIO(names.encode()), Format())
