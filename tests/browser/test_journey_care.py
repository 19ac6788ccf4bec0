"""What Rollcall takes care of while nobody looks: silent cohorts, mails, deleted cohorts, data points, the overview."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from playwright.sync_api import expect

from accounts import tasks as accounts_tasks
from accounts.models import Scope
from cohorts import tasks
from cohorts.models import Cohort
from tests.accounts.factories import make_key, make_rest_key
from tests.api.clients import Mixpanel, Partner, Rest
from tests.browser.building import Builder
from tests.browser.conftest import DESKTOP, PHONE
from tests.profiles.factories import make_people
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

OVERVIEW = reverse("admin:index")
COHORTS = reverse("admin:cohorts_cohort_changelist")
DATA_POINTS = reverse("admin:data_points")
NOTIFICATIONS = reverse("admin:notifications")


@pytest.fixture
def mixpanel(live_server, workspace, data_import_key, dialled):
    """Mixpanel with a valid key, calling a workspace of ten users."""
    make_people(workspace, [f"user-{number}" for number in range(10)])
    accounts_tasks.beat()
    return dialled(Mixpanel(data_import_key[1]))


def address() -> str:
    """Return the address of the only cohort's page."""
    return reverse("admin:cohorts_cohort_change", args=[Cohort.objects.get().pk])


def last_sync_in(language: str) -> str:
    """Return when the only cohort was synced, as people write it."""
    with translation.override(language):
        return date_format(timezone.localtime(Cohort.objects.get().last_sync_at), "DATETIME_FORMAT")


# --- freshness ----------------------------------------------------------------------------------------------------
def test_silence_is_shown_and_told_once_in_the_reader_s_language_and_so_is_its_end(
    page, sign_in, speak, marketer, administrator, mixpanel, later, axe_clean
):
    sign_in(marketer)
    page.goto(OVERVIEW)
    page.locator("summary").filter(has_text="marketer").click()
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    speak("en")
    for minutes in (0, 15, 30, 45):
        later(minutes=minutes)
        mixpanel.replace(["user-1"], mixpanel_cohort_name="Lapsed")
    page.goto(COHORTS)
    row = page.get_by_role("row").filter(has_text="Lapsed")
    expect(row).to_contain_text("Fresh")

    later(minutes=45 + 31)
    page.reload()
    expect(row).to_contain_text("Late")
    assert tasks.check_freshness()["mails"] == 0
    later(minutes=45 + 61)
    assert [tasks.check_freshness()["mails"] for _twice in range(2)] == [2, 0]
    written = {letter.to[0]: letter for letter in mail.outbox}
    assert set(written) == {marketer.email, administrator.email}
    assert last_sync_in("fr") in written[marketer.email].body
    assert last_sync_in("en") in written[administrator.email].body
    assert all("Lapsed" in letter.subject for letter in mail.outbox)
    page.reload()
    expect(row).to_contain_text("Stale")
    axe_clean(page)
    builder = Builder(page)
    builder.open()
    builder.add_filter("Mixpanel_Cohorts")
    expect(builder.filter("1").get_by_role("option", name="Lapsed")).to_contain_text("Stale")
    page.goto(OVERVIEW)
    attention = page.get_by_role("region", name="Needs your attention")
    expect(attention).to_contain_text("“Lapsed” is stale")
    axe_clean(page)
    attention.get_by_role("link", name="Open cohort").click()
    expect(page.get_by_text("Out of date since")).to_be_visible()

    mail.outbox.clear()
    mixpanel.replace(["user-1"], mixpanel_cohort_name="Lapsed")
    assert [tasks.check_freshness()["mails"] for _twice in range(2)] == [2, 0]
    assert last_sync_in("fr") in next(it.body for it in mail.outbox if it.to == [marketer.email])
    page.goto(COHORTS)
    expect(row).to_contain_text("Fresh")

    page.goto(NOTIFICATIONS)
    page.get_by_role("checkbox", name="Default").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What you get mail about is saved.")).to_be_visible()
    mail.outbox.clear()
    later(hours=12)
    assert tasks.check_freshness()["mails"] == 1
    assert [letter.to for letter in mail.outbox] == [[administrator.email]]


