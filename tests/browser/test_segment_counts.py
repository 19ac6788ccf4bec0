"""What is known of a draft: counts that are never stale, who is in it, and why somebody is or is not."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect

from segments import audience


@pytest.fixture
def slow(monkeypatch):
    """Let counts stop at 40% until the event is set."""
    goes_on, counting = threading.Event(), audience.counting

    def slowly(*, question):
        yield 0.4
        assert goes_on.wait(20)
        return (yield from counting(question=question))

    monkeypatch.setattr(audience, "counting", slowly)
    yield goes_on
    goes_on.set()


def two_cohorts(builder):
    for name in ("Lapsed", "Valuable"):
        builder.add_filter("Mixpanel")
        builder.choose(name)


def test_each_filter_says_its_own_count_and_what_is_left(builder):
    two_cohorts(builder)
    builder.is_counted("2")
    builder.counts("1", "6", left="6")
    builder.counts("2", "4", left="2")
    builder.page.get_by_role("radio", name="OR").click()
    builder.is_counted("8")
    builder.counts("2", "4")


def test_channels_and_their_shares_are_shown(builder):
    two_cohorts(builder)
    builder.is_counted("2")
    expect(builder.page.locator(".sb-channels > li")).to_have_text(["Email2100%", "Push00%"])


def test_counts_are_said_to_screen_readers(builder):
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    expect(builder.said).to_have_text("6 users in this segment, 75%")


def test_a_slow_count_shows_how_far_it_is_and_can_be_stopped(builder, slow, axe_clean):
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    expect(builder.page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    expect(builder.page.locator(".sb-state")).to_have_text("Counting… 40%")
    expect(builder.page.locator("segment-builder")).to_have_class("sb-ready sb-stale")
    axe_clean(builder.page)
    builder.button("Stop").click()
    builder.is_in_state("stopped")
    expect(builder.page.locator("segment-builder")).to_have_class("sb-ready sb-stale")
    expect(builder.button("Count again")).to_be_focused()
    axe_clean(builder.page)
    slow.set()
    builder.button("Count again").click()
    builder.is_counted("6")
    expect(builder.page.locator("segment-builder")).to_have_class("sb-ready")


def test_an_answer_to_an_older_draft_is_never_shown(builder, slow):
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    expect(builder.page.get_by_role("progressbar")).to_be_visible()
    builder.button("Remove Filter 1").click()
    builder.add_filter("Mixpanel")
    builder.choose("Valuable")
    slow.set()
    builder.is_counted("4")
    builder.page.wait_for_timeout(300)
    expect(builder.total).to_have_text("4")


def test_a_count_that_fails_never_shows_a_wrong_number(builder, complaints):
    builder.page.route("**/counts/", lambda route: route.fulfill(status=500, body="no"))
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    builder.is_in_state("failed")
    builder.page.unroute("**/counts/")
    builder.button("Count again").click()
    builder.is_counted("6")
    complaints.clear()


def test_a_count_that_breaks_off_has_failed(builder):
    builder.page.route("**/counts/", lambda route: route.fulfill(status=200, body='{"progress": 0.5}\n'))
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    builder.is_in_state("failed")


def test_who_is_in_it_is_shown_until_the_filters_change(builder, people):
    builder.add_filter("Mixpanel")
    builder.choose("Valuable")
    builder.is_counted("4")
    builder.button("Show users").click()
    shown = builder.page.locator(".sb-people").get_by_role("link")
    expect(shown).to_have_count(4)
    expect(shown.first).to_have_attribute("href", f"/admin/profiles/profile/{people[4].pk}/change/")
    builder.button("Remove Filter 1").click()
    expect(shown).to_have_count(0)
    expect(builder.page.get_by_text("The filters have changed since. Look again.")).to_be_visible()


def test_why_a_user_is_not_in_it_is_said_filter_by_filter(builder, people, axe_clean):
    two_cohorts(builder)
    builder.page.get_by_label("External ID, email").fill(people[0].email)
    builder.page.keyboard.press("Enter")
    expect(builder.page.locator(".sb-answer")).to_contain_text("is not in this segment")
    expect(builder.page.locator(".sb-verdicts > li")).to_have_count(2)
    expect(builder.filter("1").locator(".sb-verdict")).to_have_text(
        "check_circleMatchesin “Lapsed subscribers”"
    )
    expect(builder.filter("2").locator(".sb-verdict")).to_contain_text("Does not match")
    axe_clean(builder.page)
    builder.ask("2", "does not include")
    expect(builder.filter("1").locator(".sb-verdict")).to_be_hidden()
    expect(builder.page.get_by_text("The filters have changed since. Check again.")).to_be_visible()


def test_of_several_users_one_at_a_time_is_explained(builder, people):
    people[0].__class__.objects.filter(pk=people[7].pk).update(email=people[0].email)
    builder.add_filter("Mixpanel")
    builder.choose("Lapsed")
    builder.page.get_by_label("External ID, email").fill(people[0].email)
    builder.button("Check").click()
    expect(builder.page.locator(".sb-answer")).to_have_count(2)
    expect(builder.filter("1").locator(".sb-verdict")).to_contain_text("Matches")
    builder.button("Show at the filters").last.click()
    expect(builder.filter("1").locator(".sb-verdict")).to_contain_text("Does not match")


def test_nobody_of_an_identifier_is_said(builder):
    builder.page.get_by_label("External ID, email").fill("nobody at all")
    builder.button("Check").click()
    card = builder.page.get_by_role("region", name="Is this user in it?")
    expect(card.get_by_text("No user has this")).to_be_visible()
