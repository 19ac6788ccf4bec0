"""Lines as paths: as high as the picture, broken where nothing is known. Layers: one on top of the other."""

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
