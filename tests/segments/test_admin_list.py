"""The list of segments: exact sizes, how they went, what uses each, and in every order."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from segments import saving
from segments.models import SegmentSize
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.admin_pages import LIST, address, text_of
from tests.segments.definitions import cohorts, definition, members_of
from tests.segments.factories import SegmentFactory


@pytest.fixture
def people(workspace):
    return ProfileFactory.create_batch(9)


def sized(name, people, **fields):
    """Return a segment of some people."""
    cohort = CohortFactory(members=people)
    return SegmentFactory.create(name=name, definition=definition(cohorts(cohort.pk)), **fields)


def tagged(segment, *tags):
    saving.save(segment=segment, tags=tags, by=None, now=timezone.now())


def note_size(segment, *, ago, total):
    moment = timezone.now() - timedelta(days=ago)
    SegmentSize.objects.create(
        segment=segment, day=moment.date(), total_count=total, email_count=0, push_count=0, measured_at=moment
    )


def names(client, **query):
    """Return the names of the list's rows, in their order."""
    page = client.get(LIST, query).content.decode()
    return re.findall(
        r'<a class="rc-link" href="[^"]*/change/[^"]*">([^<]+)</a>\s*(?:<small|<span class="sl-tags|</span)',
        page,
    )


def order_of(client, column):
    """Return the name by which the list is sorted by a column, as its heading's link has it."""
    page = client.get(LIST).content.decode()
    heading = page[page.index(f"column-{column}") :]
    return re.search(r"\?o=-?(\d+)", heading)[1]


def test_rows_say_all_there_is_to_know(marketer_client, marketer, people):
    segment = sized("Win back", people[:3], description="Of last year", updated_by=marketer)
    saving.save(segment=segment, tags=["crm"], by=marketer, now=timezone.now())
    note_size(segment, ago=7, total=1)
    SegmentFactory.create(name="Campaign", definition=members_of(segment.pk))
    page = text_of(marketer_client.get(LIST, {"q": "Win back"}))
    for said in (
        "Of last year",
        "crm",
        " 3 33.3%",
        "+2 , 1 7 days ago, 3 now",
        "Mixpanel_Cohorts includes",
        "Campaign",
        "marketer",
    ):
        assert said in page


def test_a_row_is_headed_by_a_link_to_its_page(marketer_client, people):
    segment = sized("Win back", people)
    page = marketer_client.get(LIST, {"q": "Win"}).content.decode()
    heading = re.search(r"<th class=\"field-title.*?</th>", page, re.DOTALL)[0]
    assert f'href="{address(segment)}?_changelist_filters=q%3DWin"' in heading


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ({}, "No earlier size is known yet."),
        ({3: 5}, "+4 , 5 3 days ago, 9 now"),
        ({7: 12, 1: 10}, "−3 , 12 7 days ago, 9 now"),
        ({1: 9}, "±0 , 9 1 day ago, 9 now"),
        ({8: 4}, "No earlier size is known yet."),
    ],
)
def test_the_change_is_told_in_words(marketer_client, people, history, said):
    segment = sized("Win back", people)
    for ago, total in history.items():
        note_size(segment, ago=ago, total=total)
    page = marketer_client.get(LIST)
    assert said in text_of(page)
    assert ('class="rc-spark"' in page.content.decode()) == ("No earlier" not in said)


def test_archived_segments_are_shown_when_asked_for(marketer_client, people):
    sized("Active", people[:1])
    saving.archive(segment=sized("Archived", people[:1]), now=timezone.now())
    assert names(marketer_client) == ["Active"]
    assert names(marketer_client, status="archived") == ["Archived"]
    assert set(names(marketer_client, status="all")) == {"Active", "Archived"}
    assert names(marketer_client, status="nonsense") == ["Active"]


def test_when_all_are_archived_the_list_says_so(marketer_client, people):
    saving.archive(segment=sized("Old", people[:1]), now=timezone.now())
    page = marketer_client.get(LIST)
    assert "All segments are archived" in text_of(page)
    assert "No segments yet" not in text_of(page)


