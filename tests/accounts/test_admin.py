"""Team and Workspaces: who sees, adds and changes whom."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import roles
from accounts.models import Membership, User, Workspace
from tests.accounts.factories import UserFactory, WorkspaceFactory, make_administrator, make_marketer

TEAM = reverse("admin:accounts_user_changelist")
ADD = reverse("admin:accounts_user_add")
WORKSPACES = reverse("admin:accounts_workspace_changelist")
PASSWORD = "a long one for tests 7"


def change(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def password(user: User) -> str:
    return reverse("admin:auth_user_password_change", args=[user.pk])


def account(*workspaces: Workspace, **more: object) -> dict[str, object]:
    """Return what the form of an account sends."""
    fields = {"username": "neu", "email": "neu@staff.example", "role": roles.MARKETER, "is_active": "on"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    return {**fields, **passwords, "workspaces": [workspace.pk for workspace in workspaces], **more}


@pytest.fixture
def operator(db):
    return UserFactory.create(operator=True, username="operator")


def test_administrator_sees_the_workspace_s_team_alone(
    administrator_client, administrator, marketer, stranger, operator
):
    page = administrator_client.get(TEAM)
    assert {user.username for user in page.context["cl"].result_list} == {"administrator", "marketer"}


def test_operator_sees_the_team_and_the_operators(client_of, operator, marketer, stranger):
    page = client_of(operator).get(TEAM)
    assert {user.username for user in page.context["cl"].result_list} == {"marketer", "operator"}


def test_marketer_sees_no_team(marketer_client, administrator):
    answers = [
        marketer_client.get(url) for url in (TEAM, ADD, change(administrator), password(administrator))
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


@pytest.mark.parametrize("url", [TEAM, ADD, WORKSPACES])
def test_anonymous_is_asked_to_log_in(client, db, url):
    assert client.get(url).headers["Location"].startswith("/admin/login/")


def test_stranger_finds_nobody_by_guessing(stranger_client, marketer):
    assert stranger_client.get(change(marketer)).status_code == 302
    assert stranger_client.post(change(marketer), account()).status_code == 302
    assert stranger_client.get(change(marketer).replace("change", "history")).status_code == 302
    assert stranger_client.get(password(marketer)).status_code == 404
    before = marketer.password
    stranger_client.post(password(marketer), {"password1": PASSWORD, "password2": PASSWORD})
    marketer.refresh_from_db()
    assert (marketer.username, marketer.password) == ("marketer", before)


def test_other_workspaces_names_stay_unknown(administrator_client, workspace, other_workspace):
    make_marketer(workspace, other_workspace, username="both")
    page = administrator_client.get(TEAM)
    assert "both" in page.text
    assert other_workspace.name not in page.text


def test_administrator_adds_a_member_who_can_log_in(administrator_client, workspace, client):
    administrator_client.post(ADD, account(workspace))
    user = User.objects.get(username="neu")
    assert (user.is_staff, user.is_superuser, user.check_password(PASSWORD)) == (True, False, True)
    assert list(user.groups.values_list("name", flat=True)) == [roles.MARKETER]
    assert list(user.memberships.values_list("workspace", flat=True)) == [workspace.pk]


def test_new_member_s_password_must_be_a_good_one(administrator_client, workspace):
    page = administrator_client.post(ADD, account(workspace, password1="short", password2="short"))
    assert page.status_code == 200
    assert not User.objects.filter(username="neu").exists()


def test_nobody_is_added_to_another_s_workspace(administrator_client, other_workspace):
    page = administrator_client.post(ADD, account(other_workspace))
    assert "workspaces" in page.context["adminform"].form.errors
    assert not User.objects.filter(username="neu").exists()


def test_nobody_is_added_without_workspace_or_role(administrator_client):
    page = administrator_client.post(ADD, account(role=""))
    assert set(page.context["adminform"].form.errors) == {"role", "workspaces"}


@pytest.mark.parametrize("field", ["is_superuser", "user_permissions", "groups"])
def test_form_grants_nothing_beyond_a_role(administrator_client, administrator, marketer, workspace, field):
    everything = Permission.objects.values_list("pk", flat=True)
    forged = account(workspace, username="marketer") | {
        field: list(everything) if field != "is_superuser" else "on"
    }
    assert administrator_client.post(change(marketer), forged).status_code == 302
    marketer.refresh_from_db()
    assert not marketer.is_superuser
    assert not marketer.user_permissions.exists()
    assert [group.name for group in marketer.groups.all()] == [roles.MARKETER]


def test_role_becomes_another_and_other_groups_stay(administrator_client, marketer, workspace):
    marketer.groups.add(Group.objects.create(name="Readers of reports"))
    forged = account(workspace, username="marketer", role=roles.ADMINISTRATOR)
    assert administrator_client.post(change(marketer), forged).status_code == 302
    assert {group.name for group in marketer.groups.all()} == {roles.ADMINISTRATOR, "Readers of reports"}


def test_inactive_member_cannot_log_in(administrator_client, marketer_client, marketer, workspace):
    fields = account(workspace, username="marketer")
    del fields["is_active"]
    administrator_client.post(change(marketer), fields)
    assert marketer_client.get("/admin/").status_code == 302


def test_administrator_keeps_role_and_access_of_their_own(administrator_client, administrator, workspace):
    fields = account(username="administrator", first_name="Ada")
    del fields["is_active"]
    assert administrator_client.post(change(administrator), fields).status_code == 302
    administrator.refresh_from_db()
    assert (administrator.first_name, administrator.is_active) == ("Ada", True)
    assert administrator.groups.get().name == roles.ADMINISTRATOR
    assert administrator.memberships.get().workspace == workspace


def theirs(kind: str, workspace: Workspace, other: Workspace) -> User:
    """Return an account of the workspace's team that its administrator must not take over."""
    if kind == "works elsewhere too":
        return make_marketer(workspace, other)
    if kind == "is an operator":
        return UserFactory.create(operator=True, workspaces=[workspace])
    mightier = make_marketer(workspace, is_active=kind != "may do more, inactive")
    mightier.user_permissions.add(Permission.objects.get(codename="add_workspace"))
    return mightier


