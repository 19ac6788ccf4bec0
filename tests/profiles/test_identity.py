"""Who is who: aliases, identifying, merging, renaming, one at a time and many in one request."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from profiles import changes, identity, matching
from profiles.identity import Alias, AliasRename, Author
from profiles.identity_names import alias, device, email, external_id, phone, profile
from profiles.identity_people import (
    AlreadyIdentifiedError,
    TakenError,
    UnchangedError,
    UnknownUserError,
)
from profiles.models import Profile
from tests.accounts.factories import WorkspaceFactory
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import NOW, call, changed, keys_of

pytestmark = pytest.mark.django_db


# --- aliases ---------------------------------------------------------------------------------------------------
def test_an_alias_is_given_to_the_user_with_the_external_id(workspace):
    anna = ProfileFactory.create(external_id="anna")
    assert call(identity.add_aliases, workspace, aliases=[Alias("crm", "7", "anna")]) == [None]
    assert keys_of(anna) == {"e:anna", "a:crm:7"}


def test_an_alias_without_external_id_makes_a_user(workspace):
    assert call(identity.add_aliases, workspace, aliases=[Alias("crm", "7"), Alias("crm", "8")]) == [
        None,
        None,
    ]
    seven, eight = Profile.objects.order_by("pk")
    assert (keys_of(seven), keys_of(eight)) == ({"a:crm:7"}, {"a:crm:8"})
    assert seven.external_id is None
    assert {seven.pk, eight.pk} <= changed(changes.Kind.EXISTENCE)


def test_an_alias_that_is_taken_stays_where_it_is(workspace):
    anna = ProfileFactory.create(external_id="anna", aliases=[("crm", "7")])
    ProfileFactory.create(external_id="ben")
    wanted = [Alias("crm", "7", "ben"), Alias("crm", "7"), Alias("crm", "8"), Alias("crm", "8")]
    assert call(identity.add_aliases, workspace, aliases=wanted) == [TakenError, TakenError, None, TakenError]
    assert "a:crm:7" in keys_of(anna)


def test_ones_own_alias_again_is_no_fault(workspace):
    ProfileFactory.create(external_id="anna", aliases=[("crm", "7")])
    assert call(identity.add_aliases, workspace, aliases=[Alias("crm", "7", "anna")]) == [None]


def test_an_alias_of_an_unknown_external_id_makes_nobody(workspace):
    assert call(identity.add_aliases, workspace, aliases=[Alias("crm", "7", "nobody-here")]) == [
        UnknownUserError
    ]
    assert not Profile.objects.exists()


def test_an_alias_gets_another_name(workspace):
    anna = ProfileFactory.create(anonymous=True, aliases=[("crm", "7"), ("shop", "9")])
    renames = [
        AliasRename("crm", "7", "70"),
        AliasRename("crm", "7", "71"),
        AliasRename("crm", "70", "70"),
        AliasRename("shop", "9", "10"),
        AliasRename("crm", "70", "72"),
    ]
    outcomes = call(identity.rename_aliases, workspace, renames=renames)
    assert outcomes == [None, UnknownUserError, UnchangedError, None, None]
    assert keys_of(anna) == {"a:crm:72", "a:shop:10"}


def test_an_alias_given_and_taken_by_hand_is_noted(workspace, administrator):
    anna = ProfileFactory.create(external_id="anna")
    by_hand = {"workspace_id": workspace.pk, "profile_id": anna.pk, "label": "crm", "name": "7", "now": NOW}
    identity.add_alias_by_hand(author=Author(administrator), **by_hand)
    assert keys_of(anna) == {"e:anna", "a:crm:7"}
    identity.remove_alias_by_hand(author=Author(administrator), **by_hand)
    assert keys_of(anna) == {"e:anna"}
    with pytest.raises(UnknownUserError):
        identity.remove_alias_by_hand(author=Author(administrator), **by_hand)
    entries = AuditEntry.objects.order_by("pk").values_list("action", "subject", "actor")
    subject = f"user {anna.pk}"
    assert list(entries) == [
        ("user_alias_added", subject, administrator.pk),
        ("user_edited", subject, administrator.pk),
    ]


# --- identify --------------------------------------------------------------------------------------------------
def test_an_anonymous_user_takes_an_external_id_that_is_free(workspace):
    anna = ProfileFactory.create(anonymous=True, aliases=[("crm", "7")], devices=["phone"])
    assert call(identity.identify, workspace, pairs=[(alias(label="crm", name="7"), "anna")]) == [None]
    anna.refresh_from_db()
    assert anna.external_id == "anna"
    assert keys_of(anna) == {"e:anna", "a:crm:7", "i:phone"}
    assert anna.pk in changed(changes.Kind.ATTRIBUTES)


def test_a_device_names_a_user_to_identify(workspace):
    anna = ProfileFactory.create(anonymous=True, devices=["phone"])
    assert call(identity.identify, workspace, pairs=[(device("phone"), "anna")]) == [None]
    assert keys_of(anna) == {"e:anna", "i:phone"}
    assert call(identity.identify, workspace, pairs=[(device("phone"), "anna")]) == [None]
    assert call(identity.identify, workspace, pairs=[(device("phone"), "ben")]) == [AlreadyIdentifiedError]


def test_an_anonymous_user_merges_into_the_one_with_the_external_id(workspace):
    anna = ProfileFactory.create(external_id="anna", email="anna@a.example", first_name="")
    before = ProfileFactory.create(
        anonymous=True, email="old@a.example", first_name="Anna", aliases=[("crm", "7")], devices=["phone"]
    )
    assert call(identity.identify, workspace, pairs=[(alias(label="crm", name="7"), "anna")]) == [None]
    anna.refresh_from_db()
    before.refresh_from_db()
    assert (anna.email, anna.first_name) == ("anna@a.example", "Anna")
    assert keys_of(anna) == {"e:anna", "a:crm:7", "i:phone"}
    assert (before.deleted_at, before.email, before.first_name) == (NOW, "", "")
    assert before.pk in changed(changes.Kind.EXISTENCE)
    details = {entry.subject: entry.detail for entry in AuditEntry.objects.all()}
    assert details == {
        f"user {before.pk}": {"merged_into": anna.pk},
        f"user {anna.pk}": {"merged": [before.pk]},
    }


def test_two_anonymous_users_become_one_with_a_new_external_id(workspace):
    first = ProfileFactory.create(anonymous=True, aliases=[("crm", "7")])
    second = ProfileFactory.create(anonymous=True, aliases=[("crm", "8")])
    pairs = [(alias(label="crm", name="7"), "anna"), (alias(label="crm", name="8"), "anna")]
    assert call(identity.identify, workspace, pairs=pairs) == [None, None]
    assert keys_of(first) == {"e:anna", "a:crm:7", "a:crm:8"}
    assert not Profile.objects.live().filter(pk=second.pk)


def test_without_data_only_identifiers_and_push_tokens_move(workspace):
    anna = ProfileFactory.create(external_id="anna", first_name="")
    token = {"app_id": "app", "token": "t1"}
    ProfileFactory.create(
        anonymous=True,
        first_name="Anna",
        aliases=[("crm", "7")],
        push_tokens=[token],
        custom_attributes={"a": 1},
    )
    pairs = [(alias(label="crm", name="7"), "anna")]
    assert call(identity.identify, workspace, pairs=pairs, with_data=False) == [None]
    anna.refresh_from_db()
    assert (anna.first_name, anna.custom_attributes, anna.push_tokens) == ("", {}, [token])
    assert "a:crm:7" in keys_of(anna)


@pytest.mark.parametrize(("make_name", "address"), [(email, "a@a.example"), (phone, "+491234")])
def test_an_address_means_the_anonymous_user_if_that_is_asked(workspace, make_name, address):
    field = make_name.__name__
    ProfileFactory.create(external_id="known", **{field: address})
    anonymous = ProfileFactory.create(anonymous=True, **{field: address})
    name = make_name(address, priorities=["unidentified"])
    assert call(identity.identify, workspace, pairs=[(name, "anna")]) == [None]
    assert keys_of(anonymous) == {"e:anna"}


# --- rename ----------------------------------------------------------------------------------------------------
def test_an_external_id_is_renamed_and_the_old_one_free(workspace):
    anna = ProfileFactory.create(external_id="old")
    ProfileFactory.create(external_id="taken")
    renames = [("old", "taken"), ("old", "old"), ("nobody-here", "x"), ("old", "new")]
    outcomes = call(identity.rename, workspace, renames=renames)
    assert outcomes == [TakenError, UnchangedError, UnknownUserError, None]
    anna.refresh_from_db()
    assert (anna.external_id, keys_of(anna)) == ("new", {"e:new"})
    assert matching.lookup(workspace_id=workspace.pk, keys=["e:old"]) == {}


def test_two_users_swap_their_external_ids_by_way_of_a_third(workspace):
    a, b = ProfileFactory.create(external_id="a"), ProfileFactory.create(external_id="b")
    renames = [("a", "c"), ("b", "a"), ("c", "b")]
    assert call(identity.rename, workspace, renames=renames) == [None, None, None]
    assert (keys_of(a), keys_of(b)) == ({"e:b"}, {"e:a"})


# --- always ----------------------------------------------------------------------------------------------------
def test_nobody_of_another_workspace_is_named(workspace):
    elsewhere = WorkspaceFactory.create()
    theirs = ProfileFactory.create(workspace=elsewhere, external_id="theirs", email="x@x.example")
    ProfileFactory.create(external_id="mine")
    pairs = [
        (name, external_id("mine"))
        for name in (external_id("theirs"), profile(theirs.pk), email("x@x.example"))
    ]
    assert call(identity.merge, workspace, pairs=pairs) == [UnknownUserError] * 3
    theirs.refresh_from_db()
    assert theirs.deleted_at is None


@pytest.mark.parametrize("value", ["0", "-1", "01", "4294967297", "²", "٤", "", "x", "1 "])
def test_what_is_no_id_of_ours_names_nobody(workspace, value):
    ProfileFactory.create(external_id="mine")
    assert call(identity.merge, workspace, pairs=[(profile(value), external_id("mine"))]) == [
        UnknownUserError
    ]
