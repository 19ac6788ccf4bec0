"""Where members of a partner's cohort go: matched, unmatched and why, held until their user exists, still on their way."""

from __future__ import annotations

import csv

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import Scope
from accounts.tasks import beat
from cohorts import tasks
from cohorts.models import Cohort
from tests.accounts.factories import make_rest_key
from tests.api.clients import Mixpanel, Rest
from tests.browser.fitting import CLIPPED
from tests.profiles.factories import ProfileFactory, make_people

OVERVIEW = reverse("admin:index")
SETTINGS = reverse("admin:technology_partner_settings", args=["mixpanel"])
FORMULA = '=HYPERLINK("http://evil.example","ann")'
HOURS_UNTIL_EXPIRED = 73


@pytest.fixture
def mixpanel(live_server, workspace, data_import_key, dialled):
    """Mixpanel with a valid key, calling a workspace of three users."""
    make_people(workspace, ["ann", "ben", "cleo"])
    beat()
    return dialled(Mixpanel(data_import_key[1]))


def open_cohort(page: Page) -> None:
    page.goto(reverse("admin:cohorts_cohort_change", args=[Cohort.objects.get().pk]))


def size(page: Page) -> str:
    """Return how many users the only cohort has, as its page says."""
    open_cohort(page)
    return page.locator("#cohort-size").inner_text()


def fact(page: Page, name: str) -> str:
    """Return what stands beside or below a name on the page."""
    return (
        page.locator("dl > div")
        .filter(has=page.get_by_text(name, exact=True))
        .locator("dd")
        .first.inner_text()
    )


# --- why the partner says 7 and Rollcall says 3 -------------------------------------------------------------------
def test_marketer_finds_out_why_a_cohort_is_smaller_here(
    page, sign_in, marketer, mixpanel, axe_clean, no_overflow
):
    ProfileFactory.create(external_id="dora", devices=["phone-of-dora"])
    strangers = [FORMULA, "nobody"]
    mixpanel.replace(
        [*["ann", "ben", "cleo", "ann"], *strangers, {"$device_id": "phone-of-dora"}, "anonymous"],
        mixpanel_cohort_name="Lapsed",
    )
    sign_in(marketer)
    page.goto(reverse("admin:cohorts_cohort_changelist"))
    expect(page.get_by_title("3 of 7 in the latest sync")).to_be_visible()
    page.get_by_role("link", name="Lapsed").click()
    expect(page.locator("#cohort-size")).to_have_text("3")
    sync = page.get_by_role("region", name="Latest syncs").get_by_role("row").last
    for told in ("Complete", "1 of 1", "2 unknown", "1 identified: use the external ID", "1 invalid"):
        expect(sync).to_contain_text(told)
    axe_clean(page)
    no_overflow(page)
    assert page.evaluate(CLIPPED) == []

    sync.get_by_role("link").click()
    told = {
        name: fact(page, name) for name in ("Received", "Matched", "Unmatched", "Repeats", "Added", "Removed")
    }
    assert told == {
        "Received": "8",
        "Matched": "3",
        "Unmatched": "4",
        "Repeats": "1",
        "Added": "3",
        "Removed": "0",
    }
    axe_clean(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    text = download.value.path().read_text()
    assert "\"'=HYPERLINK(" in text
    rows = {row["identifier"]: row["reason"] for row in csv.DictReader(text.splitlines())}
    assert rows == {
        f"'{FORMULA}": "unknown",
        "nobody": "unknown",
        "phone-of-dora": "identified_use_external_id",
        "anonymous": "invalid",
    }


# --- unmatched members are held -----------------------------------------------------------------------------------
def test_held_member_joins_once_its_user_exists_and_a_removed_one_does_not(
    page, sign_in, administrator, workspace, mixpanel, dialled, later, axe_clean
):
    sign_in(administrator)
    page.goto(SETTINGS)
    page.get_by_label("Hold unmatched members").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    mixpanel.add("ann", "new-1", "new-2")
    assert size(page) == "1"
    held = page.get_by_role("region", name="Held members")
    expect(held.locator("#held-count")).to_have_text("2")
    axe_clean(page)
    mixpanel.remove("new-2")
    page.reload()
    expect(held.locator("#held-count")).to_have_text("1")

    rest = dialled(Rest(make_rest_key(workspace, Scope.USERS_TRACK)[1]))
    people = [{"external_id": "new-1"}, {"external_id": "new-2"}]
    assert rest.call("/users/track", {"attributes": people}).status_code == 201
    assert tasks.join_held() == 1
    assert size(page) == "2"
    expect(held).to_contain_text("Nobody waits.")
    axe_clean(page)
    page.get_by_role("region", name="Latest syncs").get_by_role("link", name="Held members joined").click()
    expect(page.get_by_text("The partner sent these members earlier")).to_be_visible()
    later(minutes=2)
    assert tasks.compact_idle() == 1
    page.reload()
    assert fact(page, "Added") == "1"
    axe_clean(page)
    page.goto(reverse("admin:profiles_profile_changelist") + "?q=new-1")
    page.get_by_role("link", name="new-1").click()
    cohorts = page.get_by_role("region", name="Cohorts")
    expect(cohorts.get_by_role("link", name="Cohort")).to_be_visible()
    page.goto(reverse("admin:profiles_profile_changelist") + "?q=new-2")
    page.get_by_role("link", name="new-2").click()
    expect(cohorts.get_by_role("link", name="Cohort")).to_have_count(0)


# --- pages are missing --------------------------------------------------------------------------------------------
def test_unfinished_sync_is_followed_named_and_given_up(
    page, sign_in, administrator, mixpanel, later, axe_clean, no_overflow
):
    mixpanel.page(["ann"], page=(1, 4), session="s")
    sign_in(administrator)
    open_cohort(page)
    syncs = page.get_by_role("region", name="Latest syncs")
    expect(syncs.get_by_role("progressbar")).to_have_attribute("value", "25")
    expect(syncs).to_contain_text("missing: 2–4")
    mixpanel.page(["ben"], page=(3, 4), session="s")
    expect(syncs.get_by_role("progressbar")).to_have_attribute("value", "50")
    expect(syncs).to_contain_text("missing: 2, 4")
    expect(page.locator("#cohort-size")).to_have_text("0")
    axe_clean(page)

    later(hours=2)
    page.goto(OVERVIEW)
    attention = page.get_by_role("region", name="Needs your attention")
    expect(attention).to_contain_text("2 of 4 pages came")
    later(hours=HOURS_UNTIL_EXPIRED)
    assert tasks.clean_up()["syncs"] == 1
    page.goto(OVERVIEW)
    attention.get_by_role("link", name="Open sync").click()
    expect(page.get_by_text("Incomplete: pages never came")).to_be_visible()
    assert fact(page, "Missing pages") == "2, 4"
    axe_clean(page)
    no_overflow(page)

    mixpanel.replace(["ann"], ["ben"])
    assert size(page) == "2"
    expect(syncs.get_by_role("row").nth(1)).to_contain_text("Complete")
    page.goto(OVERVIEW)
    expect(page.get_by_role("region", name="Imports today")).to_be_visible()
    expect(page.get_by_text("is unfinished")).to_have_count(0)
