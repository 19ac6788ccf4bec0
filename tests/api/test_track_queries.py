"""What a tracking request costs in statements: the same for 1 object of each array as for 75."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Scope
from profiles import bitmaps, events
from tests.accounts.factories import make_rest_key
from tests.api.test_track import EVENT, PURCHASE, Tracker
from tests.profiles.factories import ProfileFactory, make_people

pytestmark = pytest.mark.django_db
# What is read and written, in this order; besides, new ids are reserved and on PostgreSQL a lock is taken.
STATEMENTS = [
    "SELECT accounts_restapikey",
    "SELECT profiles_identifier",
    "SELECT profiles_profile",  # who has an e-mail address
    "SELECT profiles_profile",  # locked
    "INSERT profiles_profile",
    "INSERT profiles_identifier",
    "INSERT profiles_profilechange",
    "UPDATE profiles_profile",
    "INSERT profiles_profilechange",
    "SELECT profiles_eventname",
    "INSERT profiles_eventname",
    "SELECT profiles_eventname",
    "INSERT profiles_customevent",
    "INSERT profiles_profilechange",
    "INSERT accounts_datapointusage",
]


def body(size: int) -> dict[str, Any]:
    """Return objects of which each third names new users, known users, and known ones by their addresses."""
    users = [
        [{"external_id": f"new-{size}-{n}"}, {"external_id": f"known-{n}"}, {"email": f"{n}@x.example"}][
            n % 3
        ]
        for n in range(size)
    ]
    anonymous = [
        {key: value for key, value in it.items() if key != "external_id"} for it in (EVENT, PURCHASE)
    ]
    return {
        "attributes": [user | {"n": {"inc": 1}, "first_name": "Ann"} for user in users],
        "events": [anonymous[0] | user | {"name": f"{size}-{n}"} for n, user in enumerate(users)],
        "purchases": [anonymous[1] | user | {"product_id": f"{size}-{n}"} for n, user in enumerate(users)],
    }


@pytest.fixture
def cost(workspace, monkeypatch):
    """A function that tracks and returns the statements, those past the ORM's cursor included."""
    tracker = Tracker(make_rest_key(workspace, Scope.USERS_TRACK)[1])
    tracker.track({"external_id": "first"}, events=[EVENT])  # the use of a key is noted once a minute

    def logged(name: str) -> None:
        real = getattr(bitmaps, name)

        def call(sql: str, parameters: Any) -> Any:
            connection.queries_log.append({"sql": sql, "time": "0"})
            return real(sql, parameters)

        monkeypatch.setattr(bitmaps, name, call)

    if connection.vendor == "postgresql":  # SQLite's all go through the ORM's cursor
        logged("fetch")
        logged("store")

    def cost(request: dict[str, Any]) -> list[str]:
        events.forget_names()
        with CaptureQueriesContext(connection) as captured:
            status, answer = tracker.send(request)
        assert (status, answer.get("errors")) == (201, None)
        return [query["sql"].strip() for query in captured]

    return cost


def gist(sql: str) -> str:
    """Return what a statement does, and to which of our tables; "" if it names none."""
    table = re.search(r"(?:FROM|INTO|JOIN|UPDATE) \"?((?:accounts|profiles)_\w+)", sql)
    return f"{sql.split(maxsplit=1)[0]} {table[1]}" if table else ""


def test_request_costs_the_same_whatever_the_number_of_objects(workspace, cost):
    make_people(workspace, [f"known-{n}" for n in range(75)])
    for n in range(75):
        ProfileFactory.create(email=f"{n}@x.example")
    few, many = cost(body(3)), cost(body(75))
    assert [it.split()[0] for it in few] == [it.split()[0] for it in many]
    assert [gist(it) for it in few if gist(it)] == STATEMENTS
    assert len(few) <= len(STATEMENTS) + 4


def test_known_users_cost_less_and_nothing_is_locked_but_they(workspace, cost):
    make_people(workspace, [f"known-{n}" for n in range(75)])
    sent = cost({"attributes": [{"external_id": f"known-{n}", "n": 1} for n in range(75)]})
    assert [gist(it) for it in sent if gist(it)] == [
        "SELECT accounts_restapikey",
        "SELECT profiles_identifier",
        "SELECT profiles_profile",
        "UPDATE profiles_profile",
        "INSERT profiles_profilechange",
        "INSERT accounts_datapointusage",
    ]
    assert len(sent) == 8
