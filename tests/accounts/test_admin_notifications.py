"""Everybody chooses for themselves what they get mail about, among their own workspaces."""

import pytest
from django.urls import reverse

from accounts import mail, subscriptions
from accounts.models import Membership
from tests.accounts.factories import UserFactory, WorkspaceFactory, make_marketer

pytestmark = pytest.mark.django_db


def url() -> str:
    return reverse("admin:notifications")


def getting(user) -> set[str]:
    return set(user.memberships.filter(gets_mail=True).values_list("workspace__slug", flat=True))


@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client", "stranger_client"])
def test_everybody_has_the_page_and_reaches_it_from_every_other(request, persona):
    client = request.getfixturevalue(persona)
    assert client.get(url()).status_code == 200
    assert f'href="{url()}"' in client.get("/admin/").content.decode()


def test_visitor_is_asked_to_log_in(client):
    assert client.get(url()).status_code == 302


def test_page_names_ones_own_workspaces_only(marketer_client, other_workspace):
    page = marketer_client.get(url()).content.decode()
    assert page.count('name="workspaces"') == 1
    assert "Elsewhere" not in page


def test_mail_ends_and_begins_again_per_workspace(client_of, workspace, other_workspace):
    user = make_marketer(workspace, other_workspace)
    client = client_of(user)
    assert client.get(url()).content.decode().count("checked") == 2
    answer = client.post(url(), {"workspaces": [other_workspace.pk]}, follow=True)
    assert "What you get mail about is saved." in answer.content.decode()
    assert getting(user) == {"elsewhere"}
    client.post(url())
    assert getting(user) == set()
    client.post(url(), {"workspaces": [workspace.pk]})
    assert getting(user) == {"default"}


def test_nobody_chooses_a_workspace_they_do_not_belong_to(marketer, marketer_client, other_workspace):
    marketer_client.post(url(), {"workspaces": [other_workspace.pk, "x", ""]})
    assert Membership.objects.filter(user=marketer).values_list("workspace__slug", "gets_mail").get() == (
        "default",
        False,
    )


def test_membership_that_ended_meanwhile_does_not_come_back(marketer, workspace):
    chosen = list(subscriptions.of_user(user=marketer))
    marketer.memberships.all().delete()
    subscriptions.choose(user=marketer, workspaces=chosen)
    assert not marketer.memberships.exists()


def test_nobody_chooses_for_others(marketer_client, administrator):
    marketer_client.post(url())
    assert getting(administrator) == {"default"}


def test_operator_gets_no_mail_until_they_want_it(client_of, workspace):
    operator = UserFactory.create(operator=True)
    client = client_of(operator)
    assert "checked" not in client.get(url()).content.decode()
    assert mail.subscribed(workspace=workspace) == []
    client.post(url(), {"workspaces": [workspace.pk]})
    assert mail.subscribed(workspace=workspace) == [operator]
    assert "checked" in client.get(url()).content.decode()


def test_who_has_no_address_is_told_what_to_do(client_of, workspace, marketer, administrator):
    for user, words in [
        (marketer, "Ask an administrator"),
        (administrator, f"/user/{administrator.pk}/change/"),
    ]:
        client = client_of(user)
        assert "no email address" not in client.get(url()).content.decode()
        user.email = ""
        user.save()
        page = client.get(url()).content.decode()
        assert "Your account has no email address, so you get no mail." in page
        assert words in page


def test_account_without_workspace_is_not_locked_out(client_of, db):
    page = client_of(UserFactory.create()).get(url())
    assert page.status_code == 200
    assert "You belong to no workspace yet." in page.content.decode()


def test_number_of_queries_does_not_depend_on_the_number_of_workspaces(
    client_of, workspace, django_assert_num_queries, django_assert_max_num_queries
):
    counts = []
    for number in (1, 50):
        user = make_marketer(*WorkspaceFactory.create_batch(number))
        client = client_of(user)
        with django_assert_max_num_queries(20) as queries:
            client.get(url())
        counts.append(len(queries))
    assert counts[0] == counts[1]
