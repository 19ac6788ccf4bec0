"""Whatever is typed into the pages of a user: an answer in words, never a fault of ours, never somebody else's data."""

from __future__ import annotations

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.profiles.admin_pages import address
from tests.profiles.factories import ProfileFactory

ANSWERS = {200, 302, 400, 404, 409, 422}
FIELDS = {
    "edit": ("first_name", "email", "dob", "gender", "date_of_last_session", "seen"),
    "attribute": ("name", "kind", "text", "number", "boolean", "json", "seen", "remove"),
    "identify": ("external_id", "confirm"),
    "merge": ("identifier", "keep", "confirm"),
    "alias": ("label", "name"),
    "remove_alias": ("key", "confirm"),
    "erase": ("proof",),
}
# What programs stumble over, beside what nobody thought of.
ODD = (
    *("", "\x00", "\ud800", "[]", "{}", "null", '"', "1e999", "-1", "9" * 30, "%", ":", "[" * 2000, "\u202e"),
    *("0001-01-01", "9999-12-31T23:59:59", "a:", "a::", "a:b:c", "a:\x00:c", "e:ada-1", "Infinity"),
    *("text", "number", "json", "yes", "nobody"),
)
typed = st.one_of(st.sampled_from(ODD), st.text(max_size=300), st.integers().map(str))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("page", FIELDS)
@given(data=st.data())
def test_nothing_typed_into_a_page_breaks_it(administrator_client, workspace, page, data):
    profile = ProfileFactory.create(external_id=None, custom_attributes={"it": 1})
    sent = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[page], typed)))
    sent = {name: value.encode("utf-8", "surrogatepass") for name, value in sent.items()}
    query = data.draw(st.sampled_from(["", "?name=it", "?name=%00", "?name=%FF", "?name="]))
    assert administrator_client.post(address(profile, page) + query, sent).status_code in ANSWERS
    assert administrator_client.get(address(profile) + query).status_code in ANSWERS


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=typed)
def test_nothing_typed_into_the_search_breaks_it_or_leaves_the_workspace(
    marketer_client, workspace, other_workspace, text
):
    ProfileFactory.create(workspace=other_workspace, external_id=None, email="a", phone="1")
    sent = {"q": text.encode("utf-8", "surrogatepass")}
    answer = marketer_client.get(reverse("admin:profiles_profile_changelist"), sent, follow=True)
    assert answer.status_code == 200
    assert {user.workspace_id for user in answer.context["cl"].result_list} <= {workspace.pk}
