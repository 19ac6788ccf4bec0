"""From the login to a key that works, a second one, and the end of the first, as an administrator does it."""

from __future__ import annotations

import re

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import keys
from accounts.models import User, Workspace
from tests.accounts.factories import PASSWORD
from tests.browser.conftest import DESKTOP, PHONE

MIXPANEL = reverse("admin:technology_partner", args=["mixpanel"])


def log_in(page: Page, user: User) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def copied_key(page: Page) -> str:
    """Copy the key that the page shows, and return what is in the clipboard then."""
    page.get_by_role("button", name="Copy the data import key").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    expect(page.locator("[data-copy=secret]")).to_contain_text("Copied")
    return page.evaluate("navigator.clipboard.readText()")


def test_key_is_generated_copied_replaced_and_invalidated(page, administrator, workspace):
    log_in(page, administrator)
    page.get_by_role("link", name="Generate key").click()
    page.get_by_label("Label (optional)").fill("Production")
    page.get_by_role("button", name="Generate key").click()
    expect(page.get_by_text("Copy it now: it cannot be shown again.")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "new-key"
    first = copied_key(page)
    page.get_by_role("button", name="Create another key").click()
    second = copied_key(page)
    assert first != second
    assert first not in page.content()
    for secret in (first, second):
        assert keys.verify(secret=secret, partner="mixpanel", now=timezone.now())

    row = page.get_by_role("row").filter(has_text=first[:11])
    row.get_by_role("link", name=re.compile("Invalidate")).click()
    page.get_by_role("button", name="Invalidate key").click()
    expect(page.get_by_text(f"The key {first[:11]}… is invalid from now on.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=first[:11])).to_contain_text("Invalidated")
    assert second not in page.content()


def test_fresh_key_s_page_is_accessible_and_fits(page, sign_in, administrator, axe_clean, no_overflow):
    sign_in(administrator)
    for scheme, size in (("light", DESKTOP), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.goto(MIXPANEL)
        page.get_by_role("button", name=re.compile("Generate key|Create another key")).click()
        expect(page.locator("#secret")).to_be_in_viewport()
        axe_clean(page)
        no_overflow(page)


def test_language_change_keeps_the_key_secret_and_makes_no_other(page, sign_in, administrator, workspace):
    sign_in(administrator)
    page.goto(MIXPANEL)
    page.get_by_role("button", name="Generate key").click()
    page.locator(".rc-menu-up summary").click()
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page).to_have_url(re.compile(f"{MIXPANEL}$"))
    expect(page.locator("#secret")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="rc_")).to_have_count(1)


def test_addresses_are_copied_without_a_clipboard_too(page, sign_in, administrator):
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    sign_in(administrator)
    page.goto(MIXPANEL)
    page.get_by_role("button", name="Copy the custom webhook URL").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    selected = page.evaluate("getSelection().toString().trim()")
    assert selected.endswith("/partners/mixpanel/webhook")


def test_menus_work_by_keyboard(page, sign_in, administrator, marketer, workspace):
    sign_in(administrator)
    page.goto("/admin/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    summary = page.locator(".rc-menu-up summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()


def test_appearance_is_remembered(page, sign_in, administrator):
    sign_in(administrator)
    page.goto("/admin/")
    page.locator(".rc-menu-up summary").click()
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.classList.contains('dark')")


def test_member_is_added_on_a_phone(page, sign_in, administrator, workspace: Workspace, no_overflow):
    sign_in(administrator)
    page.set_viewport_size(PHONE)
    page.goto(reverse("admin:accounts_user_add"))
    page.get_by_label("Username").fill("neu")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_label("Marketer").check()
    no_overflow(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added")).to_be_visible()
    assert User.objects.get(username="neu").memberships.get().workspace == workspace
