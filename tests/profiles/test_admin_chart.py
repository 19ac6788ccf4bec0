"""Lines, bars and layers of bars as paths: as high as the picture, lines broken where nothing is known."""

from __future__ import annotations

import pytest

from profiles import admin_chart


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([], ""),
        ([None, None], ""),
        ([5], "M0 10h0"),
        ([5, 5], "M0 10h0L10 10"),
        ([0, 10, 5], "M0 20h0L10 0L20 10"),
        ([1, None, 3, 2], "M0 20h0M20 0h0L30 10"),
    ],
)
def test_a_line_goes_through_what_is_known(values, path):
    assert admin_chart.line(values, height=20) == path


@pytest.mark.parametrize(
    ("counts", "paths"),
    [
        ([], []),
        ([[], []], ["", ""]),
        ([[0, 0], [0, 0]], ["", ""]),
        ([[5, 0], [5, 10]], ["M0 20v-10h8v10z", "M0 10v-10h8v10zM10 20v-20h8v20z"]),
        ([[1], [999]], ["M0 20v-2h8v2z", "M0 18v-20h8v20z"]),
    ],
)
def test_layers_stand_on_each_other_and_the_least_is_seen(counts, paths):
    assert admin_chart.layers(counts, height=20) == paths


@pytest.mark.parametrize(
    ("counts", "path"),
    [
        ([], ""),
        ([0, 0], ""),
        ([5, 0, 10], "M0 20v-10h8V20zM20 20v-20h8V20z"),
        ([1, 1_000], "M0 20v-2h8V20zM10 20v-20h8V20z"),  # whoever did anything is seen
    ],
)
def test_bars_are_as_high_as_the_highest_allows(counts, path):
    assert admin_chart.bars(counts, height=20) == path


@pytest.mark.parametrize(
    ("above", "below", "drawn"),
    [
        ([], [], ("", "", 10)),
        ([0, 0], [0, 0], ("", "", 10)),
        ([3, 0], [0, 0], ("M0 20v-20h8V20z", "", 20)),
        ([0, 0], [0, 3], ("", "M10 0v20h8V0z", 0)),
        ([15, 0], [0, 5], ("M0 15v-15h8V15z", "M10 15v5h8V15z", 15)),
        ([1_000], [1], ("M0 20v-20h8V20z", "M0 20v2h8V20z", 20)),
    ],
)
def test_bars_on_both_sides_of_a_line_have_one_scale(above, below, drawn):
    assert admin_chart.both_ways(above, below, height=20) == drawn
