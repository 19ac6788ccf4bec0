"""Which workspace a request works in: one's own, never another's."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from accounts import permissions
from accounts.models import Membership
from tests.accounts.factories import UserFactory, WorkspaceFactory, make_marketer

pytestmark = pytest.mark.django_db


def request_of(user, session=None):
    request = RequestFactory().get("/")
    request.user, request.session = user, {} if session is None else session
    return request


def test_first_workspace_is_the_users_own(administrator, stranger, workspace, other_workspace):
    assert permissions.current_workspace(request_of(administrator)) == workspace
    assert permissions.current_workspace(request_of(stranger)) == other_workspace


def test_chosen_workspace_stays_chosen(workspace, other_workspace):
    user, session = make_marketer(workspace, other_workspace), {}
    assert permissions.choose_workspace(request_of(user, session), "elsewhere") == other_workspace
    assert permissions.current_workspace(request_of(user, session)) == other_workspace


def test_strangers_workspace_cannot_be_chosen(administrator, other_workspace):
    session = {}
    with pytest.raises(PermissionDenied):
        permissions.choose_workspace(request_of(administrator, session), "elsewhere")
    assert session == {}


@pytest.mark.parametrize("slug", ["", "nothing", "DEFAULT"])
def test_workspace_that_does_not_exist_cannot_be_chosen(administrator, slug):
    with pytest.raises(PermissionDenied):
        permissions.choose_workspace(request_of(administrator), slug)


def test_guessed_session_opens_nothing(administrator, workspace, other_workspace):
    session = {permissions.SESSION_KEY: other_workspace.pk}
    assert permissions.current_workspace(request_of(administrator, session)) == workspace


def test_membership_that_ended_is_felt_at_once(workspace, other_workspace):
    user = make_marketer(workspace, other_workspace)
    session = {permissions.SESSION_KEY: other_workspace.pk}
    Membership.objects.filter(user=user, workspace=other_workspace).delete()
    assert permissions.current_workspace(request_of(user, session)) == workspace
    Membership.objects.filter(user=user).delete()
    with pytest.raises(PermissionDenied):
        permissions.current_workspace(request_of(user, session))


def test_user_without_workspace_is_denied(workspace):
    with pytest.raises(PermissionDenied):
        permissions.current_workspace(request_of(UserFactory.create()))


def test_operator_may_work_in_any(workspace):
    far = WorkspaceFactory.create()
    session = {}
    permissions.choose_workspace(request_of(UserFactory.create(operator=True), session), far.slug)
    assert session == {permissions.SESSION_KEY: far.pk}


def test_workspace_is_looked_up_once_a_request(administrator, django_assert_num_queries):
    request = request_of(administrator)
    permissions.current_workspace(request)
    with django_assert_num_queries(0):
        permissions.current_workspace(request)