@pytest.mark.parametrize(
    "kind", ["works elsewhere too", "is an operator", "may do more", "may do more, inactive"]
)
def test_administrator_cannot_take_over_an_account_that(
    kind, administrator_client, workspace, other_workspace
):
    user = theirs(kind, workspace, other_workspace)
    assert administrator_client.get(password(user)).status_code in {403, 404}
    administrator_client.post(password(user), {"password1": PASSWORD, "password2": PASSWORD})
    administrator_client.post(change(user), account(workspace, email="mine@staff.example"))
    after = User.objects.get(pk=user.pk)
    assert (after.password, after.email, after.username) == (user.password, user.email, user.username)


def test_account_of_two_workspaces_can_be_looked_at(administrator_client, workspace, other_workspace):
    page = administrator_client.get(change(make_marketer(workspace, other_workspace, username="both")))
    assert page.status_code == 200
    assert "both" in page.text
    assert "../password/" not in page.text
    assert 'name="_save"' not in page.text


def test_administrator_of_both_workspaces_may_change_the_account(client_of, workspace, other_workspace):
    editor, user = make_administrator(workspace, other_workspace), make_marketer(workspace, other_workspace)
    client_of(editor).post(change(user), account(workspace, username="moved"))
    user.refresh_from_db()
    assert user.username == "moved"
    assert [membership.workspace for membership in user.memberships.all()] == [workspace]


def remove(*users: User) -> dict[str, object]:
    return {"action": "remove", "_selected_action": [user.pk for user in users]}


def test_administrator_removes_members_from_the_workspace_alone(
    administrator_client, workspace, other_workspace, marketer
):
    both = make_marketer(workspace, other_workspace)
    page = administrator_client.post(TEAM, remove(both, marketer), follow=True)
    assert "2 team members no longer work in Default." in page.text
    assert [membership.workspace for membership in both.memberships.all()] == [other_workspace]
    assert User.objects.filter(pk=marketer.pk, is_active=True).exists()


