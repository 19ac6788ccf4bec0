"""Member properties: edited without losing anything, tried on a sample, saved whole, and nothing pasted is kept."""

from __future__ import annotations

import json

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import integrations
from accounts.models import AuditEntry, Integration
from profiles import mapping
from profiles.admin_mapping import edited
from profiles.mapping import USUAL, Kind, Rule
from tests.profiles.factories import ProfileFactory

PAGE = reverse("admin:technology_partner_mapping", args=["mixpanel"])
CRM, CARD = Rule("crm id", Kind.EXTERNAL_ID), Rule("card", Kind.ALIAS, "loyalty")


def form(rules, do, sample=""):
    """Return what the page sends."""
    return {
        "property": [rule.name for rule in rules],
        "kind": [rule.kind.value for rule in rules],
        "label": [rule.label for rule in rules],
        "do": do,
        "sample": sample if isinstance(sample, str) else json.dumps(sample),
    }


def shown(page):
    return [rule for rule, _fault in page.context["lines"]]


def stored(workspace):
    return integrations.find(workspace=workspace, partner="mixpanel").member_mapping


@pytest.fixture
def tried(administrator_client, workspace):
    """A function that tries a member by rules, and returns the page."""
    return lambda sample, rules=USUAL, do="try": administrator_client.post(PAGE, form(rules, do, sample))


# --- who may -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "post"])
def test_marketer_and_anonymous_get_nowhere(method, marketer_client, client):
    assert getattr(marketer_client, method)(PAGE).status_code == 403
    assert getattr(client, method)(PAGE).headers["Location"].startswith("/admin/login/")


def test_stranger_sees_and_changes_the_stranger_s_own(stranger_client, workspace, other_workspace):
    Integration.objects.create(
        workspace=workspace, partner="mixpanel", member_mapping=mapping.to_store([CRM])
    )
    ProfileFactory.create(external_id="ann")
    assert shown(stranger_client.get(PAGE)) == list(USUAL)
    page = stranger_client.post(PAGE, form(USUAL, "try", {"$user_id": "ann"}))
    assert "This would match nobody." in page.text
    stranger_client.post(PAGE, form([CARD], "save"))
    assert stored(workspace) == mapping.to_store([CRM])
    assert stored(other_workspace) == mapping.to_store([CARD])


def test_partner_without_webhook_has_no_member_properties(administrator_client):
    heap = reverse("admin:technology_partner_mapping", args=["heap"])
    assert administrator_client.get(heap).status_code == 404


def test_form_needs_its_token(administrator):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(administrator)
    assert careful.post(PAGE, form([CRM], "save")).status_code == 403


@pytest.mark.parametrize(("do", "status"), [("try", 422), ("save", 422), ("add", 200)])
def test_label_that_no_database_holds_is_refused_in_words(tried, do, status):
    page = tried({"a": "ann"}, [Rule("a", Kind.ALIAS, "la\0bel")], do)
    assert (page.status_code, "A name holds no NUL character." in page.text) == (status, True)


# --- the order -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("do", "after", "focus"),
    [
        ("up:1", "bac", (0, "down")),
        ("up:2", "acb", (1, "up")),
        ("down:0", "bac", (1, "down")),
        ("down:1", "acb", (2, "up")),
        ("remove:0", "bc", (0, "remove")),
        ("remove:2", "ab", (1, "remove")),
        ("up:0", "abc", None),
        ("down:2", "abc", None),
        ("up:9", "abc", None),
        ("up:-1", "abc", None),
        ("up:²", "abc", None),
        ("nothing:1", "abc", None),
        ("", "abc", None),
    ],
)
def test_button_moves_its_line_and_stays_in_use(do, after, focus):
    draft = edited([Rule(name, Kind.EXTERNAL_ID) for name in "abc"], do)
    assert ("".join(rule.name for rule in draft.rules), draft.focus) == (after, focus)


def test_property_is_added_up_to_a_limit():
    draft = edited([CRM], "add")
    assert (draft.rules, draft.focus) == ([CRM, Rule("", Kind.EXTERNAL_ID)], (1, "property"))
    full = [Rule(f"p{number}", Kind.EXTERNAL_ID) for number in range(mapping.MAX_RULES)]
    assert edited(full, "add").rules == full


def test_last_line_can_be_removed_and_the_usual_order_taken_again():
    assert edited([CRM], "remove:0").rules == []
    assert edited([], "usual").rules == list(USUAL)


def test_nothing_is_kept_until_it_is_saved(administrator_client, workspace):
    page = administrator_client.post(PAGE, form([*USUAL, CARD], "up:9"))
    assert shown(page) == [*USUAL[:8], CARD, USUAL[8]]
    assert "Not saved yet" in page.text
    assert not Integration.objects.exists()


def test_order_is_saved_shown_and_noted(administrator_client, administrator, workspace):
    page = administrator_client.post(PAGE, form([CRM, CARD], "save"), follow=True)
    assert "The order is saved." in page.text
    assert shown(page) == [CRM, CARD]
    assert stored(workspace) == [
        {"property": "crm id", "identifier": "external_id"},
        {"property": "card", "identifier": "alias", "label": "loyalty"},
    ]
    entry = AuditEntry.objects.get()
    assert (entry.detail, entry.actor) == ({"settings": ["member_mapping"]}, administrator)
    administrator_client.post(PAGE, form(USUAL, "save"))
    assert stored(workspace) == []


