"""Audience > Users, one user: attributes edited by hand, in the browser's words."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from urllib.parse import quote

import pytest

from profiles import editing
from profiles.models import Profile
from tests.profiles.admin_pages import address, followed, query_count, text_of
from tests.profiles.factories import ProfileFactory, erase

FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 403, 404, 409, 422


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create(
        external_id="ada-1",
        email="ada@people.example",
        first_name="Ada",
        gender="F",
        first_session_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        custom_attributes={"ltv": 512.5, "vip": True, "tags": ["a"], "city": "Porto", "a&b": "x"},
    )


def form_of(profile, **changed):
    """Return what a browser sends back of the form, with some fields changed."""
    texts = editing.texts_of(profile)
    return {**texts, "seen": json.dumps(texts), **changed}


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["edit", "attribute"])
def test_only_administrators_of_the_workspace_edit(name, marketer_client, stranger_client, client, ada):
    url = address(ada, name)
    sent = form_of(ada, first_name="Eve", name="new", kind="text", text="x")
    for method in ("get", "post"):
        assert getattr(marketer_client, method)(url, sent).status_code == FORBIDDEN
        assert getattr(stranger_client, method)(url, sent).status_code == NOT_FOUND
        assert getattr(client, method)(url, sent)["Location"].startswith("/admin/login/")
    ada.refresh_from_db()
    assert (ada.first_name, "new" in ada.custom_attributes) == ("Ada", False)


def test_marketers_see_no_way_to_edit(marketer_client, administrator_client, ada):
    marketers, administrators = (
        text_of(it.get(address(ada))) for it in (marketer_client, administrator_client)
    )
    for name in ("edit", "attribute", "identify", "merge", "alias", "erase", "download"):
        assert address(ada, name) not in marketers
        assert address(ada, name) in administrators


@pytest.mark.parametrize("name", ["edit", "attribute", "identify", "merge", "alias", "erase"])
def test_there_is_no_page_of_the_erased_or_of_nobody(administrator_client, ada, name):
    erase(ada)
    assert administrator_client.get(address(ada, name)).status_code == NOT_FOUND
    ada.pk = 2**40
    assert administrator_client.get(address(ada, name)).status_code == NOT_FOUND


# --- standard attributes ---------------------------------------------------------------------------------------
def test_form_shows_what_is_known(administrator_client, ada):
    page = text_of(administrator_client.get(address(ada, "edit")))
    for shown in (
        'value="Ada"',
        'value="ada@people.example"',
        '<option value="F" selected>',
        "2026-01-31T09:30:00",
    ):
        assert shown in page


def test_what_is_changed_is_saved_and_said(administrator_client, ada):
    sent = form_of(
        ada, first_name="Adele", dob="1990-12-31", gender="", date_of_last_session="2026-02-01T10:00"
    )
    assert "Attributes saved." in followed(administrator_client, address(ada, "edit"), sent)
    ada.refresh_from_db()
    assert (ada.first_name, ada.date_of_birth, ada.gender) == ("Adele", date(1990, 12, 31), "")
    assert ada.last_session_at == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_what_is_not_changed_stays_as_odd_as_it_is(administrator_client, workspace):
    odd = ProfileFactory.create(
        email="no address",
        first_name=" A\nda ",
        first_session_at=datetime(2026, 1, 1, 9, 0, 0, 123, tzinfo=UTC),
    )
    # A browser drops line breaks, and seconds that are none.
    sent = form_of(odd, first_name=" Ada ", date_of_first_session="2026-01-01T09:00")
    assert "Nothing was changed." in followed(administrator_client, address(odd, "edit"), sent)
    odd.refresh_from_db()
    assert (odd.email, odd.first_name, odd.first_session_at.microsecond) == ("no address", " A\nda ", 123)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("dob", "yesterday", "Enter a date, like 1990-12-31."),
        ("date_of_first_session", "noon", "Enter a time, like 2026-01-31T09:30:00."),
        ("email", "ada", "Enter a valid email address."),
        ("gender", "X", "Select a valid choice."),
        ("first_name", "a" * 256, "Ensure this value has at most 255 characters"),
        ("first_name", "\x00", "Null characters are not allowed."),
    ],
)
def test_faults_are_named_at_their_field_and_nothing_is_lost(administrator_client, ada, field, value, reason):
    sent = form_of(ada, last_name="Lovelace") | {field: value}
    page = text_of(administrator_client.post(address(ada, "edit"), sent), UNPROCESSABLE)
    assert reason in page
    assert f'id="id_{field}_error"' in page
    assert 'value="Lovelace"' in page
    ada.refresh_from_db()
    assert ada.last_name == ""


def test_conflict_shows_both_and_saves_nothing_until_asked_again(administrator_client, ada):
    sent = form_of(ada, first_name="Adele", last_name="Lovelace", gender="")
    Profile.objects.filter(pk=ada.pk).update(first_name="Adela", country="PT", gender="M")
    response = administrator_client.post(address(ada, "edit"), sent)
    page = text_of(response, CONFLICT)
    assert "somebody else changed the same meanwhile" in page
    assert "Meanwhile it became: Adela" in page
    assert "Meanwhile it became: Male" in page
    form = response.context["form"]
    assert [form[name].value() for name in ("first_name", "last_name", "country")] == [
        "Adele",
        "Lovelace",
        "PT",
    ]
    again = {name: form[name].value() for name in form.fields} | {"seen": form.seen_text}
    followed(administrator_client, address(ada, "edit"), again)
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name, ada.country) == ("Adele", "Lovelace", "PT")


@pytest.mark.parametrize("seen", ["", "[]", "{", '{"first_name": 7}', "null"])
def test_a_form_that_forgot_what_it_showed_is_taken_at_its_word(administrator_client, ada, seen):
    sent = form_of(ada, first_name="Adele") | {"seen": seen}
    followed(administrator_client, address(ada, "edit"), sent)
    ada.refresh_from_db()
    assert (ada.first_name, ada.email) == ("Adele", "ada@people.example")


def test_markup_in_values_stays_text(administrator_client, workspace):
    evil = "</textarea><script>alert(1)</script>"
    profile = ProfileFactory.create(
        external_id=evil, first_name=evil, custom_attributes={evil: evil, "l": [evil]}
    )
    page = address(profile, "attribute")
    for url in (address(profile, "edit"), f"{page}?name={quote(evil)}", f"{page}?name=l"):
        assert evil not in text_of(administrator_client.get(url))


@pytest.mark.parametrize("name", ["edit", "attribute"])
def test_forms_cost_the_same_for_1_and_50_attributes(administrator_client, workspace, name):
    few, many = (
        ProfileFactory.create(custom_attributes={f"it-{n}": n for n in range(count)}) for count in (1, 50)
    )
    assert query_count(administrator_client, address(few, name)) == query_count(
        administrator_client, address(many, name)
    )
