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


def attribute(profile, name=None):
    page = address(profile, "attribute")
    return page if name is None else f"{page}?name={quote(name)}"


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


# --- custom attributes -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " a b ", " a b "),
        ("number", "42", 42),
        ("number", "1,5", 1.5),
        ("boolean", "false", False),
        ("json", '["a", {"b": 1}]', ["a", {"b": 1}]),
        ("json", '{"size": 42}', {"size": 42}),
    ],
)
def test_attribute_of_each_kind_is_added(administrator_client, ada, kind, text, value):
    sent = {"name": "new", "kind": kind, kind: text}
    assert "Attribute saved." in followed(administrator_client, attribute(ada), sent)
    ada.refresh_from_db()
    assert ada.custom_attributes["new"] == value
    assert type(ada.custom_attributes["new"]) is type(value)
    assert ada.custom_attributes["city"] == "Porto"


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("ltv", "number", 'value="512.5"'),
        ("city", "text", "Porto"),
        ("tags", "json", "[\n  &quot;a&quot;\n]"),
        ("vip", "boolean", '<option value="true" selected>'),
        ("a&b", "text", ">\nx</textarea>"),
    ],
)
def test_attribute_is_shown_by_its_kind_and_edited(administrator_client, ada, name, kind, shown):
    page = text_of(administrator_client.get(attribute(ada, name)))
    assert shown in page
    seen = json.dumps(ada.custom_attributes[name])
    sent = {"kind": "text", "text": "new", "seen": seen}
    assert "Attribute saved." in followed(administrator_client, attribute(ada, name), sent)
    ada.refresh_from_db()
    assert ada.custom_attributes[name] == "new"


def test_attribute_is_removed(administrator_client, ada):
    sent = {"remove": "yes", "kind": "number", "number": "no number", "seen": "512.5"}
    assert "Attribute removed." in followed(administrator_client, attribute(ada, "ltv"), sent)
    ada.refresh_from_db()
    assert "ltv" not in ada.custom_attributes


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"name": "", "kind": "text", "text": "x"}, "This field is required."),
        ({"name": "$add", "kind": "text", "text": "x"}, "A name must not begin with $."),
        ({"name": "email", "kind": "text", "text": "x"}, "This name has a meaning of its own"),
        ({"name": "external_id", "kind": "text", "text": "x"}, "This name has a meaning of its own"),
        ({"name": "city", "kind": "text", "text": "x"}, "This user has an attribute of this name already."),
        ({"name": "a" * 256, "kind": "text", "text": "x"}, "Ensure this value has at most 255 characters"),
        ({"name": "new", "kind": "text", "text": ""}, "Enter a text, or remove the attribute."),
        ({"name": "new", "kind": "text", "text": "x" * 256}, "Ensure this value has at most 255 characters"),
        ({"name": "new", "kind": "number", "number": "many"}, "Enter a number, like 512.5."),
        ({"name": "new", "kind": "number", "number": "true"}, "Enter a number, like 512.5."),
        ({"name": "new", "kind": "number", "number": "9" * 30}, "This is more than an attribute may hold"),
        ({"name": "new", "kind": "json", "json": "[1,"}, "Enter a list or an object as JSON"),
        ({"name": "new", "kind": "json", "json": "[[1]]"}, "This is more than an attribute may hold"),
        ({"name": "new", "kind": "colour"}, "Select a valid choice."),
        ({"name": "new"}, "This field is required."),
    ],
)
def test_faults_of_an_attribute_are_named(administrator_client, ada, sent, reason):
    page = text_of(administrator_client.post(attribute(ada), sent), UNPROCESSABLE)
    assert reason.replace('"', "&quot;") in page
    ada.refresh_from_db()
    assert len(ada.custom_attributes) == 5


@pytest.mark.parametrize("name", [" padded ", " ", "a/b?c=d&e", "größe", "$odd"])
def test_attribute_of_any_name_that_came_in_is_edited_and_removed(administrator_client, workspace, name):
    profile = ProfileFactory.create(custom_attributes={name: "x"})
    assert text_of(administrator_client.get(address(profile))).count(f"?name={quote(name, safe='')}") == 1
    followed(administrator_client, attribute(profile, name), {"kind": "text", "text": "y", "seen": '"x"'})
    profile.refresh_from_db()
    assert profile.custom_attributes == {name: "y"}
    followed(administrator_client, attribute(profile, name), {"remove": "yes", "seen": '"y"'})
    profile.refresh_from_db()
    assert profile.custom_attributes == {}


def test_there_is_a_most_of_attributes(administrator_client, ada, settings):
    settings.MAX_CUSTOM_ATTRIBUTES = 5
    sent = {"name": "new", "kind": "text", "text": "x"}
    page = text_of(administrator_client.post(attribute(ada), sent), UNPROCESSABLE)
    assert "This user has 5 custom attributes" in page


def test_what_is_left_in_fields_of_other_kinds_does_no_harm(administrator_client, ada):
    sent = {
        "name": "new",
        "kind": "number",
        "number": "1",
        "text": "x" * 300,
        "json": "{",
        "boolean": "perhaps",
    }
    followed(administrator_client, attribute(ada), sent)
    ada.refresh_from_db()
    assert ada.custom_attributes["new"] == 1


def test_attribute_that_changed_meanwhile_is_shown_beside_ones_own(administrator_client, ada):
    sent = {"kind": "number", "number": "600", "seen": "512.5"}
    Profile.objects.filter(pk=ada.pk).update(custom_attributes={"ltv": 700})
    response = administrator_client.post(attribute(ada, "ltv"), sent)
    page = text_of(response, CONFLICT)
    assert "Meanwhile it became: 700" in page
    assert 'value="600"' in page
    followed(administrator_client, attribute(ada, "ltv"), sent | {"seen": response.context["form"].seen_text})
    ada.refresh_from_db()
    assert ada.custom_attributes == {"ltv": 600}


def test_there_is_no_page_of_an_attribute_that_is_not_there(administrator_client, ada):
    assert administrator_client.get(attribute(ada, "nothing")).status_code == NOT_FOUND


def test_markup_in_values_stays_text(administrator_client, workspace):
    evil = "</textarea><script>alert(1)</script>"
    profile = ProfileFactory.create(
        external_id=evil, first_name=evil, custom_attributes={evil: evil, "l": [evil]}
    )
    for url in (address(profile, "edit"), attribute(profile, evil), attribute(profile, "l")):
        assert evil not in text_of(administrator_client.get(url))


@pytest.mark.parametrize("name", ["edit", "attribute"])
def test_forms_cost_the_same_for_1_and_50_attributes(administrator_client, workspace, name):
    few, many = (
        ProfileFactory.create(custom_attributes={f"it-{n}": n for n in range(count)}) for count in (1, 50)
    )
    assert query_count(administrator_client, address(few, name)) == query_count(
        administrator_client, address(many, name)
    )