def test_label_belongs_to_aliases_alone(administrator_client, workspace):
    sent = form([CRM], "save") | {"label": ["left over"]}
    administrator_client.post(PAGE, sent)
    assert stored(workspace) == [{"property": "crm id", "identifier": "external_id"}]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "Without any line no member would match"),
        ([Rule(" ", Kind.EXTERNAL_ID)], "Enter the name of a property"),
        ([Rule("card", Kind.ALIAS)], "Enter the label"),
        ([CRM, CRM], "the same as a line above"),
    ],
)
def test_faulty_order_is_not_saved_and_says_why(administrator_client, workspace, rules, words):
    page = administrator_client.post(PAGE, form(rules, "save"))
    assert page.status_code == 422
    assert words in page.text
    assert not Integration.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        form([CRM], "save") | {"kind": ["email"]},
        form([CRM], "save") | {"kind": []},
        form([Rule(str(number), Kind.EXTERNAL_ID) for number in range(31)], "save"),
    ],
)
def test_what_no_form_sends_is_refused(administrator_client, workspace, sent):
    assert administrator_client.post(PAGE, sent).status_code == 400
    assert not Integration.objects.exists()


def test_names_are_shown_as_text(administrator_client, workspace):
    page = administrator_client.post(PAGE, form([Rule('"><b>', Kind.ALIAS, "<i>")], "", "<u>"))
    for raw in ('"><b>', "<i>", "<u>"):
        assert raw not in page.text


# --- the try -------------------------------------------------------------------------------------------------
def test_member_is_tried_and_the_deciding_line_named(tried):
    ann, ben = ProfileFactory.create(external_id="ann"), ProfileFactory.create(external_id="ben")
    page = tried({"$user_id": "ann", "mixpanel_distinct_id": "ben"})
    assert f"This would match user {ann.pk}, by line 4." in page.text
    assert reverse("admin:profiles_profile_change", args=[ann.pk]) in page.text
    assert f"finds user {ben.pk}" in page.text


def test_trial_follows_the_order_in_the_page_not_the_saved_one(tried):
    ben = ProfileFactory.create(aliases=[("loyalty", "c-1")])
    member = {"card": "c-1", "mixpanel_distinct_id": "ben"}
    assert "This would match nobody." in tried(member).text
    assert f"This would match user {ben.pk}, by line 1." in tried(member, [CARD, *USUAL]).text


def test_sample_is_tried_anew_with_every_change(tried):
    ann = ProfileFactory.create(external_id="ann")
    page = tried({"crm id": "ann"}, [Rule("x", Kind.EXTERNAL_ID), CRM], do="up:1")
    assert f"This would match user {ann.pk}, by line 1." in page.text


@pytest.mark.parametrize(
    ("member", "reason", "words"),
    [
        ({"$user_id": "zoe"}, "unknown", "No user has any of its IDs."),
        ({"$device_id": "phone"}, "identified_use_external_id", "the device of an identified user"),
        ({"mixpanel_distinct_id": "$device:phone"}, "identified_use_external_id", "identified user"),
        ({"email": "ann@people.example"}, "invalid", "No line finds an ID in it."),
        ({"$user_id": "null"}, "invalid", "the value is no ID"),
        ({"mixpanel_distinct_id": "zoe"}, "unknown", "the value is no device"),
        ({}, "invalid", "not there"),
    ],
)
def test_member_that_matches_nobody_is_told_why(tried, member, reason, words):
    ProfileFactory.create(external_id="ann", email="ann@people.example", devices=["phone"])
    page = tried(member)
    assert page.context["trial"].outcome == reason
    assert words in page.text


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ("", "Paste a member first."),
        ("{\n  oops", "Look at line 2, column"),
        ("[{}]", "Paste one member"),
        ('"ann"', "Paste one member"),
        ('{"action": "members", "parameters": {}}', "This is a whole request."),
        ('{"$user_id": "a\\u0000b"}', "NUL"),
        ('{"a": "' + "x" * 20_000 + '"}', "at most 20000 characters"),
        ("[" * 2_000, "no valid JSON"),
        ('{"a": "\\ud800"}', "no valid JSON"),
    ],
)
def test_sample_that_is_no_member_gets_a_clear_error(tried, sample, words):
    page = tried(sample)
    assert page.status_code == 422
    assert words in page.text
    assert "trial" not in page.context


def test_nothing_that_was_pasted_is_kept_or_logged(tried, administrator_client, caplog):
    ProfileFactory.create(external_id="ann")
    page = tried({"$user_id": "ann", "email": "pasted@people.example"})
    assert page.text.count("pasted@people.example") == 1
    assert "no-store" in page.headers["Cache-Control"]
    kept = [*Integration.objects.values(), *AuditEntry.objects.values()]
    kept += [session.get_decoded() for session in Session.objects.all()]
    assert "pasted" not in str(kept) + caplog.text + administrator_client.get(PAGE).text


def test_trial_costs_the_same_for_few_and_many_lines(tried):
    tried({"a": "b"}, [CRM])
    with CaptureQueriesContext(connection) as few:
        tried({"crm id": "b", "card": "c"}, [CRM, CARD])
    many = {rule.name: f"v{number}" for number, rule in enumerate(USUAL)}
    with CaptureQueriesContext(connection) as nine:
        tried(many)
    assert len(nine) <= len(few) + 1
