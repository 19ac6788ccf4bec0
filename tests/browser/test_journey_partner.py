"""An administrator and a partner that really calls: set up, keys rotated, switched off, and what the pages then say."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from accounts import tasks
from tests.api.clients import Mixpanel, Partner
from tests.browser.building import Builder
from tests.browser.calling import generated
from tests.browser.conftest import PHONE
from tests.profiles.factories import make_people

OVERVIEW = reverse("admin:index")
PARTNERS = reverse("admin:technology_partners")
MIXPANEL = reverse("admin:technology_partner", args=["mixpanel"])
REJECTED = reverse("admin:accounts_rejectedcall_changelist")
AUDIT_LOG = reverse("admin:accounts_auditentry_changelist")
SETTINGS = reverse("admin:technology_partner_settings", args=["mixpanel"])


@pytest.fixture
def at_work(workspace, administrator, sign_in):
    """Three users that partners may name, a worker that runs, and an administrator who is logged in."""
    make_people(workspace, ["ann", "ben", "cleo"])
    tasks.beat()
    sign_in(administrator)


def steps(page: Page) -> list[str | None]:
    """Load the partner's page, and return how far each step of its guide is."""
    page.goto(MIXPANEL)
    guide = page.get_by_role("region", name="Set it up")
    return [step.get_attribute("data-state") for step in guide.locator("ol > li").all()]


def card(page: Page) -> Locator:
    """Open the page of all partners, and return Mixpanel's card."""
    page.goto(PARTNERS)
    return page.get_by_role("listitem").filter(has_text="Mixpanel")


def audit_log_tells(page: Page, *actions: str) -> None:
    """Assert what was done, the latest first, and that it is noted who did it and from where."""
    page.goto(AUDIT_LOG)
    entries = [row.inner_text() for row in page.locator("#result_list tbody tr").all()]
    for action, entry in zip(actions, entries, strict=True):
        for told in (action, "administrator", "127.0.0.1"):
            assert told in entry


def test_guide_leads_from_nothing_to_a_segment_and_ticks_each_step(page, at_work, dialled, axe_clean):
    page.goto(OVERVIEW)
    page.get_by_role("link", name="Generate key").click()
    assert steps(page) == ["next", "", "", ""]
    axe_clean(page)
    secret = generated(page, "Generate key")
    assert steps(page) == ["done", "next", "", ""]
    expect(card(page)).to_contain_text("Waiting for the first call")

    assert dialled(Partner(secret)).change().status_code == 201  # Mixpanel's test of the connection
    assert steps(page) == ["done", "done", "next", ""]
    expect(page.get_by_text("First call received on")).to_be_visible()
    expect(card(page)).to_contain_text("Connected")

    dialled(Mixpanel(secret)).replace(["ann", "ben"], mixpanel_cohort_name="Lapsed")
    assert steps(page) == ["done", "done", "done", "next"]
    page.get_by_role("link", name="1 cohort received").click()
    expect(page.get_by_role("row").filter(has_text="Lapsed")).to_contain_text("100%")

    builder = Builder(page)
    builder.open()
    builder.name_it("Win back")
    builder.add_filter("Mixpanel_Cohorts")
    builder.choose("Lapsed")
    builder.is_counted("2")
    builder.save()
    assert steps(page) == ["done"] * 4
    axe_clean(page)
    page.get_by_role("link", name="1 segment uses cohorts of Mixpanel").click()
    expect(page.get_by_role("row").filter(has_text="Win back")).to_be_visible()


def test_key_is_rotated_on_a_phone_and_the_old_one_shows_until_mixpanel_calls_with_the_new_one(
    page, at_work, dialled, later, axe_clean, no_overflow
):
    page.set_viewport_size(PHONE)
    page.goto(MIXPANEL)
    old = dialled(Mixpanel(generated(page, "Generate key")))
    assert old.add("ann").status_code == 200
    page.goto(MIXPANEL)
    secret = generated(page, "Create another key")
    new = dialled(Mixpanel(secret))
    assert (old.add("ben").status_code, new.add("cleo").status_code) == (200, 200)

    page.goto(MIXPANEL)
    row = page.get_by_role("row").filter(has_not_text=secret[:11]).filter(has_text="rc_")
    prefix = row.locator("code").inner_text()
    row.get_by_role("link", name="Invalidate").click()
    asked = page.get_by_role("region", name="Invalidate the key")
    for told in ("Mixpanel", "from 127.0.0.1", "2 in the last 30 days, 2 in all"):
        expect(asked.get_by_text(told).last).to_be_visible()
    expect(asked.locator("dl > div").last).to_have_text("Other valid keys 1", use_inner_text=False)
    axe_clean(page)
    no_overflow(page)
    asked.get_by_role("button", name="Invalidate key").click()
    expect(card(page)).to_contain_text("Connected")

    assert old.add("ann").status_code == 401
    expect(card(page)).to_contain_text("Failing")
    page.goto(MIXPANEL)
    expect(page.get_by_role("region", name="Rejected calls")).to_contain_text(prefix)
    page.goto(OVERVIEW)
    attention = page.get_by_role("region", name="Needs your attention")
    expect(attention).to_contain_text("Mixpanel: 1 call refused in 24 hours")
    later(days=2)
    page.reload()
    expect(attention).to_contain_text("Mixpanel: no call was accepted since one was refused")
    later()
    axe_clean(page)
    no_overflow(page)
    attention.get_by_role("link", name="See why").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rejected calls")
    call = page.get_by_role("row").filter(has_text=prefix)
    expect(call).to_contain_text("Mixpanel pauses the sync until you act.")
    expect(call).to_contain_text("Enter a valid data import key at Mixpanel.")
    axe_clean(page)
    no_overflow(page)

    assert new.add("ann").status_code == 200
    expect(card(page)).to_contain_text("Connected")
    page.goto(OVERVIEW)
    expect(attention).to_contain_text("Calls have been accepted since.")
    audit_log_tells(page, "Data import key invalidated", *["Data import key created"] * 2)


