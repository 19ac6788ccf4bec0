"""An administrator gives the workspace an allotment, and sees how long it will last."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import usage
from accounts.days import day_of
from accounts.models import DataPointUsage, User, Workspace


def test_allotment_is_given_by_keyboard_and_shown_at_once(
    page: Page, sign_in, administrator: User, workspace: Workspace, complaints
):
    usage.record(
        workspace_id=workspace.pk,
        source=DataPointUsage.Source.CSV,
        day=day_of(timezone.now()),
        count=600,
        shard_key=0,
    )
    sign_in(administrator)
    page.goto("/admin/")
    page.get_by_role("link", name="Data points", exact=True).click()
    expect(page.get_by_text("There is none yet.")).to_be_visible()
    page.get_by_label("Data points in each period").fill("0")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ensure this value is greater than or equal to 1.")).to_be_visible()
    complaints.clear()  # browsers log that a page answered 422
    page.get_by_label("Data points in each period").fill("1000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The allotment is saved.")).to_be_visible()
    expect(page.get_by_text("60% used")).to_be_visible()


def test_chart_can_be_read_as_a_table_and_downloaded(
    page: Page, sign_in, administrator: User, workspace: Workspace
):
    today = day_of(timezone.now())
    source = DataPointUsage.Source.EVENTS
    usage.record(workspace_id=workspace.pk, source=source, day=today, count=1_234, shard_key=0)
    sign_in(administrator)
    page.goto(reverse("admin:data_points"))
    page.get_by_text("Show the days as a table").click()
    row = page.get_by_role("row").filter(has_text="1,234")
    expect(row.get_by_role("cell")).to_have_text(["0", "0", "0", "1,234"])
    page.get_by_role("link", name="Last 12 months").click()
    expect(page.get_by_text("Show the months as a table")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert f"{today},0,0,0,1234,1234" in download.value.path().read_text()
