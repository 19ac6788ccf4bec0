"""Audience > Users, the search: whom a text names exactly, whose identifier begins with it, and at what cost."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from profiles import admin_search, matching
from tests.profiles.factories import ProfileFactory, erase, make_people
from tests.profiles.plans import plan_of

LIST = reverse("admin:profiles_profile_changelist")


def answer_to(client, text):
    return client.get(LIST, {"q": text})


def found_by(client, text):
    return [str(profile) for profile in answer_to(client, text).context["cl"].result_list]


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create(
        external_id="ada-1",
        email="ada@people.example",
        first_name="Ada",
        last_name="Almeida",
        phone="+351 900 000 001",
        devices=["ada-phone"],
        aliases=[("crm:old%", "42:7")],
    )


@pytest.fixture
def anonymous(workspace):
    return ProfileFactory.create(anonymous=True, email="", devices=["lost-phone"])


# --- exactly ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    ["ada-1", "ada-phone", "crm:old%:42:7", "ada@people.example", "+351 900 000 001", "  ada-1 "],
)
def test_search_finds_a_user_by_any_whole_identifier(marketer_client, ada, anonymous, text):
    assert found_by(marketer_client, text) == ["ada-1"]
    assert ">exact match<" in answer_to(marketer_client, text).content.decode()


def test_search_finds_a_user_by_our_own_id(marketer_client, ada, anonymous):
    assert found_by(marketer_client, str(anonymous.pk)) == [str(anonymous)]
    assert found_by(marketer_client, f"0{anonymous.pk}") == []


def test_search_finds_an_anonymous_user_by_device(marketer_client, ada, anonymous):
    assert found_by(marketer_client, "lost-phone") == [f"Anonymous user {anonymous.pk}"]


def test_search_counts_all_who_share_an_email_address(marketer_client, workspace):
    ProfileFactory.create_batch(55, email="family@people.example")
    page = marketer_client.get(LIST, {"q": "family@people.example", "p": 2}).context["cl"]
    assert (page.result_count, len(page.result_list)) == (55, 5)


# --- by the beginning --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["ada", "ada-", "ada-ph", "crm:old%:4", "ada@people", "+351", " ada-p"])
def test_search_finds_a_user_by_the_beginning_of_an_identifier(marketer_client, ada, anonymous, text):
    assert found_by(marketer_client, text) == ["ada-1"]
    page = answer_to(marketer_client, text).content.decode()
    assert "Nobody has exactly this identifier; these begin with it." in page
    assert ">exact match<" not in page


@pytest.mark.parametrize("text", ["ADA-1", "Almeida", "42:7", "old%:42:7", "phone", "da-1", "%", "_da", ":"])
def test_search_finds_nobody_by_names_middles_or_other_letter_case(marketer_client, ada, anonymous, text):
    assert found_by(marketer_client, text) == []
    assert "Nobody has this identifier" in answer_to(marketer_client, text).content.decode()


def test_exact_matches_come_before_those_that_begin_so(marketer_client, workspace):
    exact = ProfileFactory.create(external_id="person")
    make_people(workspace, ["person-1", "person-2"])
    assert found_by(marketer_client, "person") == ["person", "person-2", "person-1"]
    rows = answer_to(marketer_client, "person").context["cl"].result_list
    assert [row.pk for row in rows if row.is_exact] == [exact.pk]


def test_those_who_begin_so_are_at_most_fifty_and_said_to_be_more(marketer_client, workspace):
    make_people(workspace, [f"person-{n:03}" for n in range(51)])
    page = answer_to(marketer_client, "person-")
    assert page.context["cl"].result_count == 50
    assert "More begin with it than the 50 shown here" in page.content.decode()
    assert "More begin with it" not in answer_to(marketer_client, "person-01").content.decode()


def test_one_with_very_many_identifiers_hides_nobody_silently(marketer_client, workspace):
    ProfileFactory.create(anonymous=True, devices=[f"device-{n:03}" for n in range(200)])
    ProfileFactory.create(anonymous=True, devices=["device-999"])
    assert "More begin with it" in answer_to(marketer_client, "device-").content.decode()


@given(st.text(min_size=1), st.text())
def test_texts_that_begin_with_another_are_those_between_it_and_its_end(beginning, text):
    end = admin_search._end(beginning)
    assert text.startswith(beginning) == (beginning <= text and (end is None or text < end))


# --- never -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["ada-1", "ada", "ada@people.example", "ada@", "+351"])
def test_strangers_and_the_erased_are_not_found(stranger_client, marketer_client, ada, text):
    assert found_by(stranger_client, text) == []
    erase(ada)
    assert found_by(marketer_client, text) == []


def test_strangers_find_nobody_by_our_own_id(stranger_client, ada):
    assert found_by(stranger_client, str(ada.pk)) == []


@pytest.mark.parametrize("text", ["%20%20", "%ED%A0%80", ":" * 500, "9" * 30, "%F4%8F%BF%BF"])
def test_search_for_nonsense_finds_nobody(marketer_client, ada, anonymous, text):
    response = marketer_client.get(f"{LIST}?q={text}", follow=True)
    assert response.status_code == 200
    assert "ada-1" not in response.content.decode()


def test_search_for_nul_is_refused_in_words(marketer_client, ada):
    assert "Null characters are not allowed." in marketer_client.get(f"{LIST}?q=%00").content.decode()


@given(st.text(max_size=20), st.text(max_size=20))
def test_key_of_an_alias_tells_label_and_name(label, name):
    assert matching.alias_of(matching.alias_key(label, name)) == (label, name)


# --- at what cost ------------------------------------------------------------------------------------------------
def test_search_asks_as_often_for_one_as_for_fifty(marketer_client, workspace):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            answer_to(marketer_client, "person-")
        return len(captured)

    make_people(workspace, ["person-0"])
    answer_to(marketer_client, "person-")
    one = cost()
    make_people(workspace, [f"person-{n}" for n in range(1, 60)])
    assert cost() == one


@pytest.mark.parametrize("text", ["ada", "ada@people"])
def test_search_walks_along_indexes_only(workspace, ada, text):
    with CaptureQueriesContext(connection) as captured:
        admin_search.find(workspace_id=workspace.pk, text=text)
    asked = [query["sql"] for query in captured if "profiles_" in query["sql"]]
    assert len(asked) >= 6
    for sql in asked:
        plan = plan_of(sql)
        assert "Seq Scan" not in plan
        assert "SCAN profiles_" not in plan
