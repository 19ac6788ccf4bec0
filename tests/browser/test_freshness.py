"""What a person sees of a cohort that fell silent, and how they say whether they want mail about it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from playwright.sync_api import expect

from cohorts import tasks
from segments.models import Segment
from tests.browser.conftest import PHONE
from tests.cohorts.factories import make_hourly
from tests.segments.definitions import cohorts, definition


@pytest.fixture
def silent(workspace):
    return make_hourly(silence=timedelta(hours=5), name="Left their cart")


def test_silent_cohort_is_marked_where_it_is_chosen_and_where_it_was(builder, silent, axe_clean, no_overflow):
    builder.open()
    builder.add_filter("Mixpanel_Cohorts")
    options = builder.filter("1").get_by_role("option")
    expect(options.filter(has_text="Left their cart")).to_contain_text("Stale")
    options.filter(has_text="Left their cart").click()
    chip = builder.filter("1").get_by_role("listitem").filter(has_text="Left their cart")
    expect(chip).to_contain_text("Stale")
    expect(chip.get_by_text("Stale")).to_have_attribute("title", re.compile("^Out of date since"))
    axe_clean(builder.page)
    builder.page.set_viewport_size(PHONE)
    no_overflow(builder.page)


def test_saved_segment_says_that_a_cohort_is_out_of_date_and_leads_there(
    page, sign_in, marketer, workspace, silent
):
    segment = Segment.objects.create(
        workspace=workspace, name="Loyal", definition=definition(cohorts(silent.pk))
    )
    sign_in(marketer)
    page.goto(f"/admin/segments/segment/{segment.pk}/change/")
    told = page.get_by_role("region", name="A cohort of this segment is out of date")
    told.get_by_role("link", name="Left their cart").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Left their cart")
    expect(page.locator("main")).to_contain_text("Out of date since")


def test_mail_ends_with_a_tick_taken_away_in_the_account_menu(page, sign_in, marketer, silent):
    sign_in(marketer)
    page.goto("/admin/")
    page.locator("summary").filter(has_text="marketer").click()
    page.get_by_role("link", name="Notifications").click()
    tick = page.get_by_role("checkbox", name="Default")
    expect(tick).to_be_checked()
    tick.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What you get mail about is saved.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Default")).not_to_be_checked()
    assert tasks.check_freshness() == {"began": 1, "ended": 0, "mails": 0}
    assert mail.outbox == []
