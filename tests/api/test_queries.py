"""One statement count per call, whether it carries 10 members or 1,000: nothing is asked member by member."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import bitmaps
from tests.api.clients import page_body
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db
SIZES = (10, 1_000)


@pytest.fixture
def statements(monkeypatch):
    """A function that makes a call and returns how many statements it cost, those past the ORM included."""
    raw = []
    for name in ("fetch", "store"):
        real = getattr(bitmaps, name)

        def counted(sql, params, real=real):
            raw.append(sql)
            return real(sql, params)

        monkeypatch.setattr(bitmaps, name, counted)

    def statements(call) -> int:
        raw.clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = call()
        assert answer.status_code in {200, 201}, answer.content
        # SQLite's statements all go through the ORM's cursor; PostgreSQL's blobs do not.
        return len(captured) + (len(raw) if connection.vendor == "postgresql" else 0)

    return statements


def batch(workspace, size: int) -> list[str]:
    """Return ids: half known; the others unknown, or devices of identified profiles."""
    known = [f"{size}-{n}" for n in range(size // 2)]
    make_people(workspace, known)
    return known + [f"unknown-{n}" for n in range(size - len(known))]


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_webhook_page_costs_the_same_whatever_its_size(mixpanel, workspace, statements, action):
    costs = []
    for size in SIZES:
        mixpanel.page([], action=action, cohort_id=size)
        body = page_body(batch(workspace, size), action=action, page=(1, 2), cohort_id=size)
        costs.append(statements(lambda body=body: mixpanel.send(body)))
    assert costs[0] == costs[1] <= 15


def test_last_page_of_a_full_sync_costs_the_same_whatever_its_size(mixpanel, workspace, statements):
    costs = []
    for size in SIZES:
        ids = batch(workspace, size)
        mixpanel.page(ids, page=(1, 2), session=size)
        body = page_body(ids, page=(2, 2), session=size)
        costs.append(statements(lambda body=body: mixpanel.send(body)))
    assert costs[0] == costs[1] <= 30


def test_swap_costs_the_same_whatever_the_number_of_pages(mixpanel, workspace, statements):
    costs = []
    for pages in (2, 40):
        for number in range(1, pages):
            mixpanel.page([], page=(number, pages), session=pages)
        body = page_body([], page=(pages, pages), session=pages)
        costs.append(statements(lambda body=body: mixpanel.send(body)))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("should_remove", [False, True])
def test_partner_call_costs_the_same_whatever_its_size(partner, workspace, statements, should_remove):
    partner.change({"user_ids": ["x"]})
    ProfileFactory.create(devices=["hers"])
    costs = []
    for size in SIZES:
        ids = batch(workspace, size)
        third = size // 3
        change = {
            "user_ids": ids[:third],
            "device_ids": ["hers", *ids[third : 2 * third]],
            "aliases": [{"alias_label": "l", "alias_name": it} for it in ids[2 * third : -1]],
            "should_remove": should_remove,
        }
        costs.append(statements(lambda change=change: partner.change(change)))
    assert costs[0] == costs[1] <= 15


def test_number_of_objects_in_a_call_makes_no_difference(partner, workspace, statements):
    partner.change({"user_ids": ["x"]})
    costs = []
    for size in SIZES:
        changes = [
            {"user_ids": [it], "should_remove": n % 3 == 0} for n, it in enumerate(batch(workspace, size))
        ]
        costs.append(statements(lambda changes=changes: partner.change(*changes)))
    assert costs[0] == costs[1]


def test_naming_costs_the_same_for_a_full_cohort(partner, workspace, statements):
    partner.name()
    empty = statements(partner.name)
    partner.change({"user_ids": batch(workspace, 1_000)})
    assert statements(partner.name) == empty <= 8


def test_replay_costs_no_more_than_the_page(mixpanel, workspace, statements):
    mixpanel.page([], action="add_members")
    body = page_body(batch(workspace, 100), action="add_members", page=(1, 2))
    first = statements(lambda: mixpanel.send(body))
    assert statements(lambda: mixpanel.send(body)) < first
