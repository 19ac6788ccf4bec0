"""Technology partners as an administrator uses them: rotation without a gap, the warning, settings, member properties."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts import integrations
from profiles.mapping import USUAL
from tests.browser.calling import generated
from tests.browser.conftest import DESKTOP, PHONE
from tests.profiles.factories import ProfileFactory

MIXPANEL = reverse("admin:technology_partner", args=["mixpanel"])
SETTINGS = reverse("admin:technology_partner_settings", args=["mixpanel"])
MEMBERS = reverse("admin:technology_partner_mapping", args=["mixpanel"])


def call(page: Page, secret: str) -> int:
    """Call the webhook as Mixpanel does, and return the answer's status."""
    parameters = {"mixpanel_cohort_id": "1", "mixpanel_cohort_name": "Lapsed", "members": []}
    body = {"action": "members", "parameters": parameters}
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    answer = page.request.post("/partners/mixpanel/webhook", data=json.dumps(body), headers=headers)
    return answer.status


def test_key_is_replaced_without_a_failed_call(page, sign_in, administrator, workspace):
    sign_in(administrator)
    page.goto(MIXPANEL)
    expect(page.get_by_text("No valid key yet.")).to_be_visible()
    first = generated(page, "Generate key")
    assert call(page, first) == 200
    page.reload()
    expect(page.get_by_text("1 cohort received")).to_be_visible()
    second = generated(page, "Create another key")
    assert (call(page, first), call(page, second)) == (200, 200)

    page.get_by_role("row").filter(has_text=first[:11]).get_by_role("link").click()
    expect(page.get_by_text("Used by")).to_be_visible()
    page.get_by_role("button", name="Invalidate key").click()
    expect(page.get_by_text(f"The key {first[:11]}… is invalid from now on.")).to_be_visible()
    assert (call(page, first), call(page, second)) == (401, 200)


def leave(page: Page) -> None:
    page.get_by_role("link", name="Overview").click(no_wait_after=True)


def test_leaving_asks_while_the_new_key_is_not_copied(page, sign_in, administrator, workspace):
    sign_in(administrator)
    page.goto(MIXPANEL)
    page.get_by_role("button", name="Generate key").click()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_event("dialog"):
        leave(page)
    expect(page.locator("#secret")).to_be_visible()
    page.get_by_role("button", name="Copy the data import key").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    leave(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert asked == ["beforeunload"]


def test_key_copied_by_hand_is_copied_too(page, sign_in, administrator, workspace):
    sign_in(administrator)
    page.goto(MIXPANEL)
    page.get_by_role("button", name="Generate key").click()
    page.evaluate("getSelection().selectAllChildren(document.getElementById('secret'))")
    page.keyboard.press("Control+C")
    page.on("dialog", lambda dialog: dialog.dismiss())
    leave(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_settings_are_changed_and_the_integration_switched(page, sign_in, administrator, workspace):
    sign_in(administrator)
    page.goto(MIXPANEL)
    page.get_by_role("link", name="Settings").last.click()
    page.get_by_label("IDs per request").fill("5000")
    page.get_by_label("Hold unmatched members").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    expect(page.get_by_label("IDs per request")).to_have_value("5000")
    page.get_by_role("link", name="Switch off").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Mixpanel is switched off.")).to_be_visible()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Mixpanel is switched on.")).to_be_visible()
    found = integrations.find(workspace=workspace, partner="mixpanel")
    assert (found.id_limit, found.holds_unmatched, found.is_enabled) == (5000, True, True)


def test_order_is_changed_by_keyboard_tried_and_saved(page, sign_in, administrator, workspace):
    ann = ProfileFactory.create(external_id="ann")
    sign_in(administrator)
    page.goto(MEMBERS)
    page.get_by_role("button", name="Add a property").click()
    added = page.get_by_label(f"Property, line {len(USUAL) + 1}")
    expect(added).to_be_focused()
    page.keyboard.type("crm id")
    expect(page.get_by_label(f"Label of the alias, line {len(USUAL) + 1}")).to_be_hidden()
    page.get_by_label("A member, as JSON").fill('{"crm id": "ann"}')
    page.get_by_role("button", name="Try this member").click()
    expect(page.get_by_text(f"This would match user {ann.pk}, by line {len(USUAL) + 1}.")).to_be_visible()
    page.get_by_role("button", name=f"Move line {len(USUAL) + 1} up").focus()
    for line in range(len(USUAL), 0, -1):
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"This would match user {ann.pk}, by line {line}.")).to_be_visible()
    expect(page.get_by_role("button", name="Move line 1 down")).to_be_focused()
    page.get_by_role("button", name="Save order").click()
    expect(page.get_by_text("The order is saved.")).to_be_visible()
    assert integrations.find(workspace=workspace, partner="mixpanel").member_mapping[0] == {
        "property": "crm id",
        "identifier": "external_id",
    }


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_faults_and_outcomes_are_accessible_and_fit(
    scheme, size, page, sign_in, administrator, workspace, axe_clean, no_overflow, complaints
):
    sign_in(administrator)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.goto(MEMBERS)
    page.get_by_label("A member, as JSON").fill('{"mixpanel_distinct_id": "' + "x" * 200 + '"}')
    page.get_by_role("button", name="Try this member").click()
    expect(page.get_by_text("This would match nobody.")).to_be_visible()
    axe_clean(page)
    no_overflow(page)
    page.get_by_role("button", name="Add a property").click()
    page.get_by_label(f"Holds, line {len(USUAL) + 1}").select_option("Alias")
    page.get_by_role("button", name="Save order").click()
    expect(page.get_by_text("Enter the name of a property.")).to_be_visible()
    axe_clean(page)
    no_overflow(page)
    page.goto(SETTINGS)
    page.get_by_label("Calls per minute and key").fill("0")
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator(".rc-error")).to_be_visible()
    axe_clean(page)
    no_overflow(page)
    complaints.clear()  # browsers log that a page answered 422
