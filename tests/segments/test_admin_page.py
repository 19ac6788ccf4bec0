"""The page of a segment: what stands around the builder, and that nobody saves over what they did not see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from segments import saving
from segments.models import Segment, SegmentSize
from tests.accounts.factories import make_administrator
from tests.cohorts.factories import CohortFactory, make_hourly
from tests.profiles.factories import ProfileFactory
from tests.segments.admin_pages import FOUND, address, seen_at, send, text_of
from tests.segments.definitions import cohorts, definition, group, members_of
from tests.segments.factories import SegmentFactory

MAX_QUERIES = 18  # fewer than 19, all of the builder's included


@pytest.fixture
def cohort(workspace):
    return CohortFactory(name="Lapsed", members=ProfileFactory.create_batch(3))


@pytest.fixture
def segment(workspace, cohort, marketer):
    made = Segment(workspace=workspace, name="Win back", definition=definition(cohorts(cohort.pk)))
    saving.save(segment=made, tags=["crm"], by=marketer, now=timezone.now() - timedelta(hours=3))
    return made


def note_size(segment, *, ago, total):
    moment = timezone.now() - timedelta(days=ago)
    counts = {"total_count": total, "email_count": total // 2, "push_count": total // 4}
    SegmentSize.objects.create(segment=segment, day=moment.date(), measured_at=moment, **counts)


def test_size_over_time_is_drawn_and_told(marketer_client, segment):
    for ago, total in ((0, 1_040), (7, 1_000), (30, 2_000), (91, 9_000)):
        note_size(segment, ago=ago, total=total)
    page = marketer_client.get(address(segment))
    text = text_of(page)
    assert "1,040 users on " in text
    assert "· +40 in 7 days · most: 2,000 on " in text
    assert page.content.decode().count("h8V120z") == 3
    table = text[text.index("Show the days as a table") :]
    assert "1,040 520 260" in table
    assert "9,000" not in text


def test_a_chart_of_one_day_is_a_sentence(marketer_client, segment):
    note_size(segment, ago=0, total=1)
    page = marketer_client.get(address(segment))
    assert "1 user on " in text_of(page)
    assert "The chart begins with the second day." in text_of(page)
    assert 'role="img"' not in page.content.decode()


def test_without_sizes_the_page_says_when_they_come(marketer_client, segment):
    text = text_of(marketer_client.get(address(segment)))
    assert "No size is noted yet. It is noted after each save and every night." in text
    assert "Not counted yet." in text


def test_page_names_the_cohorts_that_are_out_of_date(marketer_client, segment, workspace):
    stale = make_hourly(silence=timedelta(hours=5), name="Fell <silent>")
    late = make_hourly(silence=timedelta(hours=3), name="Comes late")
    assert "out of date" not in text_of(marketer_client.get(address(segment)))
    inner = SegmentFactory.create(definition=definition(cohorts(stale.pk, late.pk)))
    outer = SegmentFactory.create(definition=members_of(inner.pk))
    for it in (outer, inner):
        text = text_of(marketer_client.get(address(it)))
        assert "A cohort of this segment is out of date Fell &lt;silent&gt; : Out of date since" in text
        assert "Comes late :" not in text


def test_channels_are_those_of_the_last_count(marketer_client, segment):
    note_size(segment, ago=3, total=8), note_size(segment, ago=1, total=1_000)
    text = text_of(marketer_client.get(address(segment)))
    assert "Reachable users counted 1 day ago" in text
    assert "Email 500 50%" in text
    assert "Push 250 25%" in text


def test_what_uses_the_segment_is_linked(marketer_client, segment):
    assert "Nothing uses this segment yet." in text_of(marketer_client.get(address(segment)))
    user = SegmentFactory.create(name="Campaign", definition=members_of(segment.pk))
    page = marketer_client.get(address(segment)).content.decode()
    assert f'href="{address(user)}">Campaign</a>' in page


def test_versions_say_who_when_and_what(marketer_client, segment, cohort, administrator):
    segment.definition = definition(cohorts(cohort.pk, operator="does_not_include"))
    saving.save(segment=segment, tags=[], by=administrator, now=timezone.now())
    page = marketer_client.get(address(segment))
    text = text_of(page)
    newest = text.index("Version 2 Current Mixpanel_Cohorts does not include “Lapsed”")
    oldest = text.index("Version 1 Mixpanel_Cohorts includes “Lapsed” 3 hours ago marketer Compare")
    assert newest < oldest
    assert address(segment, "version", 1) in page.content.decode()
    assert address(segment, "version", 2) not in page.content.decode()


def test_the_newest_versions_are_shown_of_many(marketer_client, segment, cohort):
    for number in range(2, 24):
        segment.definition = definition(*[cohorts(cohort.pk)] * number)
        saving.save(segment=segment, tags=[], by=None, now=timezone.now())
    text = text_of(marketer_client.get(address(segment)))
    assert "Version 23 Current" in text
    assert "Version 4 " in text
    assert "Version 3 " not in text
    assert "Older versions are kept, too." in text


def test_a_new_segment_has_nothing_around_it(marketer_client, workspace):
    page = marketer_client.get("/admin/segments/segment/add/")
    assert page.status_code == 200
    assert "Size over time" not in text_of(page)


def test_opening_takes_fewer_than_19_queries_however_much_there_is(marketer_client, segment, cohort):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert marketer_client.get(address(segment)).status_code == 200
        return len(asked)

    marketer_client.get(address(segment))  # what Django keeps in memory is there from now on
    few = queries()
    for number in range(10):
        other = CohortFactory()
        segment.definition = definition(cohorts(other.pk), group(cohorts(cohort.pk), operator="or"))
        saving.save(segment=segment, tags=[f"tag {number}"], by=None, now=timezone.now())
        SegmentFactory.create(definition=members_of(segment.pk))
        note_size(segment, ago=number, total=number)
    assert queries() == few <= MAX_QUERIES


# --- the form --------------------------------------------------------------------------------------------------
def test_tags_are_saved_with_the_form_and_shown_in_it(marketer_client, segment):
    assert send(marketer_client, segment, tags="  weekly, CRM,crm ,, new  York ").status_code == FOUND
    assert saving.tags_of(segment) == ["crm", "new York", "weekly"]
    page = marketer_client.get(address(segment)).content.decode()
    assert 'value="crm, new York, weekly"' in page
    assert "In use so far: crm, new York, weekly." in page


@pytest.mark.parametrize("tags", ["x" * 51, ",".join(map(str, range(21)))])
def test_too_long_and_too_many_tags_are_refused(marketer_client, segment, tags):
    page = send(marketer_client, segment, tags=tags)
    assert page.status_code == 200
    assert "at most" in text_of(page)
    assert saving.tags_of(segment) == ["crm"]


def test_a_form_that_somebody_overtook_is_not_saved_and_names_them(
    marketer_client, administrator_client, segment
):
    mine, theirs = seen_at(marketer_client, segment), seen_at(administrator_client, segment)
    assert send(administrator_client, segment, name="Theirs", seen_at=theirs).status_code == FOUND
    page = send(marketer_client, segment, name="Mine", seen_at=mine)
    assert page.status_code == 200
    assert "Not saved: administrator saved this segment" in text_of(page)
    assert 'value="Mine"' in page.content.decode()
    assert "Please correct" not in text_of(page)
    assert Segment.objects.get().name == "Theirs"


def test_what_was_seen_may_be_saved_over_but_nothing_newer(marketer_client, administrator_client, segment):
    mine = seen_at(marketer_client, segment)
    send(administrator_client, segment, name="Theirs", seen_at=mine)
    theirs = seen_at(marketer_client, segment)
    send(administrator_client, segment, name="Theirs again", seen_at=theirs)
    page = send(marketer_client, segment, name="Mine", seen_at=mine, overwrite=theirs)
    assert "Not saved" in text_of(page)
    again = seen_at(marketer_client, segment)
    assert send(marketer_client, segment, name="Mine", seen_at=mine, overwrite=again).status_code == FOUND
    assert Segment.objects.get().name == "Mine"


@pytest.mark.parametrize("field", ["seen_at", "overwrite"])
def test_a_form_with_a_senseless_moment_is_refused_not_a_crash(marketer_client, segment, field):
    page = send(marketer_client, segment, name="Mine", **{field: "yesterday"})
    assert page.status_code == 200
    assert "This form is too old." in text_of(page)
    assert Segment.objects.get().name == "Win back"


def test_a_saved_form_is_a_version_only_if_the_filters_changed(marketer_client, marketer, segment, cohort):
    send(marketer_client, segment, name="Renamed")
    assert segment.versions.count() == 1
    send(marketer_client, segment, definition=definition(cohorts(cohort.pk, operator="does_not_include")))
    assert segment.versions.order_by("number").last().saved_by == marketer


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_may_do_everything(request, persona, segment):
    page = text_of(request.getfixturevalue(persona).get(address(segment)))
    assert "Duplicate Archive Delete" in page


def test_who_may_only_look_sees_everything_and_does_nothing(client_of, workspace, segment):
    viewer = make_administrator(workspace, username="viewer")
    viewer.groups.clear()
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    page = text_of(client_of(viewer).get(address(segment)))
    for shown in ("Size over time", "Versions", "Used by", "crm", "Mixpanel_Cohorts includes “Lapsed”"):
        assert shown in page
    assert "Duplicate" not in page
    assert "Delete" not in page


def test_an_archived_segment_says_so(marketer_client, segment):
    saving.archive(segment=segment, now=timezone.now())
    page = text_of(marketer_client.get(address(segment)))
    assert "This segment was archived" in page
    assert "Duplicate Unarchive Delete" in page
