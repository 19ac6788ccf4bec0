"""The marketer's journey: a segment's users are exported, watched, downloaded and deleted; another is cancelled."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from segments import exports, tasks_exports
from segments.models import SegmentExport
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fitting import CLIPPED
from tests.profiles.factories import make_people
from tests.segments.export_jobs import ordered, run, segment_of

LIST = reverse("admin:segments_segmentexport_changelist")


@pytest.fixture(autouse=True)
def _folder(live_server, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "uploads")


@pytest.fixture
def segment(live_server, workspace):
    return segment_of(make_people(workspace, ["u1", "u2", "u3"]).values(), name="Spring")


def page_of(name: str, *args) -> str:
    return reverse(f"admin:segments_segmentexport_{name}", args=args)


def test_users_are_exported_watched_downloaded_and_the_file_deleted(
    page, sign_in, marketer, segment, axe_clean, no_overflow
):
    sign_in(marketer)
    page.goto(reverse("admin:segments_segment_change", args=[segment.pk]))
    page.get_by_role("link", name="Export users").click()
    page.get_by_label("Email", exact=True).uncheck()
    page.get_by_label("Profile ID").check()
    page.get_by_label("Names of custom attributes, one on each line").fill("plan\n-1")
    axe_clean(page)
    page.get_by_role("button", name="Start export").click()
    expect(page.get_by_text("Waiting for the worker")).to_be_visible()
    job = SegmentExport.objects.get()
    SegmentExport.objects.update(
        status="running", total_count=3_000, done_count=1_500, beat_at=timezone.now()
    )
    expect(page.get_by_text("1,500 of 3,000 users")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "50")
    expect(page.locator("[data-status]")).to_have_text("Running: 50%")
    axe_clean(page)
    SegmentExport.objects.update(status="waiting")
    tasks_exports.run_export(job.pk)
    expect(page.get_by_text("Complete", exact=True)).to_be_visible()
    expect(page.locator(".rc-figure").first).to_contain_text("3")
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        no_overflow(page)
        assert page.evaluate(CLIPPED) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == f"export-{job.pk}.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as kept:
        head, *rows = csv.reader(kept)
    assert head == [
        "external_id",
        "profile_id",
        "first_name",
        "last_name",
        "country",
        "language",
        "plan",
        "'-1",
    ]
    assert [row[0] for row in rows] == ["u1", "u2", "u3"]
    page.get_by_role("link", name="Delete file").click()
    axe_clean(page)
    page.get_by_role("button", name="Delete file").click()
    expect(page.get_by_text("A member of the team deleted the file.")).to_be_visible()
    expect(page.get_by_role("link", name="Download CSV")).to_have_count(0)


def test_export_is_cancelled_by_the_keyboard_and_its_page_says_so(page, sign_in, marketer, segment):
    job = ordered(segment, marketer)
    sign_in(marketer)
    page.goto(page_of("change", job.pk))
    page.get_by_role("link", name="Cancel export").press("Enter")
    page.get_by_role("button", name="Cancel export").press("Enter")
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()
    expect(page.get_by_text("nothing of its file was kept")).to_be_visible()


@pytest.mark.parametrize(("language", "scheme"), [("fr", "light"), ("de", "dark")])
@pytest.mark.looks
def test_pages_of_exports_are_accessible_and_fit(
    language, scheme, page, sign_in, speak, marketer, segment, axe_clean, no_overflow
):
    long = segment_of([], name="A_name_without_any_break_" * 4)
    done, expired, waiting = (
        run(ordered(segment, marketer)),
        run(ordered(segment, marketer)),
        ordered(long, marketer),
    )
    exports.remove(job=expired)
    SegmentExport.objects.filter(pk=done.pk).update(expires_at=timezone.now() + timedelta(days=7))
    addresses = [LIST, page_of("new", long.pk), page_of("end", waiting.pk), page_of("end", done.pk)]
    addresses += [page_of("change", job.pk) for job in (done, expired, waiting)]
    sign_in(marketer)
    speak(language)
    page.emulate_media(color_scheme=scheme)
    for address in addresses:
        assert page.goto(address).status == 200
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            axe_clean(page)
            no_overflow(page)
            assert page.evaluate(CLIPPED) == []
