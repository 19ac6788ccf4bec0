"""Users: searched by an identifier or its beginning, and their pages with whatever was imported."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fitting import CLIPPED, COVERED
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.profiles.happenings import happen

USERS = reverse("admin:profiles_profile_changelist")
UNBROKEN = "user_of_everything_" * 13


@pytest.fixture
def ada(live_server, workspace):
    ProfileFactory.create_batch(2)
    return ProfileFactory.create(external_id="ada-1", devices=["phone-1"], aliases=[("crm", "42")])


def search(page, text):
    page.goto(USERS)
    page.locator("#searchbar").fill(text)
    page.locator("#searchbar").press("Enter")


@pytest.mark.parametrize("text", ["ada-1", "phone-1", "crm:42"])
def test_user_is_found_by_typing_an_identifier(page, sign_in, marketer, ada, text):
    sign_in(marketer)
    search(page, text)
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="ada-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ada-1")
    expect(page.get_by_text("Alias “crm”")).to_be_visible()


def test_those_whose_identifier_begins_so_are_below_the_exact_one(page, sign_in, marketer, ada):
    ProfileFactory.create(external_id="ada-10")
    sign_in(marketer)
    search(page, "ada-1")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("exact match")
    expect(rows.last).to_contain_text("ada-10")


def test_who_searches_for_a_middle_is_told_why_nobody_is_found(page, sign_in, marketer, ada):
    sign_in(marketer)
    search(page, "da-1")
    expect(page.get_by_role("heading", name="Nobody has this identifier")).to_be_visible()
    page.get_by_role("link", name="Show all users").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def test_what_a_search_finds_is_told_below_the_toolbar(page, sign_in, marketer, ada):
    sign_in(marketer)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        search(page, "ada")
        expect(page.locator(".rc-list-above")).to_have_count(2)
        assert page.evaluate(COVERED) == []


def test_numbers_beside_bars_are_in_their_line(page, sign_in, marketer, ada):
    happen(ada, "opened")
    sign_in(marketer)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.goto(reverse("admin:profiles_profile_change", args=[ada.pk]))
        bars = page.locator(".pl-spark svg").first.bounding_box()
        number = page.locator(".pl-spark .rc-number").first.bounding_box()
        assert bars["x"] + bars["width"] + 8 <= number["x"] <= bars["x"] + bars["width"] + 12
        assert abs(bars["y"] + bars["height"] / 2 - number["y"] - number["height"] / 2) <= 1


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]
)
def test_whatever_was_imported_fits_and_is_readable(
    scheme, size, page, sign_in, marketer, live_server, axe_clean, no_overflow, subtests
):
    profile = ProfileFactory.create(
        external_id=UNBROKEN,
        email=f"{UNBROKEN}@x",
        first_name=UNBROKEN,
        custom_attributes={UNBROKEN: UNBROKEN, "tags": [UNBROKEN, "b"]},
        devices=[UNBROKEN],
        aliases=[(UNBROKEN, UNBROKEN)],
    )
    CohortFactory.create(name=UNBROKEN, members=[profile])
    happen(profile, UNBROKEN)
    sign_in(marketer)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page_of_profile = reverse("admin:profiles_profile_change", args=[profile.pk])
    for address in (USERS, page_of_profile, f"{USERS}?q=nothing", f"{USERS}?q=user_of"):
        with subtests.test(address):
            page.goto(address)
            axe_clean(page)
            no_overflow(page)
            assert page.evaluate(CLIPPED) == []


def test_empty_list_is_accessible_and_fits(page, sign_in, marketer, live_server, axe_clean, no_overflow):
    sign_in(marketer)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.goto(USERS)
        expect(page.get_by_role("heading", name="No users yet")).to_be_visible()
        axe_clean(page)
        no_overflow(page)
        assert page.evaluate(CLIPPED) == []
