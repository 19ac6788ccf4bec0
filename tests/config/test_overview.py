"""The overview: the next step while it is empty, how a workspace stands after it; each part for those who may see it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import usage
from accounts.days import day_of
from accounts.models import Allotment, DataPointUsage, Heartbeat, RejectedCall
from cohorts.models import CohortSync
from config import overview, overview_parts
from profiles import people_counts, selection
from segments.models import Segment, SegmentSize
from tests.accounts.factories import UserFactory, make_key
from tests.cohorts.factories import CohortFactory, CohortSyncFactory
from tests.profiles.factories import make_people
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
OVERVIEW = "/admin/"
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
TODAY = NOW.date()
MAX_QUERIES = 21


# --- the next step -------------------------------------------------------------------------------------------
def test_empty_workspace_is_told_to_generate_a_key_and_nothing_else(administrator_client):
    page = administrator_client.get(OVERVIEW)
    assert page.context["figures"].next_step == "key"
    assert "Generate key" in page.text
    for absent in ("Data points this period", "attention", "Imports today"):
        assert absent not in page.text


def test_empty_workspace_is_told_that_users_come_first(administrator_client, workspace):
    assert "No user is here yet" in administrator_client.get(OVERVIEW).text
    make_people(workspace, ["ada"])
    assert "No user is here yet" not in administrator_client.get(OVERVIEW).text


def test_marketer_is_told_who_generates_the_key(marketer_client):
    page = marketer_client.get(OVERVIEW)
    assert "An administrator generates it" in page.text
    assert "/admin/technology-partners/" not in page.text


def test_steps_are_ticked_one_after_the_other(administrator_client, workspace):
    steps = []
    for done in (
        lambda: None,
        lambda: make_key(workspace),
        CohortFactory.create,
        lambda: Segment.objects.create(workspace=workspace, name="First"),
    ):
        done()
        steps.append(administrator_client.get(OVERVIEW).context["figures"].next_step)
    assert steps == ["key", "cohort", "segment", ""]
    assert "three steps" not in administrator_client.get(OVERVIEW).text


# --- how it stands -------------------------------------------------------------------------------------------
def test_figures_are_those_of_the_workspace(workspace, other_workspace):
    make_people(workspace, ["ada", "bob"])
    make_people(other_workspace, ["eve"])
    CohortFactory.create()
    CohortFactory.create(ignored_at=NOW)
    SegmentFactory.create()
    SegmentFactory.create(archived_at=NOW)
    CohortFactory.create(workspace=other_workspace)
    found = overview.figures(workspace=workspace)
    assert (found.user_count, found.cohort_count, found.segment_count) == (2, 1, 1)


def test_imports_are_those_of_today_and_of_the_workspace(workspace, other_workspace):
    cohort = CohortFactory.create(name="Lapsed")
    CohortSyncFactory.create(cohort=cohort, started_at=NOW, received_count=8, matched_count=6)
    CohortSyncFactory.create(cohort=cohort, started_at=NOW - timedelta(hours=1))
    CohortSyncFactory.create(cohort=cohort, started_at=NOW - timedelta(days=2), received_count=100)
    CohortSyncFactory.create(cohort=cohort, started_at=NOW, action=CohortSync.Action.HELD)  # not a partner's
    elsewhere = CohortFactory.create(workspace=other_workspace)
    CohortSyncFactory.create(cohort=elsewhere, started_at=NOW, received_count=50)
    with override("en"):
        found = overview_parts.imports(workspace=workspace, now=NOW)
        assert (found.sync_count, found.received_count, found.match_rate) == (2, 8, "75%")
        assert [(it.sync.cohort.name, it.match_rate) for it in found.latest] == [
            ("Lapsed", "75%"),
            ("Lapsed", ""),
        ]


def keep_size(segment: Segment, day: date, count: int) -> None:
    SegmentSize.objects.create(
        segment=segment, day=day, total_count=count, email_count=0, push_count=0, measured_at=NOW
    )


def moves(workspace) -> list[tuple[str, str, str]]:
    with override("en"):
        found = overview_parts.moves(workspace=workspace, now=NOW)
        return [(it.segment.name, it.difference, it.share) for it in found]


def test_segments_that_changed_most_come_first(workspace, other_workspace):
    week = timedelta(days=7)
    for name, before, after in (
        ("Grew", 100, 150),
        ("Shrank", 1_000, 700),
        ("New to somebody", 0, 5),
        ("The same", 9, 9),
    ):
        segment = SegmentFactory.create(name=name)
        keep_size(segment, TODAY - week, before)
        keep_size(segment, TODAY, after)
    for hidden in (
        SegmentFactory.create(workspace=other_workspace),
        SegmentFactory.create(archived_at=NOW),
    ):
        keep_size(hidden, TODAY - week, 1)
        keep_size(hidden, TODAY, 10_000)
    assert moves(workspace) == [
        ("Shrank", "−300", "−30%"),
        ("Grew", "+50", "+50%"),
        ("New to somebody", "+5", "from nobody"),
    ]


def test_before_the_night_sizes_of_yesterday_are_compared(workspace):
    segment = SegmentFactory.create(name="Noted at night")
    for ago, count in ((8, 10), (1, 20), (0, 0)):
        if count:
            keep_size(segment, TODAY - timedelta(days=ago), count)
    assert moves(workspace) == [("Noted at night", "+10", "+100%")]


def test_sizes_that_are_too_old_are_not_compared(workspace):
    segment = SegmentFactory.create()
    keep_size(segment, TODAY - timedelta(days=9), 10)
    keep_size(segment, TODAY - timedelta(days=2), 20)
    assert moves(workspace) == []


# --- who sees what -------------------------------------------------------------------------------------------
@pytest.fixture
def busy(workspace):
    """A workspace with something of everything."""
    now, today = timezone.now(), day_of(timezone.now())
    make_people(workspace, ["ada", "bob"])
    people_counts.note(now=now - timedelta(days=1))
    people_counts.note(now=now)
    segment = SegmentFactory.create(name="Valuable")
    keep_size(segment, today - timedelta(days=7), 1)
    keep_size(segment, today, 2)
    add_cohorts(1)
    Allotment.objects.create(workspace=workspace, data_points=10, starts_on=today.replace(day=1))
    source = DataPointUsage.Source.CSV
    usage.record(workspace_id=workspace.pk, source=source, day=today, count=9, shard_key=0)
    add_rejected_call(workspace, 0)
    Heartbeat.objects.create(name="worker", beat_at=now - timedelta(hours=1))
    return workspace


def add_cohorts(count: int) -> None:
    """Add cohorts, each with a sync of today and one that stopped."""
    now = timezone.now()
    for _ in range(count):
        cohort = CohortFactory.create()
        CohortSyncFactory.create(cohort=cohort, received_count=8, matched_count=6)
        CohortSyncFactory.create(cohort=cohort, unfinished=True, started_at=now - timedelta(hours=2))


def add_rejected_call(workspace, number: int) -> None:
    RejectedCall.objects.create(
        workspace=workspace,
        partner="mixpanel",
        endpoint="webhook",
        minute_at=timezone.now(),
        last_at=timezone.now(),
        status=401,
        cause=RejectedCall.Cause.INVALIDATED_KEY,
        reason="The key is invalid.",
        fingerprint=str(number),
    )


PARTS = (
    "Users, identified and anonymous",
    "Cohorts by freshness",
    "Imports today",
    "Segments that changed most in 7 days",
    "Data points this period",
    "Needs your attention",
)
OF_ADMINISTRATORS = ("The worker is not running", "Mixpanel: 1 call refused in 24 hours")


def test_administrator_sees_all_of_it(administrator_client, busy):
    text = administrator_client.get(OVERVIEW).text
    for words in (*PARTS, *OF_ADMINISTRATORS):
        assert words in text


def test_marketer_sees_all_but_keys_and_worker(marketer_client, busy):
    text = marketer_client.get(OVERVIEW).text
    for words in PARTS:
        assert words in text
    for words in OF_ADMINISTRATORS:
        assert words not in text


def test_whoever_may_see_nothing_is_told_nothing(client_of, busy):
    text = client_of(UserFactory.create(workspaces=[busy])).get(OVERVIEW).text
    for words in (*PARTS, *OF_ADMINISTRATORS, "Valuable"):
        assert words not in text


def test_stranger_sees_nothing_of_it(stranger_client, busy, other_workspace):
    make_people(other_workspace, ["eve"])
    page = stranger_client.get(OVERVIEW)
    assert page.context["figures"].user_count == 1
    for words in ("Valuable", "Mixpanel: 1 call", "A sync of", "% of the allotment"):
        assert words not in page.text


def test_every_link_leads_to_a_page_that_its_reader_may_open(marketer_client, administrator_client, busy):
    for reader in (marketer_client, administrator_client):
        items = reader.get(OVERVIEW).context["attention"]
        assert items
        for item in items:
            assert not item.url or reader.get(item.url).status_code == 200


@pytest.mark.django_db(transaction=True)  # as everywhere else: bitmaps are not kept in memory within one
def test_it_costs_the_same_for_1_and_50_cohorts(administrator_client, busy):
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            administrator_client.get(OVERVIEW)
        return len(made)

    administrator_client.get(OVERVIEW)
    first = queries()
    add_cohorts(49)
    for number in range(1, 50):
        add_rejected_call(busy, number)
    assert queries() == first <= MAX_QUERIES


def test_it_looks_at_no_user_but_those_that_changed(administrator_client, busy, monkeypatch):
    monkeypatch.delattr(selection, "everywhere")
    with CaptureQueriesContext(connection) as made:
        assert administrator_client.get(OVERVIEW).status_code == 200
    assert [it["sql"] for it in made if '"profiles_profile"' in it["sql"]] == []


def test_parts_link_to_their_pages(administrator_client, busy):
    text = administrator_client.get(OVERVIEW).text
    segment = Segment.objects.get()
    for url in (
        reverse("admin:segments_segment_change", args=[segment.pk]),
        reverse("admin:data_points"),
        reverse("admin:cohorts_cohortsync_changelist"),
        reverse("admin:cohorts_cohort_changelist") + "?freshness=",
    ):
        assert f'href="{url}' in text
