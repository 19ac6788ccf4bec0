"""The marketer's journey: from a cohort to a saved segment, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from segments.models import Segment
from tests.browser.conftest import PHONE
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition, group
from tests.segments.factories import SegmentFactory

ADD = "/admin/segments/segment/add/"


@pytest.fixture
def people(live_server, workspace):
    return ProfileFactory.create_batch(8)


@pytest.fixture
def lapsed(people):
    return CohortFactory(name="Lapsed subscribers", members=people[:6])


@pytest.fixture
def valuable(people):
    return CohortFactory(name="Valuable customers", members=people[4:])


@pytest.fixture
def builder(page, sign_in, marketer, lapsed, valuable):
    """The page of a new segment."""
    sign_in(marketer)
    page.goto(ADD)
    expect(page.locator(".sb-summary")).to_have_attribute("data-state", "exact")
    return page


def total_of(page):
    return page.locator(".sb-total")


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/segments/segment/")


def test_the_documents_segment_by_mouse(builder, lapsed, axe_clean):
    builder.get_by_label("Name").fill("Win back")
    builder.get_by_role("button", name="Add filter").click()
    expect(builder.get_by_role("listbox").get_by_role("option")).to_have_count(2)
    axe_clean(builder)
    builder.get_by_role("option", name="Lapsed subscribers").click()
    expect(total_of(builder)).to_have_text("6")
    expect(builder.locator(".sb-share")).to_have_text("75% of all 8 users")
    expect(builder.locator(".sb-sentence")).to_have_text("Mixpanel_Cohorts includes “Lapsed subscribers”")
    builder.keyboard.press("Escape")
    save(builder)
    assert Segment.objects.get(name="Win back").definition == definition(cohorts(lapsed.pk))
    expect(builder.get_by_role("row", name=re.compile("Win back"))).to_contain_text("6")


def test_the_documents_segment_by_keyboard_alone(builder, lapsed):
    builder.get_by_label("Name").focus()
    builder.keyboard.type("Win back")
    _tab_to(builder, "Add filter")
    builder.keyboard.press("Enter")
    builder.keyboard.type("lapsed")
    expect(builder.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    builder.keyboard.press("Enter")
    expect(total_of(builder)).to_have_text("6")
    builder.keyboard.press("Escape")
    _tab_to(builder, "Save")
    builder.keyboard.press("Enter")
    builder.wait_for_url("**/admin/segments/segment/")
    assert Segment.objects.get(name="Win back").definition == definition(cohorts(lapsed.pk))


def _tab_to(page, name):
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()").endswith(name):
            return
    raise AssertionError(f"no Tab leads to “{name}”")


def test_groups_nest_and_may_be_excluded(builder, lapsed, valuable, axe_clean):
    builder.get_by_label("Name").fill("Lost but not valuable")
    builder.get_by_role("button", name="Add filter").click()
    builder.get_by_role("option", name="Lapsed").click()
    builder.keyboard.press("Escape")
    builder.get_by_role("button", name="Add group").click()
    builder.get_by_label("Group 2").get_by_role("button", name="Add filter").click()
    builder.get_by_role("option", name="Valuable").click()
    builder.keyboard.press("Escape")
    builder.get_by_label("Exclude this group").check()
    expect(total_of(builder)).to_have_text("4")
    axe_clean(builder)
    save(builder)
    excluded = group(cohorts(valuable.pk), operator="or", exclude=True)
    assert Segment.objects.get().definition == definition(cohorts(lapsed.pk), excluded)


def test_a_filter_counts_by_itself_and_can_be_removed(builder):
    for name in ("Lapsed", "Valuable"):
        builder.get_by_role("button", name="Add filter").click()
        builder.get_by_role("option", name=name).click()
        builder.keyboard.press("Escape")
    expect(total_of(builder)).to_have_text("2")
    expect(builder.get_by_label("Filter 2", exact=True).locator(".sb-count")).to_have_text("4")
    builder.get_by_role("button", name="Remove filter 1").click()
    expect(total_of(builder)).to_have_text("4")
    expect(builder.get_by_role("button", name="Remove filter 1")).to_be_focused()


def test_counts_are_said_to_screen_readers(builder):
    builder.get_by_role("button", name="Add filter").click()
    builder.get_by_role("option", name="Lapsed").click()
    expect(builder.locator(".sb-summary [aria-live=polite]")).to_have_text("6 users in this segment, 75%")


def test_a_fault_stands_at_its_filter(page, sign_in, marketer, lapsed, axe_clean, complaints):
    broken = SegmentFactory.create(name="Lost", definition=definition(cohorts(lapsed.pk), cohorts(98_765)))
    sign_in(marketer)
    page.goto(f"/admin/segments/segment/{broken.pk}/change/")
    filter_at_fault = page.get_by_label("Filter 2", exact=True)
    expect(filter_at_fault.locator(".sb-fault")).to_contain_text("does not exist any more")
    expect(total_of(page)).to_have_text("–")
    axe_clean(page)
    complaints.clear()  # the count was refused with 422, which Chromium logs


def test_an_empty_segment_is_refused_and_said_to_select_nobody(builder):
    builder.get_by_label("Name").fill("Everyone?")
    expect(builder.locator(".sb-state")).to_contain_text("selects nobody")
    builder.get_by_role("button", name="Save", exact=True).click()
    expect(builder.locator(".sb-root > .sb-fault")).to_be_visible()
    assert not Segment.objects.exists()


def test_leaving_with_unsaved_changes_asks(builder):
    builder.get_by_label("Name").fill("Unsaved")
    asked = []
    builder.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    builder.goto("/admin/segments/segment/")
    assert asked == ["beforeunload"]


def test_a_count_that_fails_never_shows_a_wrong_number(builder, complaints):
    builder.route("**/counts/", lambda route: route.fulfill(status=500, body="no"))
    builder.get_by_role("button", name="Add filter").click()
    builder.get_by_role("option", name="Lapsed").click()
    expect(builder.locator(".sb-summary")).to_have_attribute("data-state", "failed")
    builder.unroute("**/counts/")
    builder.keyboard.press("Escape")
    builder.get_by_role("button", name="Count again").click()
    expect(total_of(builder)).to_have_text("6")
    complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_and_builder_fit_a_phone(
    page, sign_in, marketer, lapsed, valuable, scheme, axe_clean, no_overflow
):
    nested = definition(cohorts(lapsed.pk, valuable.pk), group(cohorts(valuable.pk), exclude=True))
    segment = SegmentFactory.create(name="A segment with quite a long name for a phone", definition=nested)
    sign_in(marketer)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    for address in ("/admin/segments/segment/", f"/admin/segments/segment/{segment.pk}/change/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        no_overflow(page)
        axe_clean(page)


def test_the_count_stays_in_sight_while_a_phone_scrolls(page, sign_in, marketer, lapsed):
    segment = SegmentFactory.create(definition=definition(*[cohorts(lapsed.pk)] * 6))
    sign_in(marketer)
    page.set_viewport_size(PHONE)
    page.goto(f"/admin/segments/segment/{segment.pk}/change/")
    page.get_by_label("Filter 6", exact=True).get_by_label("Operator").scroll_into_view_if_needed()
    expect(total_of(page)).to_be_in_viewport()


def test_without_javascript_the_filters_are_readable(new_context, live_server, client_of, marketer, lapsed):
    segment = SegmentFactory.create(name="Plain", definition=definition(cohorts(lapsed.pk)))
    session = client_of(marketer).cookies["sessionid"].value
    plain = new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = plain.new_page()
    page.goto(f"/admin/segments/segment/{segment.pk}/change/")
    assert "Mixpanel_Cohorts includes “Lapsed subscribers”" in page.content()
