"""Around a segment: what uses it keeps it, a copy is opened, a version comes back, and two who edit notice each other."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from segments import saving
from segments.models import Segment, SegmentSize
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fitting import CLIPPED
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.admin_pages import LIST, address
from tests.segments.definitions import cohorts, definition, group, members_of
from tests.segments.factories import SegmentFactory

BOTH_THEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def lapsed(live_server, workspace):
    return CohortFactory(name="Lapsed subscribers", members=ProfileFactory.create_batch(6))


@pytest.fixture
def segment(lapsed, workspace, marketer, administrator):
    """A segment of two versions, with sizes of some days."""
    now = timezone.now()
    valuable = CohortFactory(name="Valuable customers of all our shops in France and Germany")
    made = Segment(
        workspace=workspace,
        name="Win back",
        description="For the spring campaign",
        definition=definition(cohorts(lapsed.pk)),
    )
    saving.save(segment=made, tags=["crm"], by=marketer, now=now - timedelta(days=3))
    made.definition = definition(cohorts(lapsed.pk), group(cohorts(valuable.pk), exclude=True))
    saving.save(segment=made, tags=["crm", "weekly"], by=administrator, now=now - timedelta(hours=2))
    SegmentSize.objects.all().delete()
    for ago, total in enumerate((1_240, 1_235, 1_100, 1_180, 900)):
        moment = now - timedelta(days=ago)
        counts = {"total_count": total, "email_count": total // 2, "push_count": total // 3}
        SegmentSize.objects.create(segment=made, day=moment.date(), measured_at=moment, **counts)
    return made


@pytest.fixture
def opened(page, sign_in, marketer, segment):
    """The page of the segment, counted."""
    sign_in(marketer)
    page.goto(address(segment))
    expect(page.locator(".sb-summary")).to_have_attribute("data-state", "exact")
    return page


def test_what_is_used_is_not_archived_until_nothing_uses_it(opened, segment, axe_clean):
    user = SegmentFactory.create(name="Spring campaign", definition=members_of(segment.pk))
    opened.get_by_role("link", name="Archive", exact=True).click()
    expect(opened.get_by_role("heading", name="“Win back” is in use and cannot be archived.")).to_be_visible()
    expect(opened.get_by_role("link", name="Spring campaign")).to_have_attribute("href", address(user))
    expect(opened.get_by_role("button", name="Archive segment")).to_have_count(0)
    axe_clean(opened)
    saving.delete(segment=user)
    opened.get_by_role("link", name="Back to the segment").click()
    opened.get_by_role("link", name="Archive", exact=True).click()
    axe_clean(opened)
    opened.get_by_role("button", name="Archive segment").click()
    expect(opened.get_by_text("“Win back” is archived now.")).to_be_visible()
    axe_clean(opened)
    opened.goto(LIST)
    expect(opened.get_by_role("heading", name="All segments are archived")).to_be_visible()
    opened.get_by_role("link", name="Show archived segments").click()
    opened.get_by_role("link", name="Win back").click()
    opened.get_by_role("button", name="Unarchive").click()
    expect(opened.get_by_text("“Win back” is in use again.")).to_be_visible()


def test_a_deletion_asks_and_says_what_is_lost(opened, axe_clean):
    opened.get_by_role("link", name="Delete", exact=True).click()
    expect(opened.get_by_role("heading", name="Delete “Win back” for ever?")).to_be_visible()
    axe_clean(opened)
    opened.get_by_role("link", name="Cancel").click()
    opened.get_by_role("link", name="Delete", exact=True).click()
    opened.get_by_role("button", name="Delete segment").click()
    expect(opened.get_by_text("“Win back” was deleted.")).to_be_visible()
    assert not Segment.objects.exists()


def test_a_copy_is_opened(opened):
    opened.get_by_role("button", name="Duplicate").click()
    expect(opened.get_by_text("This is the copy of “Win back”.")).to_be_visible()
    expect(opened.get_by_label("Name")).to_have_value("Win back (copy)")
    expect(opened.get_by_label("Tags")).to_have_value("crm, weekly")
    assert Segment.objects.get(name="Win back (copy)").versions.count() == 1


def test_a_version_is_compared_and_restored_by_keyboard(opened, segment, axe_clean):
    opened.get_by_role("link", name="Compare version 1 with the current one").press("Enter")
    expect(opened.get_by_role("heading", name="Version 1 and the current version 2")).to_be_visible()
    expect(opened.locator(".sp-new")).to_have_count(2)
    axe_clean(opened)
    opened.get_by_role("link", name="Restore version 1").press("Enter")
    expect(opened.get_by_role("heading", name="Restore version 1?")).to_be_visible()
    axe_clean(opened)
    opened.get_by_role("button", name="Restore version").press("Enter")
    expect(opened.get_by_text("This is version 3.")).to_be_visible()
    expect(opened.locator(".sp-versions > li").first).to_contain_text("Version 3 Current")
    assert segment.versions.count() == 3


def test_whoever_is_overtaken_sees_it_and_decides(opened, segment, administrator, axe_clean):
    saving.save(segment=Segment.objects.get(), tags=[], by=administrator, now=timezone.now())
    opened.get_by_label("Name").fill("Mine")
    opened.get_by_role("button", name="Save", exact=True).click()
    expect(opened.get_by_role("alert")).to_contain_text("Not saved: administrator saved this segment")
    expect(opened.get_by_label("Name")).to_have_value("Mine")
    axe_clean(opened)
    opened.get_by_role("button", name="Save over it").click()
    opened.wait_for_url(f"**{LIST}")
    assert Segment.objects.get().name == "Mine"


def test_the_chart_is_a_table_too(opened):
    days = opened.locator(".rc-days")
    expect(days).to_be_hidden()
    opened.get_by_text("Show the days as a table").press("Enter")
    expect(days.get_by_role("row")).to_have_count(6)
    expect(days.get_by_role("row").nth(1)).to_contain_text(re.compile("1,240.*620.*413"))


def test_the_list_is_sorted_by_size_and_filtered(page, sign_in, marketer, segment, lapsed, axe_clean):
    SegmentFactory.create(name="Everybody who lapsed", definition=definition(cohorts(lapsed.pk)))
    SegmentFactory.create(name="Nobody", definition=definition(cohorts(CohortFactory().pk)))
    sign_in(marketer)
    page.goto(LIST)
    page.get_by_role("columnheader", name="Size").get_by_role("link").first.click()
    expect(page.locator(".sl-title .rc-link").first).to_have_text("Nobody")
    axe_clean(page)
    page.get_by_role("button", name="Filters").click()
    page.locator("#changelist-filter").get_by_role("link", name="crm").click()
    expect(page.locator(".sl-title .rc-link")).to_have_text(["Win back"])


@BOTH_THEMES
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.looks
def test_pages_are_whole_on_every_screen(
    page, sign_in, speak, marketer, segment, scheme, language, axe_clean, no_overflow
):
    SegmentFactory.create(
        name="A campaign with quite a long name for a phone", definition=members_of(segment.pk)
    )
    sign_in(marketer)
    speak(language)
    page.emulate_media(color_scheme=scheme)
    for url in (LIST, address(segment), address(segment, "version", 1), address(segment, "archive")):
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            page.goto(url)
            page.wait_for_load_state("networkidle")
            no_overflow(page)
            axe_clean(page)
            clipped = page.evaluate(CLIPPED)
            assert [it for it in clipped if ".sb-" not in it and "sl-" not in it] == []