def test_nobody_removes_themselves_or_people_of_other_workspaces(
    administrator_client, administrator, stranger
):
    administrator_client.post(TEAM, remove(administrator, stranger))
    assert administrator.memberships.count() == stranger.memberships.count() == 1


def test_marketer_removes_nobody(marketer_client, administrator):
    assert marketer_client.post(TEAM, remove(administrator)).status_code == 403
    assert administrator.memberships.exists()


def test_operator_finds_those_who_belong_nowhere_and_takes_them_in(client_of, operator, marketer, workspace):
    marketer.memberships.all().delete()
    client_of(operator).post(change(marketer), account(workspace, username="marketer"))
    assert marketer.memberships.get().workspace == workspace


def test_administrator_sets_a_new_password(administrator_client, marketer):
    administrator_client.post(password(marketer), {"password1": PASSWORD, "password2": PASSWORD})
    marketer.refresh_from_db()
    assert marketer.check_password(PASSWORD)


def test_operator_changes_accounts_of_two_workspaces(client_of, operator, workspace, other_workspace):
    user = make_marketer(workspace, other_workspace)
    client_of(operator).post(change(user), account(workspace, other_workspace, username="renamed"))
    user.refresh_from_db()
    assert user.username == "renamed"
    assert user.memberships.count() == 2


def test_accounts_and_workspaces_are_never_deleted(client_of, operator, marketer, workspace):
    for name, pk in (("user", marketer.pk), ("workspace", workspace.pk)):
        assert client_of(operator).post(f"/admin/accounts/{name}/{pk}/delete/").status_code == 403


@pytest.mark.parametrize("url", [TEAM, WORKSPACES])
def test_lists_cost_the_same_for_1_and_50_rows(administrator_client, administrator, workspace, url):
    administrator_client.get(url)
    with CaptureQueriesContext(connection) as few:
        administrator_client.get(url)
    for _ in range(49):
        make_marketer(workspace)
        Membership.objects.create(user=administrator, workspace=WorkspaceFactory.create())
    with CaptureQueriesContext(connection) as many:
        page = administrator_client.get(url)
    assert len(page.context["cl"].result_list) == 50
    assert len(many) == len(few)


def test_workspaces_are_one_s_own(administrator_client, marketer_client, workspace, other_workspace):
    for client in (administrator_client, marketer_client):
        page = client.get(WORKSPACES)
        assert [it.name for it in page.context["cl"].result_list] == [workspace.name]


def test_administrator_renames_the_workspace_and_keeps_its_slug(
    administrator_client, workspace, other_workspace
):
    url = reverse("admin:accounts_workspace_change", args=[workspace.pk])
    administrator_client.post(url, {"name": "Shop", "slug": "other"})
    workspace.refresh_from_db()
    assert (workspace.name, workspace.slug) == ("Shop", "default")
    elsewhere = reverse("admin:accounts_workspace_change", args=[other_workspace.pk])
    assert administrator_client.post(elsewhere, {"name": "Mine"}).status_code == 302
    other_workspace.refresh_from_db()
    assert other_workspace.name == "Elsewhere"


def test_only_operators_add_workspaces(administrator_client, marketer_client, client_of, operator):
    url, fields = reverse("admin:accounts_workspace_add"), {"name": "Second", "slug": "second"}
    assert administrator_client.post(url, fields).status_code == 403
    assert marketer_client.post(url, fields).status_code == 403
    assert client_of(operator).post(url, fields).status_code == 302
    assert Workspace.objects.filter(slug="second").exists()


def test_marketer_renames_no_workspace(marketer_client, workspace):
    url = reverse("admin:accounts_workspace_change", args=[workspace.pk])
    assert marketer_client.post(url, {"name": "Mine"}).status_code == 403
