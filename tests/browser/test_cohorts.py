"""Cohorts and the import history as a marketer walks through them, with what partners really send: too much of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect
from pyroaring import BitMap

from cohorts.models import CohortSync
from profiles import bitmaps
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fitting import CLIPPED
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, change_members
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

COHORTS = reverse("admin:cohorts_cohort_changelist")
HISTORY = reverse("admin:cohorts_cohortsync_changelist")
VARIANTS = [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]
UNBROKEN = "everyone_who_bought_" * 12
COUNTS = {
    "received_count": 12_345_678,
    "matched_count": 11_111_111,
    "unknown_count": 1_000_000,
    "identified_count": 200_000,
    "invalid_count": 34_567,
}


@pytest.fixture
def cohort(live_server, workspace):
    """A cohort whose name and syncs are as long as they get."""
    cohort = CohortFactory.create(
        name=UNBROKEN,
        description=f"Bought twice. {UNBROKEN}",
        partner_cohort_id="9" * 255,
        last_sync_at=timezone.now() - timedelta(minutes=4),
        members=ProfileFactory.create_batch(3),
    )
    reasons = ["unknown", "identified_use_external_id", "invalid"]
    sample = [{"identifier": UNBROKEN, "reason": reason} for reason in reasons]
    seen = bitmaps.pack(BitMap(range(1, 400, 3)))
    CohortSyncFactory.create(
        cohort=cohort, unfinished=True, pages=seen, session_id=UNBROKEN, last_error=UNBROKEN, **COUNTS
    )
    CohortSyncFactory.create(cohort=cohort, unmatched_sample=sample, entered_count=9_876_543, **COUNTS)
    return cohort


def addresses(cohort):
    syncs = [reverse("admin:cohorts_cohortsync_change", args=[sync.pk]) for sync in cohort.syncs.all()]
    return [COHORTS, reverse("admin:cohorts_cohort_change", args=[cohort.pk]), HISTORY, *syncs]


@pytest.mark.parametrize(("scheme", "size"), VARIANTS)
@pytest.mark.looks
def test_whatever_partners_send_fits_and_is_readable(
    scheme, size, page, sign_in, marketer, cohort, axe_clean, no_overflow, subtests
):
    sign_in(marketer)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    for address in addresses(cohort):
        with subtests.test(address):
            page.goto(address)
            axe_clean(page)
            no_overflow(page)
            assert page.evaluate(CLIPPED) == []


@pytest.mark.parametrize("address", [COHORTS, HISTORY, f"{COHORTS}?q=nothing", f"{HISTORY}?q=nothing"])
def test_empty_lists_are_accessible_and_fit(address, page, sign_in, administrator, axe_clean, no_overflow):
    sign_in(administrator)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.goto(address)
        axe_clean(page)
        no_overflow(page)
        assert page.evaluate(CLIPPED) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_marketer_walks_from_the_list_to_a_sync_and_back(page, size, sign_in, marketer, live_server):
    cohort = CohortFactory.create(name="Lapsed", members=ProfileFactory.create_batch(3))
    sign_in(marketer)
    page.set_viewport_size(size)
    page.goto(COHORTS)
    page.get_by_role("link", name="Lapsed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lapsed")
    expect(page.locator("#cohort-size")).to_have_text("3")
    page.get_by_role("link", name="Add members").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lapsed · Add members")
    page.get_by_role("main").get_by_role("link", name="Lapsed").click()
    page.wait_for_url(f"**{reverse('admin:cohorts_cohort_change', args=[cohort.pk])}")


def test_history_of_one_cohort_is_one_click_from_its_page(page, sign_in, marketer, cohort):
    CohortSyncFactory.create(cohort=CohortFactory.create(name="Another"))
    sign_in(marketer)
    page.goto(reverse("admin:cohorts_cohort_change", args=[cohort.pk]))
    page.get_by_role("link", name="All in the import history").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(cohort.syncs.count())
    expect(page.get_by_text("Another")).to_have_count(0)


def test_cohorts_of_one_partner_are_filtered_by_keyboard(page, sign_in, marketer, live_server):
    CohortFactory.create(name="Lapsed")
    CohortFactory.create(name="Readers", partner="segment")
    sign_in(marketer)
    page.goto(COHORTS)
    page.get_by_role("button", name="Filters").press("Enter")
    filters = page.locator("#changelist-filter")
    expect(filters.get_by_role("link").first).to_be_focused()
    filters.get_by_role("button", name="Close filters").press("Enter")
    expect(filters).to_be_hidden()
    expect(page.get_by_role("button", name="Filters", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    # Only then the next key is pressed where one looks.
    expect(filters.get_by_role("link").first).to_be_focused()
    filters.get_by_role("link", name="Segment").press("Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Readers")).to_be_visible()


# --- delete and restore ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_administrator_deletes_a_cohort_once_no_segment_uses_it_and_restores_it(
    scheme, size, page, sign_in, administrator, live_server, axe_clean, no_overflow, complaints
):
    cohort = CohortFactory.create(name="Lapsed", members=ProfileFactory.create_batch(3))
    segment = SegmentFactory.create(name="Win back", definition=definition(cohorts(cohort.pk)))
    sign_in(administrator)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.goto(reverse("admin:cohorts_cohort_change", args=[cohort.pk]))
    page.get_by_role("link", name="Delete cohort").click()
    expect(page.get_by_text("“Lapsed” is in use and cannot be deleted.")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Win back")).to_be_visible()
    axe_clean(page)
    segment.delete()
    page.reload()
    axe_clean(page)
    no_overflow(page)
    page.get_by_role("link", name="Keep the cohort").click()
    page.get_by_role("link", name="Delete cohort").click()
    page.get_by_role("button", name="Delete cohort").click()
    expect(page.get_by_text("“Lapsed” is deleted. Its syncs are refused now.")).to_be_visible()
    page.get_by_role("link", name="Show deleted cohorts").click()
    page.get_by_role("link", name="Lapsed").click()
    expect(page.get_by_text("This cohort is deleted")).to_be_visible()
    axe_clean(page)
    no_overflow(page)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("“Lapsed” is back, and its syncs are taken again.")).to_be_visible()
    page.goto(COHORTS)
    expect(page.get_by_role("link", name="Lapsed")).to_be_visible()
    assert complaints == []


# --- what a cohort's page tells -----------------------------------------------------------------------------------
def test_unmatched_members_are_downloaded(page, sign_in, marketer, cohort):
    sign_in(marketer)
    page.goto(reverse("admin:cohorts_cohort_change", args=[cohort.pk]))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    latest = cohort.syncs.latest("pk")
    assert download.value.suggested_filename == f"sync-{latest.pk}-unmatched.csv"
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "identifier,reason,explanation"
    assert len(lines) == 1 + len(latest.unmatched_sample)


@pytest.mark.parametrize("place", ["cohort", "sync"])
def test_pages_that_come_in_are_shown_until_the_sync_is_complete(page, sign_in, marketer, live_server, place):
    now = timezone.now()
    sync = CohortSyncFactory.create(unfinished=True, total_pages=4, pages_count=1, started_at=now)
    CohortSync.objects.filter(pk=sync.pk).update(pages=bitmaps.pack(BitMap([1])))
    sign_in(marketer)
    page.goto(
        reverse("admin:cohorts_cohort_change", args=[sync.cohort_id])
        if place == "cohort"
        else reverse("admin:cohorts_cohortsync_change", args=[sync.pk])
    )
    main = page.get_by_role("main")
    expect(main.get_by_role("progressbar")).to_have_attribute("value", "25")
    seen = bitmaps.pack(BitMap([1, 2, 3]))
    CohortSync.objects.filter(pk=sync.pk).update(pages=seen, pages_count=3, last_page_at=timezone.now())
    expect(main.get_by_role("progressbar")).to_have_attribute("value", "75")
    CohortSync.objects.filter(pk=sync.pk).update(status="complete", pages_count=4, finished_at=timezone.now())
    expect(main.get_by_text("4 of 4")).to_be_visible()
    expect(main.get_by_role("progressbar")).to_have_count(0)


def test_days_of_the_charts_are_chosen_by_keyboard_and_read_as_a_table(page, sign_in, marketer, live_server):
    long_ago = timezone.now() - timedelta(days=60)
    cohort = CohortFactory.create(created_at=long_ago)
    change_members(cohort, ProfileFactory.create_batch(3), now=long_ago)
    sign_in(marketer)
    page.goto(reverse("admin:cohorts_cohort_change", args=[cohort.pk]))
    tables = page.get_by_text("Show the days as a table")
    tables.first.press("Enter")
    expect(page.locator("table.rc-days").first.locator("tbody tr")).to_have_count(61)
    page.get_by_role("link", name="30 days").press("Enter")
    expect(page.get_by_text("Nobody entered or left in these days.")).to_be_visible()
    tables.first.press("Enter")
    expect(page.locator("table.rc-days").first.locator("tbody tr")).to_have_count(30)
