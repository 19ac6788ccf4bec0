"""Lines as paths: as high as the picture, broken where nothing is known."""

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
