"""Audience > Segments: who may, what is shown, and what a draft is answered."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from profiles.models import Profile
from segments import builder
from segments.models import Segment, nobody_yet
from tests.accounts.factories import WorkspaceFactory, make_administrator
from tests.cohorts.factories import CohortFactory, make_hourly
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

LIST = reverse("admin:segments_segment_changelist")
ADD = reverse("admin:segments_segment_add")
COUNTS = reverse("admin:segments_segment_counts")
FOUND, FORBIDDEN = 302, 403


def change_page(segment):
    return reverse("admin:segments_segment_change", args=[segment.pk])


def submit(client, url, name, value):
    return client.post(url, {"name": name, "description": "", "definition": json.dumps(value)})


def count(client, value):
    body = value if isinstance(value, bytes) else json.dumps(value)
    return client.post(COUNTS, body, content_type="application/json")


def counted(client, value):
    """Return the counts of a draft, which are the last line of the answer."""
    answer = count(client, value)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    *earlier, last = [json.loads(line) for line in b"".join(answer).splitlines()]
    assert all(line.keys() == {"progress"} for line in earlier)
    return last


@pytest.fixture
def cohort(workspace):
    return CohortFactory(name="Lapsed", members=ProfileFactory.create_batch(3))


@pytest.fixture
def segment(cohort):
    ProfileFactory.create()
    return SegmentFactory.create(name="Win back", definition=definition(cohorts(cohort.pk)))


@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_see_exact_sizes_and_filters_in_words(request, persona, segment):
    page = request.getfixturevalue(persona).get(LIST).content.decode()
    assert "Win back" in page
    assert "Mixpanel_Cohorts includes “Lapsed”" in page
    assert ">3<" in page
    assert "75%" in page


def test_a_marketer_builds_a_segment(marketer_client, marketer, workspace, cohort):
    assert submit(marketer_client, ADD, "Mine", definition(cohorts(cohort.pk))).status_code == FOUND
    made = Segment.objects.get(name="Mine")
    assert (made.workspace, made.updated_by) == (workspace, marketer)
    assert made.definition == definition(cohorts(cohort.pk))


def test_a_segment_without_filters_is_not_saved(marketer_client, workspace):
    page = submit(marketer_client, ADD, "Everyone?", definition())
    assert page.status_code == 200
    assert not Segment.objects.exists()


def test_a_name_is_given_once_per_workspace(marketer_client, segment, cohort):
    page = submit(marketer_client, ADD, "Win back", definition(cohorts(cohort.pk)))
    assert "There is already a segment of this name" in page.content.decode()
    assert Segment.objects.count() == 1


def test_the_same_name_serves_in_another_workspace(stranger_client, segment, other_workspace):
    own = CohortFactory(workspace=other_workspace)
    assert submit(stranger_client, ADD, "Win back", definition(cohorts(own.pk))).status_code == FOUND


def test_faults_come_back_with_their_nodes_and_what_was_built_stays(marketer_client, cohort):
    page = submit(marketer_client, ADD, "Broken", definition(cohorts(cohort.pk), cohorts(987_654)))
    text = page.content.decode()
    assert "/root/children/1/value" in text
    assert "987654" in text


def test_unreadable_filters_are_a_fault_not_a_crash(marketer_client, workspace):
    page = marketer_client.post(ADD, {"name": "x", "definition": "{"})
    assert page.status_code == 200
    assert not Segment.objects.exists()


def test_a_stranger_finds_no_trace(stranger_client, segment, cohort):
    assert "Win back" not in stranger_client.get(LIST).content.decode()
    assert stranger_client.get(change_page(segment)).status_code == FOUND
    submit(stranger_client, change_page(segment), "Stolen", definition(cohorts(cohort.pk)))
    delete = reverse("admin:segments_segment_delete", args=[segment.pk])
    stranger_client.post(delete, {"post": "yes"})
    segment.refresh_from_db()
    assert segment.name == "Win back"


def test_a_stranger_neither_counts_nor_uses_others_cohorts(stranger_client, segment, cohort):
    answer = count(stranger_client, definition(cohorts(cohort.pk)))
    assert answer.status_code == 422
    assert "Lapsed" not in answer.content.decode()
    assert "Lapsed" not in stranger_client.get(ADD).content.decode()
    submit(stranger_client, ADD, "Theirs", definition(cohorts(cohort.pk)))
    assert not Segment.objects.filter(name="Theirs").exists()


def test_without_login_there_is_nothing(client, segment):
    for url in (LIST, ADD, change_page(segment)):
        assert client.get(url).status_code == FOUND
    assert count(client, definition()).status_code == FOUND


def test_who_may_only_look_reads_the_filters_in_words(client_of, workspace, segment):
    viewer = make_administrator(workspace, username="viewer")
    viewer.groups.clear()
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    client = client_of(viewer)
    page = client.get(change_page(segment)).content.decode()
    assert "Mixpanel_Cohorts includes “Lapsed”" in page
    assert "<segment-builder" not in page
    assert count(client, definition()).status_code == FORBIDDEN


def test_a_draft_is_counted_exactly(marketer_client, segment, cohort):
    answer = counted(marketer_client, definition(cohorts(cohort.pk, operator="does_not_include")))
    assert (answer["total"], answer["universe"]) == (1, 4)
    assert answer["nodes"]["/root/children/0"] == {"count": "1", "after": "1", "left": 1}
    assert answer["nodes"]["/root"] == {"count": "1", "after": None, "left": None}
    assert answer["channels"] == [
        {"name": "Email", "count": "1", "share": "100%", "percent": 100.0},
        {"name": "Push", "count": "0", "share": "0%", "percent": 0.0},
    ]
    assert answer["words"]["sentence"] == "Mixpanel_Cohorts does not include “Lapsed”"


def test_a_draft_says_what_is_unfinished_before_it_says_that_nobody_is_selected(marketer_client, segment):
    unfinished = counted(marketer_client, definition(cohorts()))
    assert unfinished["words"]["note"] == "Filters that are not filled in do not count yet."
    assert counted(marketer_client, definition())["words"]["note"].startswith("Nobody yet")


def test_an_empty_draft_selects_nobody(marketer_client, segment):
    assert counted(marketer_client, definition())["total"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000])
def test_a_malformed_draft_is_refused(marketer_client, workspace, body):
    assert count(marketer_client, body).status_code == 400


@pytest.mark.parametrize(
    "body", [b"1", b"[]", b"null", b'{"version":2,"root":{"type":"cohort","value":[1e400]}}']
)
def test_a_senseless_draft_is_refused(marketer_client, workspace, body):
    assert count(marketer_client, body).status_code in {400, 422}


def test_counts_are_asked_by_post_only(marketer_client, workspace):
    assert marketer_client.get(COUNTS).status_code == 405


def test_a_segment_is_deleted_after_a_confirmation(marketer_client, segment):
    delete = reverse("admin:segments_segment_delete", args=[segment.pk])
    assert "Win back" in marketer_client.get(delete).content.decode()
    marketer_client.post(delete, {"post": "yes"})
    assert not Segment.objects.exists()


def test_the_list_takes_the_same_queries_for_1_and_50_rows(marketer_client, segment, cohort):
    marketer_client.get(LIST)  # what Django keeps in memory is there from now on
    with CaptureQueriesContext(connection) as one:
        marketer_client.get(LIST)
    for _ in range(49):
        SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    with CaptureQueriesContext(connection) as fifty:
        marketer_client.get(LIST)
    assert len(fifty) == len(one)


def test_the_builder_takes_the_same_queries_for_1_and_50_cohorts(marketer_client, segment):
    marketer_client.get(change_page(segment))  # what Django keeps in memory is there from now on
    with CaptureQueriesContext(connection) as one:
        marketer_client.get(change_page(segment))
    CohortFactory.create_batch(49)
    with CaptureQueriesContext(connection) as fifty:
        marketer_client.get(change_page(segment))
    assert len(fifty) == len(one)


def test_an_empty_workspace_says_what_to_do(marketer_client, workspace):
    assert "No segments yet" in marketer_client.get(LIST).content.decode()
    assert "As soon as a partner sends a cohort" in marketer_client.get(ADD).content.decode()


def test_cohorts_of_every_partner_have_their_own_filter(marketer_client, workspace):
    CohortFactory(partner="mixpanel"), CohortFactory(partner="segment")
    CohortFactory(partner="amplitude", workspace=WorkspaceFactory.create())
    page = marketer_client.get(ADD).content.decode()
    assert "Mixpanel_Cohorts" in page
    assert "Segment_Cohorts" in page
    assert "Amplitude_Cohorts" not in page


def test_the_partner_with_the_most_cohorts_is_offered_first(workspace):
    CohortFactory(partner="amplitude"), CohortFactory.create_batch(2, partner="mixpanel")
    data = builder.page_data(
        workspace=workspace, own=None, definition=nobody_yet(), faults=[], now=timezone.now()
    )
    offered = [entry["subject"] for entry in data["catalogue"][0]["filters"] if entry["type"] == "cohort"]
    assert offered == ["mixpanel", "amplitude"]


def test_cohorts_whose_partner_is_silent_are_marked_where_they_are_chosen(workspace):
    for hours in (0, 3, 5):
        make_hourly(silence=timedelta(hours=hours), name=f"{hours} hours")
    CohortFactory(name="never")
    data = builder.page_data(
        workspace=workspace, own=None, definition=nobody_yet(), faults=[], now=timezone.now()
    )
    choices = data["catalogue"][0]["filters"][0]["operators"][0]["value"]["choices"]
    marks = {it["name"]: it.get("mark", {}).get("state") for it in choices}
    assert marks == {"0 hours": None, "3 hours": "late", "5 hours": "stale", "never": None}


def test_a_cohorts_page_names_the_segments_that_use_it(marketer_client, segment, cohort):
    SegmentFactory.create(name="Unrelated", definition=definition(cohorts(CohortFactory().pk)))
    page = marketer_client.get(reverse("admin:cohorts_cohort_change", args=[cohort.pk])).content.decode()
    assert change_page(segment) in page
    assert "Unrelated" not in page


def test_a_users_page_names_the_segments_that_select_them(marketer_client, segment):
    inside, outside = Profile.objects.order_by("id").first(), Profile.objects.order_by("id").last()
    page = marketer_client.get(reverse("admin:profiles_profile_change", args=[inside.pk])).content.decode()
    assert change_page(segment) in page
    page = marketer_client.get(reverse("admin:profiles_profile_change", args=[outside.pk])).content.decode()
    assert change_page(segment) not in page
    assert "This user is in no segment." in page


def test_the_list_bears_its_own_name(marketer_client, segment):
    assert "<title> Segments | Rollcall</title>" in " ".join(
        marketer_client.get(LIST).content.decode().split()
    )


def test_a_search_that_finds_nothing_says_so(marketer_client, segment):
    assert "Nothing found" in marketer_client.get(LIST, {"q": "zzz"}).content.decode()
