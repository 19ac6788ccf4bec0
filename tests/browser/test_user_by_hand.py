"""One user by hand: edited, identified, merged, called otherwise, handed out and deleted, as an administrator does it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from profiles.models import Profile
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fitting import CLIPPED
from tests.cohorts.factories import CohortFactory
from tests.profiles.admin_pages import address
from tests.profiles.factories import ProfileFactory
from tests.profiles.happenings import happen

UNBROKEN = "user_of_everything_" * 13
PAGES = ("edit", "attribute", "identify", "merge", "alias", "erase")


@pytest.fixture
def ada(live_server, workspace):
    profile = ProfileFactory.create(
        external_id="ada-1", first_name="Ada", custom_attributes={"ltv": 10}, aliases=[("crm", "42")]
    )
    CohortFactory.create(name="Lapsed", members=[profile])
    return profile


@pytest.fixture
def lost(ada):
    return ProfileFactory.create(
        anonymous=True, email="", first_name="A.", country="PT", devices=["lost-phone"]
    )


@pytest.fixture(autouse=True)
def _signed_in(sign_in, administrator):
    sign_in(administrator)


def test_attributes_are_edited_from_the_page_of_the_user(page, ada):
    page.goto(address(ada))
    page.get_by_role("link", name="Edit attributes").click()
    page.get_by_label("Last name").fill("Lovelace")
    page.get_by_label("Gender").select_option("Female")
    page.get_by_label("Date of birth").fill("1990-12-31")
    page.get_by_label("First session").fill("2026-01-31T09:00")
    page.get_by_role("button", name="Save attributes").click()
    expect(page.get_by_text("Attributes saved.")).to_be_visible()
    expect(page.get_by_text("Lovelace")).to_be_visible()
    page.get_by_role("link", name="Edit attributes").click()
    page.get_by_role("button", name="Save attributes").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()


def test_fault_is_shown_at_its_field_and_conflict_beside_ones_own(page, complaints, ada):
    page.goto(address(ada, "edit"))
    page.get_by_label("Email", exact=True).fill("ada")
    page.get_by_label("First name").fill("Adele")
    page.get_by_role("button", name="Save attributes").click()
    expect(page.get_by_label("Email", exact=True)).to_have_accessible_description(
        "Enter a valid email address."
    )
    page.get_by_label("Email", exact=True).fill("ada@people.example")
    Profile.objects.filter(pk=ada.pk).update(first_name="Adela")
    page.get_by_role("button", name="Save attributes").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.get_by_text("Meanwhile it became: Adela")).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Adele")
    page.get_by_role("button", name="Save attributes").click()
    expect(page.get_by_text("Attributes saved.")).to_be_visible()
    assert all(re.search("status of (409|422)", complaint) for complaint in complaints)
    complaints.clear()


def test_custom_attribute_has_the_field_of_its_kind(page, ada):
    page.goto(address(ada))
    page.get_by_role("link", name="Add attribute").click()
    page.get_by_label("Name").fill("vip")
    expect(page.locator(".pl-value:visible")).to_have_count(1)
    assert {it.bounding_box()["height"] for it in page.get_by_role("radio").all()} == {18}
    page.get_by_label("Yes or no").check()
    page.locator(".pl-value:visible select").select_option("Yes")
    page.get_by_role("button", name="Save attribute").click()
    row = page.get_by_role("row").filter(has_text="vip")
    expect(row).to_contain_text("Yes")
    row.get_by_role("link", name="Edit vip").click()
    page.get_by_role("button", name="Remove attribute").click()
    expect(page.get_by_text("Attribute removed.")).to_be_visible()
    expect(row).to_have_count(0)


def test_anonymous_user_gets_an_external_id(page, lost):
    page.goto(address(lost))
    page.get_by_role("link", name="Give an external ID").click()
    page.get_by_label("External ID").fill("grace-1")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Nobody has it yet.")).to_be_visible()
    page.get_by_role("button", name="Give an external ID").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("grace-1")
    expect(page.get_by_text("Does not match: this user has an external ID.")).to_be_visible()


def test_two_users_are_compared_and_become_one(page, ada, lost):
    page.goto(address(lost))
    page.get_by_role("link", name="Merge with another user").click()
    page.get_by_label("The other user").fill("crm:42")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("row").filter(has_text="First name")).to_contain_text("one is lost")
    page.get_by_role("button", name="Keep this one ada-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ada-1")
    expect(page.get_by_text("lost-phone")).to_be_visible()
    expect(page.get_by_text("Lapsed")).to_be_visible()


def test_small_comparison_begins_with_what_differs(page, ada, lost):
    page.set_viewport_size(PHONE)
    page.goto(address(lost, "merge"))
    page.get_by_label("The other user").fill("crm:42")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("rowheader", name="First name")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Country")).to_be_hidden()  # only one has any
    page.get_by_label("Show all lines").check()
    expect(page.get_by_role("rowheader", name="Country")).to_be_visible()


def test_alias_is_added_and_removed(page, ada):
    page.goto(address(ada))
    page.get_by_role("link", name="Add alias").click()
    page.get_by_label("Label").fill("shop")
    page.get_by_label("Name", exact=True).fill("7")
    page.get_by_role("button", name="Add alias").click()
    expect(page.get_by_text("Alias “shop”", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove Alias “shop” 7").click()
    page.get_by_role("button", name="Remove alias").click()
    expect(page.get_by_text("Alias removed.")).to_be_visible()
    expect(page.get_by_text("Alias “shop”", exact=True)).to_have_count(0)


def test_all_data_of_a_person_is_downloaded(page, ada):
    page.goto(address(ada))
    with page.expect_download() as started:
        page.get_by_role("button", name="Download all data").click()
    assert started.value.suggested_filename == f"user-{ada.pk}.json"
    known = json.loads(Path(started.value.path()).read_text())
    assert (known["external_id"], known["cohorts"][0]["name"]) == ("ada-1", "Lapsed")


def test_user_is_deleted_by_typing_who_it_is(page, complaints, ada):
    page.goto(address(ada))
    page.get_by_role("link", name="Delete user").click()
    page.get_by_label("to confirm:").fill("ada")
    page.get_by_role("button", name="Delete user").click()
    expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    complaints.clear()  # the refusal is a 422
    page.get_by_label("to confirm:").fill("ada-1")
    page.get_by_role("button", name="Delete user").click()
    expect(page.get_by_text(f"User {ada.pk} was deleted")).to_be_visible()
    page.goto(address(ada))
    expect(page.get_by_text("doesn’t exist")).to_be_visible()


def test_chart_has_a_table_that_opens_by_keyboard(page, ada):
    happen(ada, "opened")
    page.goto(address(ada))
    chart = page.get_by_role("img", name="Events per day, last 90 days")
    assert chart.bounding_box()["height"] >= 100
    page.get_by_text("Show the days as a table").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".rc-days tbody tr")).to_have_count(4)


@pytest.mark.parametrize(
    ("scheme", "size", "language"),
    [("light", DESKTOP, "en"), ("dark", PHONE, "en"), ("light", PHONE, "fr"), ("dark", DESKTOP, "de")],
)
@pytest.mark.looks
def test_every_page_of_a_user_fits_and_is_readable(
    scheme, size, language, page, speak, live_server, axe_clean, no_overflow, subtests
):
    profile = ProfileFactory.create(
        external_id=UNBROKEN,
        first_name=UNBROKEN,
        custom_attributes={UNBROKEN: UNBROKEN},
        aliases=[("crm", UNBROKEN)],
    )
    happen(profile, UNBROKEN, "opened")
    speak(language)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    for name in ("change", *PAGES):
        with subtests.test(name):
            page.goto(address(profile, name))
            axe_clean(page)
            no_overflow(page)
            assert page.evaluate(CLIPPED) == []


@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", DESKTOP)])
def test_questions_before_merging_fit_and_are_readable(
    scheme, size, page, lost, axe_clean, no_overflow, subtests
):
    ProfileFactory.create(external_id=UNBROKEN, first_name=UNBROKEN, custom_attributes={UNBROKEN: UNBROKEN})
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    for name, button in (("identify", "Continue"), ("merge", "Compare")):
        with subtests.test(name):
            page.goto(address(lost, name))
            page.locator("main input.rc-input").fill(UNBROKEN)
            page.get_by_role("button", name=button).click()
            expect(page.locator(".pl-sides")).to_be_visible()
            axe_clean(page)
            no_overflow(page)
            assert page.evaluate(CLIPPED) == []
