"""Malformed calls of the REST API, the same for all its endpoints: a clear 4xx, and not one write."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Scope
from profiles.models import Profile
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db
TIME = "2026-01-31T09:30:00Z"
ALIAS = {"alias_label": "shop", "alias_name": "cleo"}
# Good bodies, as the people of the fixture stand: Ann, Ben, and Cleo of whom an alias is all that is known.
BODIES: dict[str, Any] = {
    "/users/track": {
        "attributes": [
            {
                "external_id": "ann",
                "_update_existing_only": True,
                "dob": "1990-12-31",
                "push_tokens": [{"app_id": "a", "token": "t"}],
                "plan": "pro",
                "visits": {"inc": 1},
                "liked": {"add": ["tea"]},
            }
        ],
        "events": [{"user_alias": ALIAS, "name": "seen", "time": TIME, "properties": {"a": [1]}}],
        "purchases": [
            {
                "external_id": "ben",
                "product_id": "tea",
                "currency": "EUR",
                "price": 2.5,
                "time": TIME,
                "quantity": 2,
            }
        ],
    },
    "/users/alias/new": {
        "user_aliases": [{"external_id": "ann", "alias_label": "shop", "alias_name": "ann"}]
    },
    "/users/alias/update": {
        "alias_updates": [{"alias_label": "shop", "old_alias_name": "cleo", "new_alias_name": "cleopatra"}]
    },
    "/users/identify": {
        "aliases_to_identify": [{"external_id": "cleo", "user_alias": ALIAS}],
        "merge_behavior": "merge",
    },
    "/users/merge": {
        "merge_updates": [
            {"identifier_to_merge": {"user_alias": ALIAS}, "identifier_to_keep": {"external_id": "ann"}}
        ]
    },
    "/users/external_ids/rename": {
        "external_id_renames": [{"current_external_id": "ann", "new_external_id": "anna"}]
    },
    "/users/delete": {"external_ids": ["ann"], "user_aliases": [ALIAS]},
    "/users/export/ids": {"external_ids": ["ann"], "fields_to_export": ["email"]},
    "/import": [
        {"event": "seen", "properties": {"distinct_id": "ann", "time": 1769850000, "$insert_id": "1"}}
    ],
}
ANYTHING = [
    None,
    "",
    " ",
    "x" * 256,
    "x" * 70_000,
    "null",
    7,
    -1,
    2**63,
    1e300,
    True,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
]
ENDPOINTS = sorted(BODIES)


@pytest.fixture
def rest(workspace, marker_witness) -> Rest:
    ProfileFactory.create(external_id="ann")
    ProfileFactory.create(external_id="ben")
    ProfileFactory.create(anonymous=True, aliases=[("shop", "cleo")])
    rest = Rest(make_rest_key(workspace)[1])
    marker_witness.forget()
    return rest


def message_of(answer) -> str:
    """Return what an error says, in the shape of its endpoint."""
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    return body.get("message") or body["error"]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_good_body_is_2xx(rest, path):
    answer = rest.call(path, BODIES[path])
    assert answer.status_code in {200, 201, 202}, answer.content
    assert "errors" not in answer.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"7", 400),
        (b"\xff\xfe{}", 400),
        (b'{"a": NaN}', 400),
        (b'{"a": 1e999}', 400),
        (b'{"a": 36893488147419103232}', 400),
        (b'{"a": "\\u0000"}', 400),
        (b'{"a": "\\ud800"}', 400),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}", 400),
        (b" " * 10_000 + b"{}", 413),
    ],
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_body_that_is_no_sound_json_is_refused(rest, marker_witness, settings, path, body, status):
    settings.MAX_BODY_BYTES = 5_000
    answer = rest.call(path, body)
    assert answer.status_code == status, answer.content
    assert message_of(answer)
    assert marker_witness.writes() == set()


@pytest.mark.parametrize("path", ENDPOINTS)
def test_what_inflates_without_end_is_refused(rest, marker_witness, settings, path):
    settings.MAX_BODY_BYTES = 5_000
    body = gzip.compress(b" " * 1_000_000 + json.dumps(BODIES[path]).encode())
    assert rest.call(path, body, HTTP_CONTENT_ENCODING="gzip").status_code == 413
    assert marker_witness.writes() == set()


def broken(body: Any) -> Iterator[Any]:
    """Yield the body with anything in the place of every value in it, and without each of its members."""
    yield from ANYTHING
    for place in body if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else ():
        for value in broken(body[place]):
            copy = deepcopy(body)
            copy[place] = value
            yield copy
        without = deepcopy(body)
        del without[place]
        yield without


@pytest.mark.parametrize("path", ENDPOINTS)
def test_any_value_in_any_place_is_taken_or_refused_and_then_nothing_is_written(rest, marker_witness, path):
    for body in broken(BODIES[path]):
        with transaction.atomic():
            answer = rest.call(path, body)
            assert answer.status_code in {200, 201, 202, 400}, (body, answer.content)
            if answer.status_code == 400 and "failed_records" not in answer.json():
                assert message_of(answer)
                assert marker_witness.writes() == set(), body
            transaction.set_rollback(True)


@pytest.mark.parametrize("path", [it for it in ENDPOINTS if it != "/import"])
def test_too_many_objects_are_refused_at_once(rest, marker_witness, path):
    limit = 75 if path == "/users/track" else 50
    for name, array in BODIES[path].items():
        if isinstance(array, list) and name != "fields_to_export":
            answer = rest.call(path, BODIES[path] | {name: array[:1] * (limit + 1)})
            assert answer.status_code == 400
            assert str(limit) in message_of(answer)
    assert marker_witness.writes() == set()


@pytest.mark.parametrize("path", ENDPOINTS)
def test_other_methods_are_405_and_other_keys_shut_out(
    rest, workspace, other_workspace, marker_witness, path
):
    assert rest.http.get(path, **rest.headers).status_code == 405
    assert Rest("wrong").call(path, BODIES[path]).status_code == 401
    scope = Scope.USERS_DELETE if path != "/users/delete" else Scope.USERS_TRACK
    refused = Rest(make_rest_key(workspace, scope)[1]).call(path, BODIES[path])
    assert refused.status_code == 403
    assert (
        "scope" in message_of(refused) or "users." in message_of(refused) or "events." in message_of(refused)
    )
    marker_witness.forget()
    Rest(make_rest_key(other_workspace)[1]).call(path, BODIES[path])
    assert {it.workspace_id for it in marker_witness.writes()} <= {other_workspace.pk}
    assert Profile.objects.live().for_workspace(workspace).count() == 3
