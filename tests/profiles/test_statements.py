"""The statements that write profiles, one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from profiles import changes, statements
from profiles.models import Identifier, Profile
from tests.profiles.factories import ProfileFactory, erase

pytestmark = pytest.mark.django_db
VALUES = {
    "email": "é@x.example",
    "date_of_birth": date(1990, 12, 31),
    "first_session_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    "last_session_at": datetime(2026, 1, 31, 9, 30, 0, 1, tzinfo=UTC),
    "push_tokens": [{"app_id": "a", "token": "t"}],
    "custom_attributes": {"n": 1, "big": 2**63 - 1, "f": 1.5, "b": True, "s": "“q'uote”", "l": [{}]},
}
NOTHING = dict.fromkeys(("date_of_birth", "first_session_at", "last_session_at")) | {
    "email": "",
    "push_tokens": [],
    "custom_attributes": {},
}


def insert(workspace, *rows, columns=tuple(VALUES)) -> list[int]:
    ids = list(statements.reserve_ids(count=len(rows)))
    statements.insert_profiles(
        workspace_id=workspace.pk,
        columns=columns,
        rows=[{"id": profile_id, **row} for profile_id, row in zip(ids, rows, strict=True)],
    )
    changes.record(workspace_id=workspace.pk, kind=changes.Kind.EXISTENCE, profile_ids=ids)
    return ids


def lock(workspace, *profile_ids, columns=tuple(VALUES)) -> dict:
    with transaction.atomic():
        return statements.lock_profiles(workspace_id=workspace.pk, profile_ids=profile_ids, columns=columns)


def test_what_is_inserted_is_read_back_as_it_was(workspace):
    one, two = insert(workspace, VALUES, NOTHING)
    assert lock(workspace, two, one) == {one: VALUES, two: NOTHING}
    assert list(lock(workspace, two, one)) == [one, two]  # in the order in which they are locked
    by_django = Profile.objects.filter(pk=one).values(*VALUES).get()
    assert by_django == VALUES


def test_columns_that_are_left_out_are_blank(workspace):
    (one,) = insert(workspace, {"external_id": "x"}, columns=["external_id"])
    profile = Profile.objects.get(pk=one)
    assert (profile.external_id, profile.email, profile.custom_attributes, profile.gender) == (
        "x",
        "",
        {},
        "",
    )
    assert profile.push_tokens == []


def test_only_the_named_columns_are_updated(workspace):
    one, two = insert(workspace, VALUES, VALUES)
    Profile.objects.update(changed_at=timezone.now() - timedelta(days=1))
    statements.update_profiles(
        workspace_id=workspace.pk,
        columns=["email", "date_of_birth"],
        rows=[{"id": one, "email": "new", "date_of_birth": None}],
    )
    changes.record(workspace_id=workspace.pk, kind=changes.Kind.ATTRIBUTES, profile_ids=[one])
    assert lock(workspace, one, two) == {one: VALUES | {"email": "new", "date_of_birth": None}, two: VALUES}
    touched = Profile.objects.filter(changed_at__gt=timezone.now() - timedelta(hours=1))
    assert [it.pk for it in touched] == [one]


def test_erased_profiles_and_those_of_others_are_neither_locked_nor_updated(workspace, other_workspace):
    mine, gone = ProfileFactory.create(), ProfileFactory.create()
    others = ProfileFactory.create(workspace=other_workspace, email="x")
    erase(gone)
    assert list(lock(workspace, mine.pk, gone.pk, others.pk, 2**31 - 1)) == [mine.pk]
    statements.update_profiles(
        workspace_id=workspace.pk, columns=["email"], rows=[{"id": others.pk, "email": "stolen"}]
    )
    others.refresh_from_db()
    assert others.email == "x"


def test_identifier_that_exists_fails_all(workspace):
    (one,) = insert(workspace, NOTHING)
    statements.insert_identifiers(workspace_id=workspace.pk, rows=[(one, "d:b"), (one, "a:l:a")])
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.insert_identifiers(workspace_id=workspace.pk, rows=[(one, "d:c"), (one, "d:b")])
    assert set(Identifier.objects.values_list("key", flat=True)) == {"d:b", "a:l:a"}
