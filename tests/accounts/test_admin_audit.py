"""Settings > Audit log: for administrators to read, and for nobody to change."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, DataImportKey, RestApiKey, User, Workspace
from tests.accounts.factories import make_administrator

LOG = reverse("admin:accounts_auditentry_changelist")
Action = audit.Action


def note(workspace: Workspace, subject: str, **more: object) -> AuditEntry:
    given = {"action": Action.USER_ERASED, "now": timezone.now()} | more
    return audit.record(workspace_id=workspace.pk, subject=subject, **given)


def page_of(entry: AuditEntry) -> str:
    return reverse("admin:accounts_auditentry_change", args=[entry.pk])


def subjects(client, query: str = "") -> list[str]:
    return [entry.subject for entry in client.get(LOG + query).context["cl"].result_list]


@pytest.fixture
def entry(workspace, administrator: User) -> AuditEntry:
    return note(workspace, "user 1", actor=administrator, detail={"fields": ["email", "phone"], "count": 2})


def test_entries_are_listed_newest_first(administrator_client, entry, workspace):
    note(workspace, "user 2")
    assert subjects(administrator_client) == ["user 2", "user 1"]


def test_entries_are_found_by_action_and_subject(administrator_client, entry, workspace):
    note(workspace, "rk_12345678…", action=Action.REST_KEY_CREATED)
    assert subjects(administrator_client, "?action__exact=rest_key_created") == ["rk_12345678…"]
    assert subjects(administrator_client, "?q=user+1") == ["user 1"]
    assert "Nothing found" in administrator_client.get(LOG + "?q=nobody").text


def test_list_says_who_it_was(administrator_client, entry, workspace):
    note(workspace, "user 2", key_prefix="rk_12345678")
    note(workspace, "user 3")
    page = administrator_client.get(LOG).text
    for who in (">administrator<", ">Program with the key rk_12345678…<", ">Command line<"):
        assert who in page


def test_page_of_an_entry_holds_its_details(administrator_client, entry):
    page = administrator_client.get(page_of(entry)).text
    for words in ("User erased", "administrator", "User 1", "email, phone", ">count<", "<dd>2</dd>"):
        assert words in page


def test_entry_is_told_in_the_reader_s_words(administrator_client, workspace):
    merged = note(workspace, "user 7", action=Action.USERS_MERGED, detail={"merged_into": 5})
    answer = administrator_client.get(page_of(merged), headers={"accept-language": "de"})
    for words in ("Nutzer:innen zusammengeführt · Nutzer:in 7", "<dt>Zusammengeführt mit</dt>", "<dd>5</dd>"):
        assert words in answer.text
    assert "merged_into" not in answer.text


def test_keys_made_and_invalidated_in_the_admin_say_from_where(administrator_client, workspace):
    here = {"REMOTE_ADDR": "192.0.2.7"}
    pages = {
        ("technology_partner_generate_key", "technology_partner_invalidate_key"): (
            ["mixpanel"],
            DataImportKey,
        ),
        ("rest_api_keys_generate", "rest_api_key_invalidate"): ([], RestApiKey),
    }
    for (generate, invalidate), (args, kind) in pages.items():
        form = {"label": "", "scopes": ["users.track"]}
        administrator_client.post(reverse(f"admin:{generate}", args=args), form, **here)
        url = reverse(f"admin:{invalidate}", args=[*args, kind.objects.get().pk])
        administrator_client.post(url, **here)
    assert [entry.address for entry in AuditEntry.objects.all()] == ["192.0.2.7"] * 4
    assert administrator_client.get(LOG).text.count(">192.0.2.7<") == 4
    assert "<dd>192.0.2.7</dd>" in administrator_client.get(page_of(AuditEntry.objects.latest("id"))).text


def test_empty_log_says_what_will_be_here(administrator_client):
    assert "Nothing to show yet" in administrator_client.get(LOG).text


def test_marketer_and_anonymous_see_nothing_of_it(marketer_client, client, entry):
    for url in (LOG, page_of(entry)):
        assert marketer_client.get(url).status_code == 403
        assert client.get(url).headers["Location"].startswith("/admin/login/")


def test_stranger_sees_the_own_workspace_s_alone(stranger_client, entry, other_workspace):
    note(other_workspace, "user 9")
    assert subjects(stranger_client) == ["user 9"]
    assert stranger_client.get(page_of(entry)).status_code == 302


def test_nobody_adds_changes_or_deletes_an_entry(client_of, workspace, entry):
    operator = make_administrator(workspace, is_superuser=True)
    client = client_of(operator)
    before = AuditEntry.objects.values().get()
    for url in (page_of(entry), page_of(entry).replace("change", "delete"), LOG + "add/"):
        assert client.post(url, {"subject": "user 2", "post": "yes"}).status_code == 403
    client.post(LOG, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert AuditEntry.objects.values().get() == before


def test_list_costs_the_same_for_1_and_50_entries(administrator_client, entry, workspace):
    administrator_client.get(LOG)
    with CaptureQueriesContext(connection) as one:
        administrator_client.get(LOG)
    for number in range(49):
        note(workspace, f"user {number}", actor=make_administrator(workspace))
    with CaptureQueriesContext(connection) as fifty:
        assert len(subjects(administrator_client)) == 50
    assert len(fifty) == len(one)
