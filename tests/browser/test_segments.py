"""The marketer's journey: from a cohort to a saved segment, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from segments.models import Segment
from tests.browser.building import LIST, Builder
from tests.browser.conftest import PHONE
from tests.segments.definitions import cohorts, definition, group, leaf
from tests.segments.factories import SegmentFactory


@pytest.fixture
def opened(page, sign_in, marketer):
    """A function that opens a saved segment of some filters."""

    def open_one(*children, name="Saved"):
        segment = SegmentFactory.create(name=name, definition=definition(*children))
        sign_in(marketer)
        page.goto(f"/admin/segments/segment/{segment.pk}/change/")
        return Builder(page)

    return open_one


def test_the_documents_segment_by_mouse(builder, lapsed, axe_clean):
    builder.name_it("Win back")
    builder.button("Add filter").click()
    axe_clean(builder.page)
    builder.page.get_by_role("option", name="Mixpanel_Cohorts").click()
    expect(builder.page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
    axe_clean(builder.page)
    builder.choose("Lapsed subscribers")
    builder.is_counted("6")
    expect(builder.page.locator(".sb-share")).to_have_text("75% of all 8 users")
    expect(builder.page.locator(".sb-sentence")).to_have_text(
        "Mixpanel_Cohorts includes “Lapsed subscribers”"
    )
    builder.save()
    assert Segment.objects.get(name="Win back").definition == definition(cohorts(lapsed.pk))
    expect(builder.page.get_by_role("row", name=re.compile("Win back"))).to_contain_text("6")


def test_the_documents_segment_by_keyboard_alone(builder, lapsed):
    keyboard = builder.page.keyboard
    builder.page.get_by_label("Name").focus()
    keyboard.type("Win back")
    builder.tab_to("Add filter")
    keyboard.press("Enter")
    keyboard.type("mixpanel")
    keyboard.press("Enter")
    keyboard.type("lapsed")
    expect(builder.page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    keyboard.press("Enter")
    builder.is_counted("6")
    keyboard.press("Escape")
    builder.tab_to("Save")
    keyboard.press("Enter")
    builder.page.wait_for_url(f"**{LIST}")
    assert Segment.objects.get(name="Win back").definition == definition(cohorts(lapsed.pk))


def test_groups_nest_and_may_be_excluded(builder, lapsed, valuable, axe_clean):
    builder.name_it("Lost but not valuable")
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    builder.button("Add group").click()
    builder.add_filter("Mixpanel", within=builder.group("2"))
    builder.choose("Valuable")
    builder.page.get_by_label("Exclude this group").check()
    builder.is_counted("4")
    axe_clean(builder.page)
    builder.save()
    excluded = group(cohorts(valuable.pk), operator="or", exclude=True)
    assert Segment.objects.get().definition == definition(cohorts(lapsed.pk), excluded)


def test_filters_of_every_widget_are_saved_as_they_were_built(builder):
    builder.name_it("All sorts")
    builder.add_filter("Email")
    builder.ask("1", "ends with")
    builder.filter("1").get_by_label("Value").fill("@people.example")
    builder.add_filter("Age")
    builder.ask("2", "is between")
    builder.filter("2").get_by_label("From", exact=True).fill("18")
    builder.filter("2").get_by_label("To", exact=True).fill("30")
    builder.add_filter("Created at")
    builder.ask("3", "is after")
    builder.filter("3").get_by_label("Date").fill("2026-01-31")
    builder.add_filter("Push token")
    builder.add_filter("External ID")
    builder.ask("5", "is one of")
    for external_id in ("u-1", "u-2"):
        builder.values_of("5").fill(external_id)
        builder.page.keyboard.press("Enter")
    builder.is_counted("0")
    builder.save()
    assert Segment.objects.get().definition["root"]["children"] == [
        leaf("email", "ends_with", "@people.example"),
        leaf("age", "between", [18, 30]),
        leaf("created_at", "after", "2026-01-31"),
        leaf("push_token", "has"),
        leaf("external_id", "is_one_of", ["u-1", "u-2"]),
    ]


def test_a_saved_segment_is_shown_as_it_was_built(opened, lapsed, people):
    builder = opened(
        cohorts(lapsed.pk),
        leaf("custom_attribute", "text_is_one_of", ["plus"], subject="plan"),
        leaf("cohort_moves", "entered_in_last_days", 30, subject=lapsed.pk),
    )
    builder.is_counted()
    expect(builder.filter("1").get_by_role("listitem")).to_have_text(re.compile("Lapsed subscribers"))
    expect(builder.values_of("2", "Attribute")).to_have_value("plan")
    expect(builder.filter("2").get_by_role("listitem")).to_have_text(re.compile("plus"))
    expect(builder.values_of("3", "Cohort")).to_have_value("Lapsed subscribers")
    expect(builder.filter("3").get_by_label("Number")).to_have_value("30")


def test_a_fault_stands_at_its_filter(opened, lapsed, axe_clean, complaints):
    builder = opened(cohorts(lapsed.pk), cohorts(98_765))
    expect(builder.filter("2").locator(".sb-fault")).to_contain_text("does not exist any more")
    expect(builder.values_of("2", "Cohorts")).to_have_attribute("aria-invalid", "true")
    expect(builder.total).to_have_text("–")
    axe_clean(builder.page)
    complaints.clear()  # the count was refused with 422, which Chromium logs


def test_what_is_left_blank_is_refused_at_its_field(builder):
    builder.name_it("Half done")
    builder.add_filter("Push token")
    builder.button("Add group").click()
    builder.add_filter("Age", within=builder.group("2"))
    builder.button("Save").click()
    expect(builder.filter("2.1").locator(".sb-fault")).to_be_visible()
    expect(builder.filter("2.1").get_by_label("Number")).to_be_focused()
    expect(builder.filter("1").locator(".sb-fault")).to_be_hidden()
    builder.filter("2.1").get_by_label("Number").fill("18")
    expect(builder.filter("2.1").locator(".sb-fault")).to_be_hidden()


def test_a_value_out_of_bounds_is_said_while_building(builder, complaints):
    builder.add_filter("Age")
    builder.filter("1").get_by_label("Number").fill("1000")
    builder.is_in_state("fault")
    expect(builder.filter("1").get_by_label("Number")).to_have_attribute("aria-invalid", "true")
    builder.filter("1").get_by_label("Number").fill("18")
    builder.is_counted("0")
    complaints.clear()  # the count was refused with 422, which Chromium logs


def test_an_empty_segment_is_refused_and_said_to_select_nobody(builder):
    builder.name_it("Everyone?")
    expect(builder.page.locator(".sb-state")).to_contain_text("selects nobody")
    builder.button("Save").click()
    expect(builder.page.locator(".sb-root > .sb-fault")).to_be_visible()
    assert not Segment.objects.exists()


def test_leaving_with_unsaved_changes_asks(builder):
    builder.name_it("Unsaved")
    asked = []
    builder.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    builder.page.goto(LIST)
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.looks
def test_list_and_builder_fit_a_phone(opened, lapsed, valuable, scheme, axe_clean, no_overflow):
    deep = group(group(group(cohorts(lapsed.pk), leaf("age", "between", [18, 30]))))
    saved = (
        cohorts(lapsed.pk, valuable.pk),
        leaf("custom_event", "last_in_last_days", 30, subject="Opened the newsletter of the week"),
        group(cohorts(valuable.pk), deep, exclude=True),
    )
    builder = opened(*saved, name="A segment with quite a long name for a phone")
    builder.page.set_viewport_size(PHONE)
    builder.page.emulate_media(color_scheme=scheme)
    for address in (LIST, builder.page.url):
        builder.page.goto(address)
        builder.page.wait_for_load_state("networkidle")
        no_overflow(builder.page)
        axe_clean(builder.page)


def test_the_count_stays_in_sight_while_a_phone_scrolls(opened, lapsed):
    builder = opened(*[cohorts(lapsed.pk)] * 6)
    builder.page.set_viewport_size(PHONE)
    builder.filter("6").get_by_label("Operator").scroll_into_view_if_needed()
    expect(builder.total).to_be_in_viewport()


def test_without_javascript_the_filters_are_readable(new_context, live_server, client_of, marketer, lapsed):
    segment = SegmentFactory.create(name="Plain", definition=definition(cohorts(lapsed.pk)))
    session = client_of(marketer).cookies["sessionid"].value
    plain = new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = plain.new_page()
    page.goto(f"/admin/segments/segment/{segment.pk}/change/")
    assert "Mixpanel_Cohorts includes “Lapsed subscribers”" in page.content()
