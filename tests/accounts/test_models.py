"""Who belongs where."""

import pytest

from accounts import roles
from accounts.models import Workspace
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_fresh_database_holds_one_workspace_named_default():
    assert list(Workspace.objects.values_list("slug", flat=True)) == ["default"]


def test_user_sees_own_workspaces_only(administrator, stranger, workspace, other_workspace):
    assert list(Workspace.objects.for_user(administrator)) == [workspace]
    assert list(Workspace.objects.for_user(stranger)) == [other_workspace]


def test_operator_sees_all_workspaces(workspace, other_workspace):
    operator = UserFactory.create(operator=True)
    assert set(Workspace.objects.for_user(operator)) == {workspace, other_workspace}


def test_user_without_workspace_sees_none(workspace):
    assert not Workspace.objects.for_user(UserFactory.create()).exists()


@pytest.mark.parametrize(
    "codename", ["accounts.view_dataimportkey", "accounts.add_dataimportkey", "accounts.view_user"]
)
def test_marketers_have_no_keys_and_no_team(marketer, administrator, codename):
    assert administrator.has_perm(codename)
    assert not marketer.has_perm(codename)


@pytest.mark.parametrize(
    "codename", ["cohorts.view_cohort", "cohorts.view_cohortsync", "profiles.view_profile"]
)
def test_both_roles_see_cohorts_and_users(marketer, administrator, codename):
    assert administrator.has_perm(codename)
    assert marketer.has_perm(codename)


def test_nobody_writes_cohorts_by_role_and_administrators_alone_delete_them(marketer, administrator):
    for user in (marketer, administrator):
        assert not user.has_perm("cohorts.change_cohort")
    assert [user.has_perm("cohorts.delete_cohort") for user in (marketer, administrator)] == [False, True]


def test_roles_are_the_two_of_the_design():
    from django.contrib.auth.models import Group

    assert set(Group.objects.values_list("name", flat=True)) == {roles.ADMINISTRATOR, roles.MARKETER}
