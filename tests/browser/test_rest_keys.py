"""REST API keys as an administrator makes and ends them, and the audit log that tells of it."""

from __future__ import annotations

import re

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import keys
from accounts.models import RestApiKey, Scope
from tests.accounts.factories import make_rest_key
from tests.browser.conftest import DESKTOP, PHONE

KEYS = reverse("admin:rest_api_keys")
AUDIT_LOG = reverse("admin:accounts_auditentry_changelist")


def copied(page: Page, name: str) -> str:
    """Copy what the page offers under the name, and return what is in the clipboard then."""
    page.get_by_role("button", name=f"Copy {name}").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    return page.evaluate("navigator.clipboard.readText()")


def test_key_is_generated_copied_and_invalidated(page, sign_in, administrator, workspace):
    sign_in(administrator)
    page.goto("/admin/")
    page.get_by_role("link", name="REST API keys").click()
    page.get_by_label("Label (optional)").fill("Shop")
    page.get_by_label("Merge two users into one").check()
    page.get_by_label(re.compile(r"users\.track\s*$")).check()
    page.get_by_role("button", name="Generate key").click()
    expect(page.get_by_text("Copy it now: it cannot be shown again.")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "new-key"
    secret = copied(page, "the REST API key")
    key = keys.verify_rest(secret=secret, now=timezone.now())
    assert (key.label, key.scopes, key.workspace) == ("Shop", ["users.track", "users.merge"], workspace)

    page.get_by_role("row").filter(has_text="Shop").get_by_role("link", name="Invalidate").click()
    expect(page.get_by_text("Last used")).to_be_visible()
    expect(page.get_by_text("None: no program can call the REST API then.")).to_be_visible()
    page.get_by_role("button", name="Invalidate key").click()
    expect(page.get_by_text(f"The key {key} is invalid from now on.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Shop")).to_contain_text("Invalidated")
    assert secret not in page.content()

    page.get_by_role("link", name="Audit log").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("REST API key invalidated")
    expect(rows.first).to_contain_text("administrator")
    expect(rows.first).to_contain_text(str(key))


def test_all_scopes_are_ticked_with_one_box(page, sign_in, administrator):
    sign_in(administrator)
    page.goto(KEYS)
    everything, delete = page.get_by_label("Everything"), page.get_by_label(re.compile(r"users\.delete\s*$"))
    everything.focus()
    page.keyboard.press("Space")
    expect(page.locator("[name=scopes]:checked")).to_have_count(len(Scope))
    delete.uncheck()
    assert everything.evaluate("box => [box.checked, box.indeterminate]") == [False, True]
    delete.check()
    expect(everything).to_be_checked()
    page.get_by_role("button", name="Generate key").click()
    expect(page.locator("#secret")).to_be_visible()
    assert RestApiKey.objects.get().scopes == list(Scope)


def test_address_and_example_are_copied_as_they_are_run(page, sign_in, administrator, live_server):
    sign_in(administrator)
    page.goto(KEYS)
    assert copied(page, "the REST endpoint") == live_server.url
    lines = copied(page, "the example").splitlines()
    assert lines[0].startswith(f"curl {live_server.url}/users/track -H ")
    assert lines[0].endswith("\\")
    assert len(lines) == 2
    box = page.locator("#example").bounding_box()
    assert box["height"] >= 2 * 13  # both lines are seen


def test_keys_pages_are_accessible_and_fit(page, sign_in, administrator, workspace, axe_clean, no_overflow):
    key, _secret = make_rest_key(workspace, "users.external_ids.rename", label="W" * 100)
    sign_in(administrator)
    for scheme, size in (("light", DESKTOP), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.goto(KEYS)
        page.get_by_label("Everything").check()
        page.get_by_role("button", name="Generate key").click()
        expect(page.locator("#secret")).to_be_in_viewport()
        axe_clean(page)
        no_overflow(page)
        page.goto(reverse("admin:rest_api_key_invalidate", args=[key.pk]))
        axe_clean(page)
        no_overflow(page)
        page.goto(AUDIT_LOG)
        axe_clean(page)
        no_overflow(page)


def test_choice_of_nothing_is_refused_beside_the_boxes(page, sign_in, administrator, axe_clean, complaints):
    sign_in(administrator)
    page.set_viewport_size(PHONE)
    page.goto(KEYS)
    page.get_by_label("Label (optional)").fill("Shop")
    page.get_by_role("button", name="Generate key").click()
    expect(page.get_by_text("Choose at least one thing that the key allows.")).to_be_visible()
    expect(page.get_by_role("group", name="What the key allows")).to_have_attribute(
        "aria-describedby", "scopes-error"
    )
    expect(page.get_by_label("Label (optional)")).to_have_value("Shop")
    axe_clean(page)
    complaints.clear()  # browsers log that a page answered 422
