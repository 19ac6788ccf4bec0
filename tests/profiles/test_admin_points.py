"""Settings > Data points: what the page, its chart and its file say; who may look, and who may set an allotment."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import usage
from accounts.days import day_of
from accounts.models import Allotment, AuditEntry, DataPointUsage
from profiles import admin_points_chart
from profiles.admin_points_chart import Span

pytestmark = pytest.mark.django_db
PAGE, SAVE = reverse("admin:data_points"), reverse("admin:data_points_allotment")
DOWNLOAD = reverse("admin:data_points_download")
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
Source = DataPointUsage.Source
GIVEN = {"data_points": "5000", "period": "quarter", "starts_on": "2026-01-01"}


def record(workspace, count: int, day: date | None = None, source: Source = Source.CSV) -> None:
    day = day or day_of(timezone.now())
    usage.record(workspace_id=workspace.pk, source=source, day=day, count=count, shard_key=0)


def chart(workspace, span: Span = Span.CURRENT):
    with override("en"):
        return admin_points_chart.chart(workspace=workspace, span=span, now=NOW)


# --- what it shows -------------------------------------------------------------------------------------------
def test_page_without_an_allotment_says_what_one_is_for(administrator_client):
    page = administrator_client.get(PAGE).text
    for words in (
        "There is none yet.",
        "An import is never blocked.",
        "No data points in this time.",
        "Save",
    ):
        assert words in page


def test_page_says_how_much_of_the_allotment_is_used_and_whether_it_will_last(
    administrator_client, workspace
):
    today = day_of(timezone.now())
    Allotment.objects.create(workspace=workspace, data_points=10_000, period="year", starts_on=today)
    record(workspace, 1_234)
    page = administrator_client.get(PAGE).text
    for words in ("1,234", "12% used", "of 10,000 data points", "Will not last at this pace"):
        assert words in page
    record(workspace, 8_766)
    page = administrator_client.get(PAGE).text
    for words in ("100% used", "Used up", "An import is never blocked."):
        assert words in page


def test_chart_has_a_layer_for_each_source_and_a_bar_for_each_day_of_the_period(workspace, other_workspace):
    record(workspace, 4, date(2026, 3, 1), Source.PARTNER_COHORTS)
    record(workspace, 6, date(2026, 3, 10), Source.EVENTS)
    record(workspace, 1_000, date(2026, 2, 28))
    record(other_workspace, 1_000, date(2026, 3, 2))
    found = chart(workspace)
    assert [(layer.label, layer.total) for layer in found["layers"]] == [
        ("Partner cohorts", "4"),
        ("REST API", "0"),
        ("CSV files", "0"),
        ("Event imports", "6"),
    ]
    assert (found["first"], found["last"], found["width"]) == (date(2026, 3, 1), date(2026, 3, 31), 310)
    assert [day for day, _cells in found["days"]] == [date(2026, 3, 10), date(2026, 3, 1)]
    assert found["summary"] == "10 from March 1, 2026 to March 31, 2026. Most: 6 (March 10, 2026)."


def test_previous_period_ends_where_this_one_begins(workspace):
    Allotment.objects.create(
        workspace=workspace, data_points=1, period="quarter", starts_on=date(2026, 2, 15)
    )
    found = chart(workspace, Span.PREVIOUS)
    assert (found["first"], found["last"]) == (date(2025, 11, 15), date(2026, 2, 14))


def test_twelve_months_are_put_together_by_month(workspace):
    for day in (date(2025, 3, 31), date(2025, 4, 1), date(2025, 4, 30), date(2026, 3, 11)):
        record(workspace, 5, day)
    found = chart(workspace, Span.YEAR)
    assert found["width"] == 120
    assert [(day, cells[2][1]) for day, cells in found["days"]] == [
        (date(2026, 3, 1), "5"),
        (date(2025, 4, 1), "10"),
    ]
    assert found["summary"].endswith("Most: 10 (April 2025).")


@pytest.mark.parametrize("today", [date(2026, 1, 31), date(2026, 12, 31), date(2028, 2, 29)])
def test_twelve_months_are_twelve_at_any_end_of_a_month(workspace, today):
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    found = admin_points_chart.chart(workspace=workspace, span=Span.YEAR, now=noon)
    assert found["width"] == 120


def test_file_has_a_line_for_each_day_so_far_and_a_column_for_each_source(administrator_client, workspace):
    today = day_of(timezone.now())
    record(workspace, 7, today)
    record(workspace, 3, today, Source.EVENTS)
    answer = administrator_client.get(DOWNLOAD)
    rows = list(csv.reader(answer.text.splitlines()))
    assert rows[0] == ["day", "partner_cohorts", "tracking_api", "csv", "events", "total"]
    assert rows[-1] == [today.isoformat(), "0", "0", "7", "3", "10"]
    assert len(rows) == 1 + today.day
    assert "attachment" in answer.headers["Content-Disposition"]


def test_an_unknown_span_is_this_period(administrator_client):
    assert administrator_client.get(PAGE, {"span": "forever"}).context["span"] == Span.CURRENT


def test_page_costs_the_same_for_1_and_50_days(administrator_client, workspace):
    def queries_with(days: int) -> int:
        for ago in range(days):
            record(workspace, 1, day_of(timezone.now()) - timedelta(days=ago))
        with CaptureQueriesContext(connection) as queries:
            administrator_client.get(PAGE)
        return len(queries)

    administrator_client.get(PAGE)
    assert queries_with(1) == queries_with(50) <= 12


# --- who may -------------------------------------------------------------------------------------------------
def test_administrator_gives_an_allotment_and_takes_it_away(administrator_client, workspace, administrator):
    page = administrator_client.post(SAVE, GIVEN, follow=True).text
    assert "The allotment is saved." in page
    kept = Allotment.objects.get()
    assert (kept.workspace, kept.data_points, kept.period, kept.starts_on) == (
        *(workspace, 5_000, "quarter"),
        date(2026, 1, 1),
    )
    page = administrator_client.post(SAVE, GIVEN | {"data_points": ""}, follow=True).text
    assert "There is no allotment any more." in page
    assert not Allotment.objects.exists()
    assert AuditEntry.objects.filter(action="allotment_changed", actor=administrator).count() == 2
    log = administrator_client.get(reverse("admin:accounts_auditentry_changelist")).text
    assert "Allotment of data points" in log


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"data_points": "0"}, "greater than or equal to 1"),
        ({"data_points": "9" * 30}, "less than or equal to"),
        ({"data_points": "many"}, "Enter a whole number."),
        ({"period": "week"}, "week is not one of the available choices"),
        ({"starts_on": "2026-02-30"}, "Enter a valid date."),
        ({"starts_on": "1999-12-31"}, "Enter a day from 2000-01-01 to 2100-01-01."),
        ({"starts_on": "9999-12-31"}, "Enter a day from 2000-01-01 to 2100-01-01."),
    ],
)
def test_faults_are_named_and_change_nothing(administrator_client, fault, words):
    answer = administrator_client.post(SAVE, GIVEN | fault)
    assert answer.status_code == 422
    assert words in answer.text
    assert not Allotment.objects.exists()


def test_marketer_sees_the_page_and_changes_nothing(marketer_client):
    page = marketer_client.get(PAGE)
    assert page.status_code == 200
    assert "Save allotment" not in page.text
    assert "An administrator can set one." in page.text
    assert marketer_client.post(SAVE, GIVEN).status_code == 403
    assert not Allotment.objects.exists()


def test_stranger_sees_nothing_of_it_and_changes_their_own(stranger_client, workspace, other_workspace):
    record(workspace, 4_711)
    Allotment.objects.create(workspace=workspace, data_points=8_888, starts_on=date(2026, 1, 1))
    for url in (PAGE, DOWNLOAD):
        text = stranger_client.get(url).text
        assert "4,711" not in text
        assert "4711" not in text
        assert "8,888" not in text
    stranger_client.post(SAVE, GIVEN)
    assert Allotment.objects.get(workspace=other_workspace).data_points == 5_000
    assert Allotment.objects.get(workspace=workspace).data_points == 8_888


def test_nobody_else_gets_in(client):
    for url in (PAGE, DOWNLOAD, SAVE):
        assert client.get(url).headers["Location"].startswith("/admin/login/")
