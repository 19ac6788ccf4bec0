"""The same ways walked otherwise: without a mouse, and in German."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts import integrations
from tests.api.clients import Mixpanel
from tests.browser.building import Builder
from tests.browser.conftest import PHONE
from tests.browser.fitting import CLIPPED
from tests.profiles.factories import make_people

OVERVIEW = reverse("admin:index")
SEPARATORS = {"de": r"\.", "fr": r"\s"}  # of thousands
MIXPANEL = reverse("admin:technology_partner", args=["mixpanel"])


class Keyboard:
    """Somebody who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go_to(self, name: str) -> None:
        """Skip what is on every page, and walk by Tab to what is called so."""
        self.page.keyboard.press("Tab")
        expect(self.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        self.page.keyboard.press("Enter")
        self.walk_to(name)

    def walk_to(self, name: str) -> None:
        """Walk on by Tab."""
        Builder(self.page).tab_to(name)

    def press(self, key: str = "Enter", *, and_read: str) -> None:
        """Press a key where one is, and wait for what is then said."""
        self.page.keyboard.press(key)
        expect(self.page.get_by_role("main").get_by_text(and_read).first).to_be_visible()


def test_partner_is_connected_set_and_switched_without_a_mouse(
    page, sign_in, administrator, workspace, dialled
):
    make_people(workspace, ["ann"])
    sign_in(administrator)
    page.goto(OVERVIEW)
    hands = Keyboard(page)
    hands.go_to("Generate key")
    hands.press(and_read="No valid key yet.")
    hands.go_to("Generate key")
    hands.press(and_read="Copy it now")
    expect(page.locator("#new-key")).to_be_focused()
    hands.walk_to("Copy the data import key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied")
    mixpanel = dialled(Mixpanel(page.evaluate("navigator.clipboard.readText()")))
    assert mixpanel.add("ann", "new").status_code == 200

    page.goto(MIXPANEL)
    hands.go_to("Settings")
    hands.press(and_read="Hold unmatched members")
    hands.go_to("Hold unmatched members")
    page.keyboard.press("Space")
    hands.walk_to("Save settings")
    hands.press(and_read="The settings are saved.")  # and one is still behind what is on every page
    assert integrations.find(workspace=workspace, partner="mixpanel").holds_unmatched
    hands.walk_to("Switch off")
    hands.press(and_read="Switch off Mixpanel?")
    hands.go_to("Switch off")
    hands.press(and_read="Mixpanel is switched off.")
    assert mixpanel.add("ann").status_code == 503
    hands.walk_to("Switch on")
    hands.press(and_read="Mixpanel is switched on.")
    assert mixpanel.add("ann").status_code == 200


@pytest.mark.parametrize("language", ["de", "fr"])
def test_partner_is_connected_on_a_phone_in_another_language(
    language, page, sign_in, speak, administrator, workspace, dialled, axe_clean, no_overflow
):
    """By the pages' structure, not by their words: those are the translators'."""

    def fits() -> None:
        expect(page.locator("html")).to_have_attribute("lang", language)
        axe_clean(page)
        no_overflow(page)
        assert page.evaluate(CLIPPED) == []

    people = make_people(workspace, [f"user-{number}" for number in range(600)])
    sign_in(administrator)
    speak(language)
    page.set_viewport_size(PHONE)
    page.goto(OVERVIEW)
    page.locator("li[data-state=next] a").click()
    page.wait_for_url(f"**{MIXPANEL}")
    page.locator("form[action$='/keys/'] button").click()
    fits()
    page.locator("[data-copy=secret]").click()
    expect(page.get_by_role("status")).not_to_be_empty()
    mixpanel = dialled(Mixpanel(page.locator("#secret").inner_text()))
    mixpanel.replace(list(people), ["="] * 600, mixpanel_cohort_name="Lapsed")

    page.goto(MIXPANEL)
    done = page.locator("ol > li[data-state=done]")
    expect(done).to_have_count(3)
    fits()
    done.last.locator("a").click()
    page.get_by_role("link", name="Lapsed").click()
    expect(page.locator("#cohort-size")).to_have_text("600")
    fits()
    page.get_by_role("region").locator("tbody th a").first.click()
    received = page.locator(".rc-figure dd").first
    expect(received).to_have_text(re.compile(f"^1{SEPARATORS[language]}200$"))
    fits()
    page.goto(OVERVIEW)
    expect(page.locator(".rc-figure").first).to_contain_text("600")
    fits()