def test_integration_that_is_off_puts_its_partner_off_and_says_so(page, at_work, dialled, axe_clean):
    page.goto(MIXPANEL)
    secret = generated(page, "Generate key")
    mixpanel, partner = dialled(Mixpanel(secret)), dialled(Partner(secret))
    mixpanel.replace(["ann"], mixpanel_cohort_name="Lapsed")

    page.goto(SETTINGS)
    page.get_by_role("link", name="Switch off").click()
    expect(page.get_by_text("1 cohort stops following Mixpanel:")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Lapsed")).to_be_visible()
    axe_clean(page)
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Mixpanel is switched off.")).to_be_visible()
    for answer in (mixpanel.add("ben"), partner.name(), partner.change({"user_ids": ["ben"]})):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert b"switched off in Rollcall" in answer.content
    page.goto(MIXPANEL)
    expect(page.get_by_text("Calls of Mixpanel get the answer 503")).to_be_visible()
    axe_clean(page)
    expect(card(page)).to_contain_text("Off")

    page.goto(SETTINGS)
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Mixpanel is switched on.")).to_be_visible()
    assert mixpanel.add("ben").status_code == 200
    expect(card(page)).to_contain_text("Connected")
    audit_log_tells(page, "Integration switched on", "Integration switched off", "Data import key created")


def test_limits_hold_from_the_next_call_on_and_refused_calls_say_which(page, at_work, dialled, axe_clean):
    page.goto(MIXPANEL)
    secret = generated(page, "Generate key")
    mixpanel, partner = dialled(Mixpanel(secret)), dialled(Partner(secret))
    page.goto(SETTINGS)
    page.get_by_label("IDs per request").fill("2")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    assert partner.change({"user_ids": ["ann", "ben", "cleo"]}).status_code == 400
    page.get_by_label("Key to require").fill("other software")
    page.get_by_role("button", name="Require it").click()
    expect(page.get_by_text("Calls need this partner API key from now on.")).to_be_visible()
    assert partner.change({"user_ids": ["ann"]}).status_code == 401
    assert mixpanel.send(b"{").status_code == 400
    expect(card(page)).to_contain_text("Failing")

    page.goto(SETTINGS)
    page.get_by_label("Calls per minute and key").fill("1")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    answers = [mixpanel.add("ann"), mixpanel.add("ben")]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > 0
    expect(card(page)).to_contain_text("Connected")

    page.goto(REJECTED)
    told = [row.inner_text() for row in page.locator("#result_list tbody tr").all()]
    for text, whole in zip(["429", "400", "401", "400"], told, strict=True):
        assert text in whole
    assert "with a wrong partner API key" in told[2]
    axe_clean(page)


def test_partner_that_nobody_has_heard_of_connects_by_its_name(page, at_work, dialled, axe_clean):
    page.goto(PARTNERS)
    page.get_by_role("textbox").fill("customer_io")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Customer io")
    expect(page.get_by_text("Custom webhook")).to_have_count(0)
    partner = dialled(Partner(generated(page, "Generate key"), partner="customer_io"))
    assert partner.name(name="Dormant").status_code == 201
    assert partner.change({"user_ids": ["ann"], "aliases": []}).status_code == 201
    assert dialled(Partner(partner.secrets["client_secret"])).name().status_code == 401  # of another partner

    page.goto(PARTNERS)
    expect(page.get_by_role("listitem").filter(has_text="Customer io")).to_contain_text("Connected")
    builder = Builder(page)
    builder.open()
    builder.add_filter("Customer_io_Cohorts")
    builder.choose("Dormant")
    builder.is_counted("1")
    axe_clean(page)
