"""Pages of a set: in order, none twice and none forgotten, and no more fetched than is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from profiles import bitmaps, pages
from profiles.matching import LARGEST_PROFILE_ID
from profiles.pages import Page
from tests.profiles.factories import ProfileFactory, erase, make_people

pytestmark = pytest.mark.django_db
IDS = st.sets(st.integers(1, LARGEST_PROFILE_ID) | st.integers(1, 50))


def page(workspace, members, **more) -> Page:
    asked = {"after": 0, "limit": 10} | more
    return pages.page(workspace_id=workspace.pk, members=BitMap(members), **asked)


def all_pages(workspace, members, limit) -> list[Page]:
    """Return the pages as a client asks for them, one after the other."""
    found = [page(workspace, members, limit=limit)]
    while (after := found[-1].more_after) is not None:
        found.append(page(workspace, members, limit=limit, after=after))
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_pages_together_are_the_set_in_order(workspace, limit):
    people = make_people(workspace, ["a", "b", "c", "d"])
    members = [people["d"], people["b"], people["a"]]
    found = all_pages(workspace, members, limit)
    assert [person for it in found for person in it.people] == [(people[name], name) for name in "abd"]
    assert len(found) == -(-len(members) // limit)


def test_nobody_is_one_empty_page(workspace):
    assert page(workspace, []) == Page([], None)


def test_anonymous_has_no_external_id(workspace):
    anonymous = ProfileFactory.create(anonymous=True)
    assert page(workspace, [anonymous.pk]).people == [(anonymous.pk, None)]


def test_who_was_erased_or_is_another_workspace_s_is_left_out(workspace, other_workspace):
    erased, live = ProfileFactory.create_batch(2)
    erase(erased)
    theirs = ProfileFactory.create(workspace=other_workspace)
    assert page(workspace, [erased.pk, live.pk, theirs.pk]).people == [(live.pk, live.external_id)]


def test_who_leaves_meanwhile_makes_nobody_be_skipped_or_come_twice(workspace):
    people = list(make_people(workspace, "abcdef").values())
    first = page(workspace, people, limit=2)
    rest = page(workspace, people[1:2] + people[3:], after=first.more_after)
    assert [pk for pk, _ in first.people + rest.people] == people[:2] + people[3:]


def test_one_query_fetches_the_page_and_no_more(workspace, monkeypatch):
    people = list(make_people(workspace, [f"user-{n}" for n in range(50)]).values())
    fetched: list[Any] = []

    def fetch(sql: str, parameters: Sequence[Any]) -> Any:
        rows = bitmaps_fetch(sql, parameters)
        fetched.append([row[0] for row in rows])
        return rows

    bitmaps_fetch = bitmaps.fetch
    monkeypatch.setattr(bitmaps, "fetch", fetch)
    with CaptureQueriesContext(connection) as captured:
        assert len(page(workspace, people, after=people[9], limit=3).people) == 3
    assert fetched == [people[10:13]]
    assert len(captured) <= 1


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the workspace stays as it is
@given(members=IDS, after=st.integers(min_value=0, max_value=2**63 - 1), limit=st.integers(1, 20))
def test_next_page_begins_where_a_plain_set_s_would(workspace, members, after, limit):
    later = sorted(it for it in members if it > after)
    expected = later[limit - 1] if len(later) > limit else None
    assert page(workspace, members, after=after, limit=limit).more_after == expected
