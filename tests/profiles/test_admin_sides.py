"""Two users beside each other: what a merge would lose is marked, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from profiles import admin_sides
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db


def test_only_values_of_which_one_is_lost_are_marked():
    left, right = (
        ProfileFactory.create(
            external_id=name,
            email="",
            first_name=name,
            last_name="Same",
            country=country,
            first_session_at=datetime(2026, 1, day, tzinfo=UTC),
            push_tokens=[{"app_id": "app", "token": name}],
            custom_attributes={"plan": name, "own": 1} if country else {"plan": name},
        )
        for name, country, day in (("ada", "PT", 1), ("grace", "", 2))
    )
    sides = admin_sides.compare(left, right)
    assert {side.title for side in sides if side.loses} == {"External ID", "First name", "plan"}
    others = {side.title for side in sides if side.differs and not side.loses}
    assert {"ID in Rollcall", "First session"} <= others


def test_lines_about_which_neither_has_anything_are_left_out():
    left, right = ProfileFactory.create_batch(2, country="", email="")
    assert "Country" not in {side.title for side in admin_sides.compare(left, right)}