def test_the_list_is_filtered_by_tag(marketer_client, stranger_client, people, other_workspace):
    crm, other = sized("Crm", people[:1]), sized("Other", people[:1])
    tagged(crm, "crm", "weekly"), tagged(other, "weekly")
    theirs = SegmentFactory.create(workspace=other_workspace, name="Theirs")
    tagged(theirs, "secret")
    tags = dict(crm.tags.values_list("name", "pk"))
    assert names(marketer_client, tag=tags["crm"]) == ["Crm"]
    assert set(names(marketer_client, tag=tags["weekly"])) == {"Crm", "Other"}
    assert set(names(marketer_client, tag=theirs.tags.get().pk)) == {"Crm", "Other"}
    assert set(names(marketer_client, tag="1e9")) == {"Crm", "Other"}
    assert "secret" not in text_of(marketer_client.get(LIST))


@pytest.mark.parametrize(
    ("text", "found"), [("win", ["Win back"]), ("spring", ["Win back"]), ("crm", ["Win back"]), ("zzz", [])]
)
def test_the_search_finds_names_descriptions_and_tags(marketer_client, people, text, found):
    tagged(sized("Win back", people[:1], description="For the spring campaign"), "crm", "crm weekly")
    tagged(sized("Other", people[:1]), "other")
    assert names(marketer_client, q=text) == found


def test_sorting_by_size_is_exact_over_all_pages(marketer_client, people, monkeypatch):
    for size in (3, 9, 1, 7, 5):
        sized(f"Of {size}", people[:size])
    SegmentFactory.create(name="At fault", definition=definition(cohorts(987_654)))
    column = order_of(marketer_client, "size")
    up = ["Of 1", "Of 3", "Of 5", "Of 7", "Of 9", "At fault"]
    assert names(marketer_client, o=column) == up
    assert names(marketer_client, o=f"-{column}") == [*reversed(up[:-1]), "At fault"]
    monkeypatch.setattr("segments.admin.SegmentAdmin.list_per_page", 4)
    assert names(marketer_client, o=column) == up[:4]
    assert names(marketer_client, o=column, p=2) == up[4:]
    assert names(marketer_client, o=column, all="") == up


def test_other_columns_are_sorted_by_the_database(marketer_client, people):
    for name in ("B", "A", "C"):
        sized(name, people[:1])
    column = order_of(marketer_client, "title")
    assert names(marketer_client, o=column) == ["A", "B", "C"]
    assert names(marketer_client, o=f"-{column}") == ["C", "B", "A"]
    assert names(marketer_client) == ["C", "A", "B"]  # the one that was edited last first


def test_what_uses_a_segment_is_named_and_linked_two_of_them(marketer_client, people):
    segment = sized("Used", people[:1])
    users = [SegmentFactory.create(name=f"User {n}", definition=members_of(segment.pk)) for n in range(4)]
    page = marketer_client.get(LIST, {"q": "Used"}).content.decode()
    assert [address(user) in page for user in users] == [True, True, False, False]
    assert "2 more" in page
    assert f"{address(segment)}?_changelist_filters=q%3DUsed#used-by" in page


@pytest.mark.parametrize("order", ["", "size"])
def test_1_and_50_rows_take_the_same_queries(marketer_client, people, order):
    def fill(count):
        for _ in range(count):
            segment = sized(f"s{SegmentSize.objects.count()}", people[:2])
            note_size(segment, ago=3, total=1)
            tagged(segment, f"tag {segment.pk}")

    fill(1)
    query = {"o": order_of(marketer_client, order)} if order else {}
    marketer_client.get(LIST, query)
    with CaptureQueriesContext(connection) as one:
        marketer_client.get(LIST, query)
    fill(49)
    with CaptureQueriesContext(connection) as fifty:
        assert len(names(marketer_client, **query)) == 50
    assert len(fifty) <= len(one)


def test_a_stranger_sees_none_of_it(stranger_client, people, other_workspace):
    segment = sized("Win back", people)
    tagged(segment, "crm")
    for query in ({}, {"status": "all"}, {"q": "Win"}, {"tag": segment.tags.get().pk}):
        page = text_of(stranger_client.get(LIST, query))
        assert "Win back" not in page
        assert "crm" not in page
