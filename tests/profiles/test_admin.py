"""Audience > Users: who may look, what the search finds, and what a page says of one user."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.accounts.factories import UserFactory
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory, erase, make_people

LIST = reverse("admin:profiles_profile_changelist")
ADD = reverse("admin:profiles_profile_add")
FOUND, FORBIDDEN = 302, 403


def page_of(profile):
    return reverse("admin:profiles_profile_change", args=[profile.pk])


def text_of(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def queries_of(client, url):
    client.get(url)  # what is cached once per process is not the page's cost
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create(
        external_id="ada-1",
        email="ada@people.example",
        first_name="Ada",
        last_name="Almeida",
        country="PT",
        custom_attributes={
            "vip": True,
            "newsletter": False,
            "ltv": 512.5,
            "city": "Porto",
            "shop": None,
            "tags": ["a"],
        },
        devices=["ada-phone"],
        aliases=[("crm:old%", "42:7")],
    )


@pytest.fixture
def anonymous(workspace):
    return ProfileFactory.create(anonymous=True, email="", devices=["lost-phone"])


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_see_the_list_and_the_page(request, persona, ada):
    client = request.getfixturevalue(persona)
    assert "ada-1" in text_of(client, LIST)
    assert "ada@people.example" in text_of(client, page_of(ada))


def test_strangers_find_nobody_and_learn_nothing(stranger_client, ada):
    assert "ada-1" not in text_of(stranger_client, LIST)
    response = stranger_client.get(page_of(ada), follow=True)
    assert response.redirect_chain == [(reverse("admin:index"), FOUND)]
    assert "ada-1" not in response.content.decode()


def test_the_page_of_a_strangers_user_answers_as_that_of_nobody(stranger_client, ada):
    def answer(url):
        response = stranger_client.get(url)
        return response.status_code, response["Location"]

    assert answer(page_of(ada)) == answer(reverse("admin:profiles_profile_change", args=[999_999]))


def test_who_is_not_logged_in_is_asked_to(client, ada):
    for url in (LIST, page_of(ada)):
        response = client.get(url)
        assert (response.status_code, response["Location"]) == (FOUND, f"/admin/login/?next={url}")


def test_staff_without_a_role_see_no_users(client_of, workspace, ada):
    client = client_of(UserFactory.create(workspaces=[workspace]))
    assert [client.get(url).status_code for url in (LIST, page_of(ada))] == [FORBIDDEN, FORBIDDEN]


def test_nobody_adds_changes_or_deletes_users(client_of, administrator, marketer, ada):
    delete = reverse("admin:profiles_profile_delete", args=[ada.pk])
    for user in (administrator, marketer, UserFactory.create(operator=True)):
        client = client_of(user)
        answers = [
            client.get(ADD),
            client.post(ADD),
            client.post(page_of(ada)),
            client.post(delete, {"post": "yes"}),
        ]
        assert [response.status_code for response in answers] == [FORBIDDEN] * 4
        assert 'name="_save"' not in text_of(client, page_of(ada))
        assert 'name="action"' not in text_of(client, LIST)


# --- the list --------------------------------------------------------------------------------------------------
def test_pages_come_newest_first_and_miss_nobody(marketer_client, workspace):
    ids = list(make_people(workspace, [f"person-{n}" for n in range(120)]).values())
    shown = [
        [profile.pk for profile in marketer_client.get(LIST, {"p": number}).context["cl"].result_list]
        for number in (1, 2, 3)
    ]
    assert [len(page) for page in shown] == [50, 50, 20]
    assert [pk for page in shown for pk in page] == sorted(ids, reverse=True)


def test_list_never_counts_the_table_nor_skips_rows_of_it(marketer_client, workspace):
    make_people(workspace, [f"person-{n}" for n in range(120)])
    asked = [sql for sql in queries_of(marketer_client, f"{LIST}?p=2") if "profiles_profile" in sql]
    assert asked
    assert [sql for sql in asked if "COUNT(" in sql or "OFFSET" in sql] == []


def test_erased_users_are_never_shown(marketer_client, ada):
    ProfileFactory.create(external_id="bob-1")
    erase(ada)
    assert "ada-1" not in text_of(marketer_client, LIST)
    assert marketer_client.get(LIST).context["cl"].result_count == 1
    assert marketer_client.get(page_of(ada)).status_code == FOUND


def test_empty_workspace_says_how_users_come_in(marketer_client):
    page = text_of(marketer_client, LIST)
    assert "No users yet" in page
    assert "import_profiles FILE.csv --workspace default" in page


def test_list_costs_the_same_for_1_and_50_users(marketer_client, workspace):
    ProfileFactory.create()
    one = len(queries_of(marketer_client, LIST))
    ProfileFactory.create_batch(49)
    assert len(queries_of(marketer_client, LIST)) == one


# --- one user --------------------------------------------------------------------------------------------------
def test_page_names_each_kind_of_identifier(marketer_client, ada, anonymous):
    identified, unknown = text_of(marketer_client, page_of(ada)), text_of(marketer_client, page_of(anonymous))
    assert "Alias “crm:old%”" in identified
    assert ">42:7<" in identified
    assert ">ada-phone<" in identified
    assert "Does not match: this user has an external ID." in identified
    assert ">lost-phone<" in unknown
    assert "Does not match" not in unknown
    assert "this user is anonymous" in unknown


def test_page_shows_custom_attributes_as_people_write_them(marketer_client, ada):
    shown = marketer_client.get(page_of(ada)).content.decode()
    rows = [("city", "Porto"), ("ltv", "512.5"), ("newsletter", "No"), ("shop", "–"), ("vip", "Yes")]
    for name, value in [*rows, ("tags", "[&quot;a&quot;]")]:
        assert f'<th scope="row">{name}</th><td>{value}</td>' in shown


def test_markup_in_attributes_stays_text(marketer_client, workspace):
    evil = "<script>alert(1)</script>"
    profile = ProfileFactory.create(
        external_id=evil, first_name=evil, custom_attributes={evil: evil}, devices=[evil]
    )
    assert evil not in text_of(marketer_client, page_of(profile))
    assert evil not in text_of(marketer_client, LIST)


def test_many_identifiers_are_cut_and_said_to_be(marketer_client, workspace):
    profile = ProfileFactory.create(anonymous=True, devices=[f"device-{n:03}" for n in range(101)])
    page = text_of(marketer_client, page_of(profile))
    assert page.count(">device-") == 100
    assert "Only the first 100 are shown." in page


def test_page_lists_the_cohorts_the_user_is_in(marketer_client, ada):
    CohortFactory.create(name="Lapsed", members=[ada])
    CohortFactory.create(name="Loyal", members=[ProfileFactory.create()])
    page = text_of(marketer_client, page_of(ada))
    assert "Lapsed" in page
    assert "entered <time" in page
    assert "Loyal" not in page


def test_cohorts_are_named_to_those_only_who_may_see_them(client_of, workspace, ada):
    CohortFactory.create(name="Lapsed", members=[ada])
    viewer = UserFactory.create(workspaces=[workspace])
    viewer.user_permissions.add(Permission.objects.get(codename="view_profile"))
    assert "Lapsed" not in text_of(client_of(viewer), page_of(ada))


def test_page_costs_the_same_for_1_and_50_identifiers_and_cohorts(marketer_client, workspace):
    few = ProfileFactory.create(devices=["a"])
    CohortFactory.create(members=[few])
    one = len(queries_of(marketer_client, page_of(few)))
    many = ProfileFactory.create(devices=[f"device-{n}" for n in range(50)])
    CohortFactory.create_batch(49, members=[many])
    assert len(queries_of(marketer_client, page_of(many))) == one
