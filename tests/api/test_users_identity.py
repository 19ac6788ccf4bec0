"""Aliases, identify, merge and rename as programs speak to them: what is applied, what is refused, how that is said."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Scope
from profiles import identity
from profiles.models import Identifier, Profile
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import keys_of

pytestmark = pytest.mark.django_db

CRM = {"alias_label": "crm", "alias_name": "7"}
SCOPES = {
    "/users/alias/new": Scope.USERS_ALIAS_NEW,
    "/users/alias/update": Scope.USERS_ALIAS_UPDATE,
    "/users/identify": Scope.USERS_IDENTIFY,
    "/users/merge": Scope.USERS_MERGE,
    "/users/external_ids/rename": Scope.USERS_EXTERNAL_IDS_RENAME,
    "/users/delete": Scope.USERS_DELETE,
    "/users/export/ids": Scope.USERS_EXPORT_IDS,
}
ARRAYS = {
    "/users/alias/new": "user_aliases",
    "/users/alias/update": "alias_updates",
    "/users/identify": "aliases_to_identify",
    "/users/merge": "merge_updates",
    "/users/external_ids/rename": "external_id_renames",
    "/users/delete": "external_ids",
    "/users/export/ids": "external_ids",
}


@pytest.fixture
def call(workspace):
    """A function that posts a body with a key of all scopes, and returns status and answer."""
    rest = Rest(make_rest_key(workspace)[1])

    def call(path: str, **body: Any) -> Any:
        answer = rest.call(path, body)
        return answer.status_code, answer.json()

    return call


def merge_of(merged: str, kept: str) -> dict[str, Any]:
    return {"identifier_to_merge": {"external_id": merged}, "identifier_to_keep": {"external_id": kept}}


# --- all of them -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", SCOPES)
def test_key_without_the_scope_is_told_which_it_lacks(workspace, path):
    others = [scope for scope in Scope if scope != SCOPES[path]]
    answer = Rest(make_rest_key(workspace, *others)[1]).call(path, {})
    assert answer.status_code == 403
    assert SCOPES[path].value in answer.json()["message"]


@pytest.mark.parametrize("path", SCOPES)
@pytest.mark.parametrize("value", [None, [], "x", {"a": 1}, 7])
def test_array_that_is_none_or_empty_is_refused_by_name(call, path, value):
    status, answer = call(path, **{ARRAYS[path]: value})
    assert status == 400
    assert ARRAYS[path] in answer["message"]


@pytest.mark.parametrize("path", SCOPES)
def test_fifty_objects_are_allowed_and_one_more_changes_nothing(call, path):
    ProfileFactory.create(external_id="ann")
    before = list(Identifier.objects.values_list("key", flat=True))
    status, answer = call(path, **{ARRAYS[path]: ["ann"] * 51})
    assert status == 400
    assert "has 51 objects; 50 are allowed" in answer["message"]
    assert list(Identifier.objects.values_list("key", flat=True)) == before


@pytest.mark.parametrize("path", SCOPES)
def test_trailing_slash_makes_no_difference(call, path):
    assert call(f"{path}/") == call(path)


@pytest.mark.parametrize("path", [path for path in SCOPES if "export" not in path and "delete" not in path])
@pytest.mark.parametrize("value", [None, 7, "text", [], {}, {"external_id": {}}])
def test_what_is_no_object_of_the_kind_is_refused_by_itself(call, path, value):
    status, answer = call(path, **{ARRAYS[path]: [value]})
    if "rename" in path and "external" in path:
        assert (status, answer["rename_errors"][0][0]) == (201, 0)
        return
    assert status == 400
    assert (answer["errors"][0]["input_array"], answer["errors"][0]["index"]) == (ARRAYS[path], 0)


def test_stranger_reaches_nobody_here(other_workspace, workspace):
    ann, ben = ProfileFactory.create(external_id="ann"), ProfileFactory.create(external_id="ben")
    stranger = Rest(make_rest_key(other_workspace)[1])
    assert stranger.call("/users/merge", {"merge_updates": [merge_of("ann", "ben")]}).status_code == 400
    by_id = {"braze_ids": [str(ann.pk)], "profile_ids": [ben.pk]}
    assert stranger.call("/users/delete", by_id).json()["deleted"] == 0
    assert stranger.call("/users/export/ids", {"profile_id": ann.pk}).json()["users"] == []
    assert Profile.objects.live().count() == 2


def test_a_database_that_is_busy_is_passing(call, monkeypatch):
    def busy(**_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(identity, "merge", busy)
    assert call("/users/merge", merge_updates=[merge_of("ann", "ben")])[0] == 503


# --- aliases ---------------------------------------------------------------------------------------------------
def test_alias_is_given(call):
    ann = ProfileFactory.create(external_id="ann")
    assert call("/users/alias/new", user_aliases=[CRM | {"external_id": "ann"}]) == (
        201,
        {"aliases_processed": 1, "message": "success"},
    )
    assert keys_of(ann) == {"e:ann", "a:crm:7"}


def test_alias_at_fault_is_listed_and_the_others_are_given(call):
    aliases = [CRM, CRM, {"alias_label": "crm"}, CRM | {"alias_name": "8"}]
    status, answer = call("/users/alias/new", user_aliases=aliases)
    assert (status, answer["aliases_processed"]) == (201, 2)
    assert answer["errors"] == [
        {"type": "This alias belongs to a user already.", "input_array": "user_aliases", "index": 1},
        {"type": "alias_name must be a string.", "input_array": "user_aliases", "index": 2},
    ]


@pytest.mark.parametrize("name", ["", " ", "null", "undefined", "x" * 256, "\x00", 7])
def test_alias_that_names_nobody_is_refused(call, name):
    status, answer = call("/users/alias/new", user_aliases=[CRM | {"alias_name": name}])
    assert status == 400
    assert "NUL" in answer["message"] or "alias_name" in answer["message"]
    assert not Profile.objects.exists()


def test_alias_is_renamed(call):
    ann = ProfileFactory.create(anonymous=True, aliases=[("crm", "7")])
    update = {"alias_label": "crm", "old_alias_name": "7", "new_alias_name": "8"}
    assert call("/users/alias/update", alias_updates=[update]) == (
        201,
        {"aliases_processed": 1, "message": "success"},
    )
    assert keys_of(ann) == {"a:crm:8"}
    assert call("/users/alias/update", alias_updates=[update])[0] == 400


# --- identify --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "user",
    [{"user_alias": CRM}, {"device_id": "phone"}],
    ids=["alias", "device"],
)
def test_user_is_identified(call, user):
    ann = ProfileFactory.create(anonymous=True, aliases=[("crm", "7")], devices=["phone"])
    assert call("/users/identify", aliases_to_identify=[user | {"external_id": "ann"}]) == (
        201,
        {"aliases_processed": 1, "message": "success"},
    )
    assert keys_of(ann) == {"e:ann", "a:crm:7", "i:phone"}


def test_users_are_identified_by_address_too(call):
    mail = ProfileFactory.create(anonymous=True, email="a@a.example")
    ring = ProfileFactory.create(anonymous=True, phone="+49123")
    status, answer = call(
        "/users/identify",
        emails_to_identify=[{"external_id": "m", "email": "a@a.example", "prioritization": ["unidentified"]}],
        phone_numbers_to_identify=[
            {"external_id": "p", "phone": "+49123"},
            {"external_id": "q", "phone": "+49123", "prioritization": ["newest"]},
        ],
    )
    assert (status, answer["emails_processed"], answer["phone_numbers_processed"]) == (201, 1, 1)
    assert [(it["input_array"], it["index"]) for it in answer["errors"]] == [("phone_numbers_to_identify", 1)]
    assert (keys_of(mail), keys_of(ring)) == ({"e:m"}, {"e:p"})


def test_merge_behavior_none_leaves_attributes_behind(call):
    ann = ProfileFactory.create(external_id="ann", first_name="")
    ProfileFactory.create(anonymous=True, first_name="Ann", aliases=[("crm", "7")])
    pair = {"external_id": "ann", "user_alias": CRM}
    status, _answer = call("/users/identify", aliases_to_identify=[pair], merge_behavior="none")
    ann.refresh_from_db()
    assert (status, ann.first_name, keys_of(ann)) == (201, "", {"e:ann", "a:crm:7"})


def test_merge_behavior_that_there_is_not_is_refused(call):
    status, answer = call("/users/identify", aliases_to_identify=[{}], merge_behavior="both")
    assert (status, answer["errors"][0]["pointer"]) == (400, "/merge_behavior")


# --- merge -----------------------------------------------------------------------------------------------------
def test_users_are_merged(call):
    ProfileFactory.create(external_id="old", aliases=[("crm", "7")])
    kept = ProfileFactory.create(external_id="new")
    answer = call("/users/merge", merge_updates=[merge_of("old", "new"), merge_of("old", "new")])
    error = {"type": "There is no user with this external_id.", "input_array": "merge_updates", "index": 1}
    assert answer == (202, {"merges_processed": 1, "message": "success", "errors": [error]})
    assert keys_of(kept) == {"e:new", "a:crm:7"}


def test_address_means_who_its_prioritization_says(call):
    kept = ProfileFactory.create(external_id="kept", email="a@a.example")
    merged = ProfileFactory.create(anonymous=True, email="a@a.example")
    update = {
        "identifier_to_merge": {"email": "a@a.example", "prioritization": ["unidentified"]},
        "identifier_to_keep": {"email": "a@a.example", "prioritization": ["identified"]},
    }
    assert call("/users/merge", merge_updates=[update])[0] == 202
    assert set(Profile.objects.live()) == {kept}
    assert Profile.objects.get(pk=merged.pk).email == ""


def test_address_of_several_without_an_order_means_nobody(call):
    for _ in range(2):
        ProfileFactory.create(anonymous=True, email="a@a.example")
    ProfileFactory.create(external_id="kept")
    update = merge_of("", "kept") | {
        "identifier_to_merge": {"email": "a@a.example", "prioritization": ["unidentified"]}
    }
    status, answer = call("/users/merge", merge_updates=[update])
    assert (status, "several" in answer["message"]) == (400, True)


@pytest.mark.parametrize(
    "prioritization",
    ["identified", ["identified", "unidentified"], [7], [["identified"]], {"identified": 1}],
)
def test_prioritization_must_be_a_list_of_what_there_is(call, prioritization):
    user = {"email": "a@a.example", "prioritization": prioritization}
    status, answer = call("/users/merge", merge_updates=[merge_of("a", "b") | {"identifier_to_merge": user}])
    assert (status, "prioritization must" in answer["message"]) == (400, True)


# --- rename ----------------------------------------------------------------------------------------------------
def test_external_ids_are_renamed(call):
    ann = ProfileFactory.create(external_id="ann")
    renames = [
        {"current_external_id": "nobody-here", "new_external_id": "x"},
        {"current_external_id": "ann", "new_external_id": "anna"},
    ]
    assert call("/users/external_ids/rename", external_id_renames=renames) == (
        201,
        {
            "message": "success",
            "external_ids": ["anna"],
            "rename_errors": [[0, "There is no user with this external_id."]],
        },
    )
    assert keys_of(ann) == {"e:anna"}


# --- cost ------------------------------------------------------------------------------------------------------
def test_fifty_objects_cost_as_many_queries_as_one(call):
    def cost(count: int) -> int:
        aliases = [{"alias_label": f"l{count}", "alias_name": f"n{number}"} for number in range(count)]
        pairs = [{"external_id": f"{count}-{it['alias_name']}", "user_alias": it} for it in aliases]
        with CaptureQueriesContext(connection) as captured:
            assert call("/users/alias/new", user_aliases=aliases)[1]["aliases_processed"] == count
            assert call("/users/identify", aliases_to_identify=pairs)[1]["aliases_processed"] == count
        return len(captured)

    cost(2)  # the first call of a process looks up more
    assert cost(1) == cost(50)
