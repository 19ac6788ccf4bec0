"""Audience > Users, one user: custom attributes, one at a time, by the kind of their values."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from profiles.models import Profile
from tests.profiles.admin_pages import address, followed, text_of
from tests.profiles.factories import ProfileFactory

NOT_FOUND, CONFLICT, UNPROCESSABLE = 404, 409, 422


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create(
        custom_attributes={"ltv": 512.5, "vip": True, "tags": ["a"], "city": "Porto", "a&b": "x"}
    )


def attribute(profile, name=None):
    page = address(profile, "attribute")
    return page if name is None else f"{page}?name={quote(name)}"


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


@pytest.mark.parametrize("name", ["email", "$add", " ", "\x00", "a" * 256])
@pytest.mark.parametrize("more", [{}, {"remove": "yes"}])
def test_nobody_slips_a_name_in_by_the_address(administrator_client, ada, name, more):
    sent = {"kind": "text", "text": "x", "seen": '"y"', **more}
    assert administrator_client.post(attribute(ada, name), sent).status_code == NOT_FOUND
    ada.refresh_from_db()
    assert len(ada.custom_attributes) == 5


def test_attribute_that_was_removed_meanwhile_can_be_saved_again(administrator_client, ada):
    sent = {"kind": "text", "text": "Lisbon", "seen": '"Porto"'}
    Profile.objects.filter(pk=ada.pk).update(custom_attributes={})
    response = administrator_client.post(attribute(ada, "city"), sent)
    assert "Meanwhile it was removed." in text_of(response, CONFLICT)
    followed(
        administrator_client, attribute(ada, "city"), sent | {"seen": response.context["form"].seen_text}
    )
    ada.refresh_from_db()
    assert ada.custom_attributes == {"city": "Lisbon"}