# --- deletion -----------------------------------------------------------------------------------------------------
def test_cohort_in_use_stays_a_free_one_is_deleted_and_a_deleted_one_comes_back(
    page, sign_in, administrator, mixpanel, data_import_key, dialled, axe_clean, complaints
):
    partner = dialled(Partner(data_import_key[1]))
    mixpanel.replace(["user-1", "user-2"], mixpanel_cohort_name="Lapsed")
    SegmentFactory.create(name="Win back", definition=definition(cohorts(Cohort.objects.get().pk)))
    sign_in(administrator)
    page.goto(address())
    page.get_by_role("link", name="Delete cohort").click()
    expect(page.get_by_text("“Lapsed” is in use and cannot be deleted.")).to_be_visible()
    expect(page.get_by_role("button", name="Delete cohort")).to_have_count(0)
    axe_clean(page)
    page.get_by_role("main").get_by_role("link", name="Win back").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Win back")
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete segment").click()
    expect(page.get_by_text("“Win back” was deleted.")).to_be_visible()

    page.goto(address())
    page.get_by_role("link", name="Delete cohort").click()
    page.get_by_role("button", name="Delete cohort").click()
    expect(page.get_by_text("“Lapsed” is deleted. Its syncs are refused now.")).to_be_visible()
    for answer in (
        mixpanel.add("user-3"),
        mixpanel.page(["user-3"]),
        partner.name(),
        partner.change({"user_ids": ["user-3"]}),
    ):
        assert answer.status_code == 404
        assert "The cohort “c” was deleted in Rollcall" in answer.content.decode()
    page.goto(address())
    expect(page.get_by_text("This cohort is deleted")).to_be_visible()
    axe_clean(page)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("“Lapsed” is back, and its syncs are taken again.")).to_be_visible()
    assert mixpanel.add("user-3").status_code == 200
    page.reload()
    expect(page.locator("#cohort-size")).to_have_text("3")


# --- data points --------------------------------------------------------------------------------------------------
def test_allotment_is_watched_over_by_mail_and_never_stops_an_import(
    page, sign_in, administrator, workspace, mixpanel, dialled, axe_clean
):
    sign_in(administrator)
    page.goto(DATA_POINTS)
    page.get_by_label("Data points in each period").fill("10")
    page.get_by_role("button", name="Save allotment").click()
    expect(page.get_by_text("The allotment is saved.")).to_be_visible()
    mixpanel.replace([f"user-{number}" for number in range(5)])
    rest = dialled(Rest(make_rest_key(workspace, Scope.USERS_TRACK)[1]))
    change = {"external_id": "user-1", "plan": "pro", "country": "FR", "ltv": 5}
    assert rest.call("/users/track", {"attributes": [change]}).status_code == 201
    assert [accounts_tasks.tell_of_allotments() for _twice in range(2)] == [1, 0]
    assert [letter.to for letter in mail.outbox] == [[administrator.email]]
    assert "80%" in mail.outbox[0].subject

    page.goto(DATA_POINTS)
    expect(page.get_by_text("80% used")).to_be_visible()
    figures = page.locator(".rc-figure")
    expect(figures.filter(has_text="This period").locator("dd").first).to_have_text("8")
    expect(figures.filter(has_text="At the end of the period").locator("dd").first).to_have_text(
        re.compile(r"about \d+")
    )
    expect(page.get_by_text("An import is never blocked.")).to_be_visible()
    axe_clean(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    head, *days = download.value.path().read_text().splitlines()
    assert head == "day,partner_cohorts,tracking_api,csv,events,total"
    assert days[-1].split(",")[1:] == ["5", "3", "0", "0", "8"]

    mixpanel.replace([f"user-{number}" for number in range(10)])
    assert accounts_tasks.tell_of_allotments() == 1
    assert "100%" in mail.outbox[-1].subject
    page.goto(OVERVIEW)
    expect(page.get_by_role("region", name="Needs your attention")).to_contain_text("130% of the data points")


# --- the overview -------------------------------------------------------------------------------------------------
def test_overview_names_the_next_step_while_there_is_one_and_is_calm_when_all_is_well(
    page, sign_in, administrator, marketer, workspace, dialled, later, axe_clean, no_overflow
):
    _key, secret = make_key(workspace)
    sign_in(marketer)
    page.goto(OVERVIEW)
    steps = page.get_by_role("region", name="From cohort to segment in three steps")
    expect(steps.get_by_role("link")).to_have_text(["Bring your users first"])  # a key is somebody else's
    sign_in(administrator)
    page.reload()
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        axe_clean(page)
        no_overflow(page)
    expect(page.get_by_text("Nothing needs your attention")).to_have_count(0)
    steps.get_by_role("link", name="See how").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mixpanel")

    make_people(workspace, ["ann"])
    dialled(Mixpanel(secret)).replace(["ann"], mixpanel_cohort_name="Lapsed")
    later(minutes=5)
    page.goto(OVERVIEW)
    expect(page.get_by_text("The worker is not running")).to_be_visible()
    accounts_tasks.beat()
    page.reload()
    expect(page.get_by_text("Nothing needs your attention")).to_be_visible()
    expect(steps.get_by_role("link")).to_have_text(["Build segment"])
    expect(page.get_by_role("region", name="Imports today")).to_contain_text("100% matched")
    expect(page.get_by_role("region", name="Cohorts by freshness")).to_contain_text("One-time")
    axe_clean(page)
    steps.get_by_role("link", name="Build segment").click()
    expect(page.get_by_label("Name")).to_be_visible()
