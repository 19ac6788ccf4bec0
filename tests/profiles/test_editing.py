"""Attributes edited by hand: what is written, what is refused, and that nobody's work is overwritten unseen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connections

from accounts.models import AuditEntry
from profiles import changes, editing
from profiles.attributes import AttributeValueError
from profiles.editing import Edit, EditConflictError
from profiles.models import Profile, ProfileChange
from tests.profiles.factories import ProfileFactory, erase
from tests.profiles.questions import changed_since

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create(
        external_id="ada-1", first_name="Ada", country="PT", custom_attributes={"ltv": 10, "shop": None}
    )


def edit(profile, by, **edits):
    editing.edit(workspace_id=profile.workspace_id, profile_id=profile.pk, by=by, now=NOW, **edits)
    profile.refresh_from_db()


def test_edited_attributes_are_written_and_no_others(ada, administrator):
    Profile.objects.filter(pk=ada.pk).update(country="ES")
    edit(
        ada,
        administrator,
        standard={"first_name": Edit("Ada", "Adele"), "dob": Edit("", "1990-12-31"), "gender": Edit("", "F")},
        custom={"ltv": Edit(10, 20.5), "tags": Edit(None, ["a"])},
    )
    assert (ada.first_name, ada.date_of_birth, ada.gender) == ("Adele", date(1990, 12, 31), "F")
    assert (ada.country, ada.external_id) == ("ES", "ada-1")
    assert ada.custom_attributes == {"ltv": 20.5, "tags": ["a"], "shop": None}


def test_what_is_emptied_is_removed(ada, administrator):
    Profile.objects.filter(pk=ada.pk).update(date_of_birth=date(1990, 12, 31))
    edit(
        ada,
        administrator,
        standard={"first_name": Edit("Ada", ""), "dob": Edit("1990-12-31", "")},
        custom={"ltv": Edit(10, None)},
    )
    assert (ada.first_name, ada.date_of_birth, ada.custom_attributes) == ("", None, {"shop": None})


def test_an_edit_is_marked_and_noted_without_values(ada, administrator):
    start, changed_at = changes.as_of(), ada.changed_at
    ProfileChange.objects.all().delete()
    edit(ada, administrator, standard={"first_name": Edit("Ada", "Adele")}, custom={"ltv": Edit(10, 11)})
    assert changed_since(ada.workspace, start) == {ada.pk}
    assert ada.changed_at > changed_at
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("user_edited", f"user {ada.pk}", administrator)
    assert entry.detail == {"attributes": ["first_name", "ltv"]}
    assert entry.happened_at == NOW


def test_editing_nothing_does_nothing(ada, administrator, django_assert_num_queries):
    with django_assert_num_queries(0):
        editing.edit(workspace_id=ada.workspace_id, profile_id=ada.pk, by=administrator, now=NOW)


def test_what_somebody_else_changed_is_a_conflict_and_nothing_is_written(ada, administrator):
    Profile.objects.filter(pk=ada.pk).update(first_name="Adela")
    with pytest.raises(EditConflictError) as conflict:
        edit(
            ada,
            administrator,
            standard={"first_name": Edit("Ada", "Adele"), "country": Edit("PT", "FR")},
            custom={"ltv": Edit(9, 11)},
        )
    assert conflict.value.current == {"first_name": "Adela"}
    ada.refresh_from_db()
    assert (ada.first_name, ada.country, ada.custom_attributes["ltv"]) == ("Adela", "PT", 10)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("before", "now", "after"), [(True, 1, 2), (1, True, 2), (None, 5, 6), ([1], [1, 2], [])]
)
def test_custom_attribute_that_changed_meanwhile_is_a_conflict(workspace, administrator, before, now, after):
    profile = ProfileFactory.create(custom_attributes={"it": now})
    with pytest.raises(EditConflictError) as conflict:
        edit(profile, administrator, custom={"it": Edit(before, after)})
    assert conflict.value.current == {"it": now}


def test_who_wrote_the_same_meanwhile_is_no_conflict(ada, administrator):
    Profile.objects.filter(pk=ada.pk).update(first_name="Adele", custom_attributes={})
    edit(ada, administrator, standard={"first_name": Edit("Ada", "Adele")}, custom={"ltv": Edit(10, None)})
    assert (ada.first_name, ada.custom_attributes) == ("Adele", {})


@pytest.mark.parametrize(
    "edits",
    [
        {"standard": {"dob": Edit("", "yesterday")}},
        {"standard": {"gender": Edit("", "X")}},
        {"standard": {"first_name": Edit("Ada", "a" * 256)}},
        {"custom": {"ltv": Edit(10, "a" * 256)}},
        {"custom": {"ltv": Edit(10, 2**63)}},
        {"standard": {"first_name": Edit("Ada", "Adele")}, "custom": {"ltv": Edit(10, [[1]])}},
    ],
)
def test_what_the_tracking_api_refuses_is_refused_here_too(ada, administrator, edits):
    with pytest.raises(AttributeValueError):
        edit(ada, administrator, **edits)
    ada.refresh_from_db()
    assert (ada.first_name, ada.custom_attributes) == ("Ada", {"ltv": 10, "shop": None})


def test_a_user_who_is_full_takes_no_more_attributes(ada, administrator, settings):
    settings.MAX_CUSTOM_ATTRIBUTES = 1
    with pytest.raises(AttributeValueError):
        edit(ada, administrator, custom={"new": Edit(None, 1)})
    edit(ada, administrator, custom={"ltv": Edit(10, 11)})
    assert ada.custom_attributes == {"ltv": 11, "shop": None}


def test_who_was_erased_or_is_a_strangers_cannot_be_edited(ada, administrator, other_workspace):
    edits = {"standard": {"first_name": Edit("Ada", "Adele")}}
    with pytest.raises(Profile.DoesNotExist):
        editing.edit(workspace_id=other_workspace.pk, profile_id=ada.pk, by=administrator, now=NOW, **edits)
    erase(ada)
    with pytest.raises(Profile.DoesNotExist):
        edit(ada, administrator, **edits)


def test_texts_of_a_profile_are_read_back_as_they_were(workspace):
    profile = ProfileFactory.create(
        date_of_birth=date(1990, 12, 31),
        first_session_at=datetime(2026, 1, 31, 9, 30, 0, 999, tzinfo=UTC),
        email_subscribe="opted_in",
    )
    texts = editing.texts_of(profile)
    assert texts["dob"] == "1990-12-31"
    assert texts["date_of_first_session"] == "2026-01-31T09:30:00"
    assert (texts["email_subscribe"], texts["push_subscribe"]) == ("opted_in", "")
    assert "push_tokens" not in texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00"),
        (datetime(987, 6, 5, 4, 3, 2, 1, tzinfo=UTC), "0987-06-05T04:03:02"),
        (date(1, 1, 1), "0001-01-01"),
        (None, ""),
    ],
)
def test_years_have_four_digits(value, text):
    assert editing.text_of(value) == text


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_who_edit_at_once_lose_nothing(workspace, administrator):
    profile = ProfileFactory.create(custom_attributes={})

    def add(number):
        try:
            name = f"it-{number}"
            editing.edit(
                workspace_id=workspace.pk,
                profile_id=profile.pk,
                custom={name: Edit(None, number)},
                by=administrator,
                now=NOW,
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(20)))
    profile.refresh_from_db()
    assert profile.custom_attributes == {f"it-{n}": n for n in range(20)}
