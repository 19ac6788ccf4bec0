"""Two profiles of one person become one: the kept one has what both had."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from profiles import identity
from profiles.identity_names import alias, device, external_id, profile
from profiles.identity_people import (
    SameUserError,
    UnknownUserError,
)
from profiles.models import Profile
from tests.profiles.factories import ProfileFactory, add_identifiers
from tests.profiles.identities import call, keys_of

pytestmark = pytest.mark.django_db


def test_the_kept_user_gets_what_it_lacks_and_keeps_what_it_has(workspace):
    kept = ProfileFactory.create(
        external_id="kept",
        first_name="Ann",
        email="",
        custom_attributes={"a": 1, "b": 2},
        first_session_at=datetime(2026, 2, 1, tzinfo=UTC),
        last_session_at=datetime(2026, 3, 1, tzinfo=UTC),
        push_tokens=[{"app_id": "x", "token": "1"}],
    )
    ProfileFactory.create(
        external_id="merged",
        first_name="Anna",
        email="anna@a.example",
        gender="F",
        date_of_birth=date(1990, 12, 31),
        custom_attributes={"b": 3, "c": [4]},
        first_session_at=datetime(2026, 1, 1, tzinfo=UTC),
        last_session_at=datetime(2026, 2, 1, tzinfo=UTC),
        push_tokens=[{"app_id": "x", "token": "1"}, {"app_id": "x", "token": "2"}],
        aliases=[("crm", "7")],
        devices=["phone"],
    )
    assert call(identity.merge, workspace, pairs=[(external_id("merged"), external_id("kept"))]) == [None]
    kept.refresh_from_db()
    assert (kept.first_name, kept.email, kept.gender) == ("Ann", "anna@a.example", "F")
    assert kept.date_of_birth == date(1990, 12, 31)
    assert kept.custom_attributes == {"a": 1, "b": 2, "c": [4]}
    assert (kept.first_session_at, kept.last_session_at) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert [token["token"] for token in kept.push_tokens] == ["1", "2"]
    assert keys_of(kept) == {"e:kept", "a:crm:7", "i:phone"}


def test_an_anonymous_user_that_is_kept_takes_the_external_id(workspace):
    kept = ProfileFactory.create(anonymous=True, devices=["tablet"])
    ProfileFactory.create(external_id="anna", devices=["phone"])
    assert call(identity.merge, workspace, pairs=[(external_id("anna"), device("tablet"))]) == [None]
    kept.refresh_from_db()
    assert kept.external_id == "anna"
    assert keys_of(kept) == {"e:anna", "i:phone", "i:tablet"}


def test_a_chain_ends_in_its_last_user(workspace):
    a, b, c = (ProfileFactory.create(external_id=it, aliases=[("is", it)], email="") for it in "abc")
    Profile.objects.filter(pk=a.pk).update(custom_attributes={"x": "a", "y": "a"})
    Profile.objects.filter(pk=b.pk).update(custom_attributes={"x": "b"})
    pairs = [(external_id("a"), external_id("b")), (external_id("b"), external_id("c"))]
    assert call(identity.merge, workspace, pairs=pairs) == [None, None]
    c.refresh_from_db()
    assert c.custom_attributes == {"x": "b", "y": "a"}
    assert keys_of(c) == {"e:c", "a:is:a", "a:is:b", "a:is:c"}
    assert set(Profile.objects.live()) == {c}
    assert {entry.subject: entry.detail for entry in AuditEntry.objects.all()} == {
        f"user {a.pk}": {"merged_into": c.pk},
        f"user {b.pk}": {"merged_into": c.pk},
        f"user {c.pk}": {"merged": [a.pk, b.pk]},
    }


def test_a_circle_ends_where_it_began(workspace):
    ProfileFactory.create(external_id="a")
    b = ProfileFactory.create(external_id="b")
    pairs = [(external_id("a"), external_id("b")), (external_id("b"), external_id("a"))]
    assert call(identity.merge, workspace, pairs=pairs) == [None, UnknownUserError]
    assert set(Profile.objects.live()) == {b}


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_two_users_merge_into_one(workspace, order):
    kept = ProfileFactory.create(external_id="kept", email="")
    for number in order:
        ProfileFactory.create(external_id=f"p{number}", aliases=[("n", str(number))])
    pairs = [(external_id(f"p{number}"), profile(kept.pk)) for number in order]
    assert call(identity.merge, workspace, pairs=pairs) == [None, None]
    kept.refresh_from_db()
    assert kept.email == Profile.objects.live().get().email != ""
    assert keys_of(kept) == {"e:kept", "a:n:0", "a:n:1"}


def test_one_user_is_not_merged_into_itself(workspace):
    anna = ProfileFactory.create(external_id="anna", aliases=[("crm", "7")])
    pairs = [(external_id("anna"), alias(label="crm", name="7")), (profile(anna.pk), external_id("anna"))]
    assert call(identity.merge, workspace, pairs=pairs) == [SameUserError, SameUserError]


def test_a_device_that_somebody_else_has_in_its_other_form_stays_theirs(workspace):
    anna = ProfileFactory.create(external_id="anna")
    ben = ProfileFactory.create(external_id="ben", devices=["phone"])
    guest = ProfileFactory.create(anonymous=True, aliases=[("crm", "7")])
    add_identifiers(guest, ["d:phone"])
    assert call(identity.identify, workspace, pairs=[(alias(label="crm", name="7"), "anna")]) == [None]
    assert keys_of(ben) == {"e:ben", "i:phone"}
    assert keys_of(anna) == {"e:anna", "a:crm:7"}


def test_fifty_merges_take_as_many_queries_as_one(workspace):
    def queries(count: int) -> int:
        for number in range(count):
            ProfileFactory.create(external_id=f"{count}-{number}", devices=[f"{count}-{number}"])
        kept = [ProfileFactory.create(external_id=f"{count}-k{number}") for number in range(count)]
        pairs = [(external_id(f"{count}-{number}"), profile(it.pk)) for number, it in enumerate(kept)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert call(identity.merge, workspace, pairs=pairs) == [None] * count
        return len(captured)

    queries(2)  # the first merge of a workspace leaves its mark
    assert queries(1) == queries(50)
