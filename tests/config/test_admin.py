"""The admin as a whole: its policy, its sidebar, the overview, and what it says when it refuses."""

from __future__ import annotations

import pytest
from django.conf import settings as project_settings
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from tests.accounts.factories import PASSWORD, UserFactory, make_marketer
from tests.cohorts.factories import CohortFactory

OVERVIEW, LOGIN = "/admin/", "/admin/login/"


def sidebar(client: Client) -> dict[str, list[str]]:
    """Return the titles of the sidebar's items by group."""
    groups = client.get(OVERVIEW).context["sidebar_navigation"]
    return {str(group.get("title", "")): [str(item["title"]) for item in group["items"]] for group in groups}


def policy(response) -> dict[str, str]:
    """Return the response's Content-Security-Policy by directive."""
    directives = response.headers["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_sidebar_of_an_administrator_has_everything_in_its_order(administrator_client):
    assert sidebar(administrator_client) == {
        "": ["Overview"],
        "Audience": ["Segments", "Cohorts", "Users", "Imports", "Exports"],
        "Partner integrations": ["Technology partners", "Import history", "Rejected calls"],
        "Settings": ["Team", "Workspaces", "REST API keys", "Data points", "Audit log"],
    }


def test_sidebar_of_a_marketer_hides_keys_and_team(marketer_client):
    assert sidebar(marketer_client) == {
        "": ["Overview"],
        "Audience": ["Segments", "Cohorts", "Users", "Imports", "Exports"],
        "Partner integrations": ["Import history"],
        "Settings": ["Workspaces", "Data points"],
    }


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_titles_of_columns_begin_with_a_capital(language):
    """Phones repeat them before each value, as they are."""
    with override(language):
        titles = [
            str(label_for_field(name, model, model_admin=list_))
            for model, list_ in dict(admin.site._registry).items()
            for name in list_.list_display
            if name not in {"country", "language"}  # phones leave these out
        ]
    assert [title for title in titles if not title[0].isupper()] == []


def test_every_item_of_the_sidebar_opens(administrator_client):
    groups = administrator_client.get(OVERVIEW).context["sidebar_navigation"]
    for item in (item for group in groups for item in group["items"]):
        assert administrator_client.get(item["link"]).status_code == 200


def test_pages_may_run_only_what_the_theme_needs(administrator_client, client):
    for response in (administrator_client.get(OVERVIEW), client.get(LOGIN)):
        rules = policy(response)
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == "'self' 'unsafe-eval'"
        assert rules["style-src"] == "'self' 'unsafe-inline'"
        assert rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", ["/livez", "/openapi.yaml", "/partners/mixpanel/webhook", "/nothing"])
def test_all_else_may_run_nothing(client, db, path):
    rules = policy(client.get(path))
    assert rules["default-src"] == "'none'"
    assert {"script-src", "style-src"} & set(rules) == set()


def test_models_of_other_packages_have_no_pages(administrator_client):
    ours = {model._meta.app_label for model in admin.site._registry}
    assert ours == {"accounts", "profiles", "cohorts", "segments"}


def test_app_index_leads_to_the_overview(administrator_client):
    assert administrator_client.get("/admin/accounts/").headers["Location"] == OVERVIEW


def test_staff_without_a_workspace_get_a_page_that_says_so(client_of, db):
    client = client_of(UserFactory.create(groups=["Administrator"]))
    for path in (
        OVERVIEW,
        "/admin/accounts/user/",
        "/admin/technology-partners/",
        "/admin/segments/segment/",
    ):
        page = client.get(path)
        assert page.status_code == 403
        assert "You belong to no workspace yet." in page.text
        assert "Log out" in page.text
        assert policy(page)["style-src"] == "'self' 'unsafe-inline'"


def test_ended_membership_is_felt_at_the_next_click(marketer_client, marketer):
    assert marketer_client.get(OVERVIEW).status_code == 200
    marketer.memberships.all().delete()
    assert marketer_client.get(OVERVIEW).status_code == 403


def test_people_who_are_not_staff_stay_outside(client_of, workspace):
    assert client_of(make_marketer(workspace, is_staff=False)).get(OVERVIEW).status_code == 302


def test_switcher_leads_to_own_workspaces_only(client_of, workspace, other_workspace):
    client = client_of(make_marketer(workspace, other_workspace))
    assert client.post("/admin/workspace/", {"slug": "elsewhere"}).status_code == 302
    assert client.get(OVERVIEW).context["workspace"] == other_workspace
    other_workspace.memberships.all().delete()
    assert client.post("/admin/workspace/", {"slug": "elsewhere"}).status_code == 403
    assert client.get(OVERVIEW).context["workspace"] == workspace


def test_workspace_is_not_switched_by_a_link(administrator_client):
    assert administrator_client.get("/admin/workspace/").status_code == 405


def test_page_that_does_not_exist_says_so_in_the_theme(administrator_client):
    page = administrator_client.get("/admin/nothing/")
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text


@pytest.mark.parametrize("model", ["cohorts_cohort", "cohorts_cohortsync", "accounts_rejectedcall"])
@pytest.mark.parametrize("name", ["partner", "status", "nothing"])
def test_list_filtered_by_what_no_database_holds_is_an_address_that_is_wrong(
    administrator_client, workspace, model, name
):
    CohortFactory.create()
    page = administrator_client.get(reverse(f"admin:{model}_changelist") + f"?{name}=%00")
    assert page.status_code == 400


def test_form_without_token_is_refused_in_words(administrator):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(administrator)
    page = careful.post("/admin/workspace/", {"slug": "default"})
    assert page.status_code == 403
    assert "This form is too old." in page.text


def test_login_locks_after_too_many_failures(client, settings, marketer):
    settings.AXES_ENABLED = True
    wrong = {"username": "marketer", "password": "wrong"}
    for _ in range(project_settings.AXES_FAILURE_LIMIT - 1):
        assert client.post(LOGIN, wrong).status_code == 200
    assert client.post(LOGIN, wrong).status_code == 429
    page = client.post(LOGIN, {"username": "marketer", "password": PASSWORD})
    assert page.status_code == 429
    assert "The login is locked" in page.text
    assert policy(page)["style-src"] == "'self' 'unsafe-inline'"


def test_language_can_be_chosen_before_the_login(client, db):
    client.post("/i18n/setlang/", {"language": "fr", "next": LOGIN})
    assert 'lang="fr"' in client.get(LOGIN).text
