"""Audience > Users, one user: what they did, in words and bars; and what was done to them."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import audit
from profiles import admin_chart, admin_timeline, events
from profiles.events import Kind, Occurrence
from tests.profiles.admin_pages import address, query_count, text_of
from tests.profiles.factories import ProfileFactory


def did(profile, *occurrences):
    """Let a user do things: name, days ago, and for a purchase currency, quantity and revenue."""
    now = timezone.now()
    events.record(
        workspace_id=profile.workspace_id,
        occurrences=[
            Occurrence(
                profile.pk,
                Kind.PURCHASE if bought else Kind.CUSTOM,
                name,
                bought[0] if bought else "",
                now - timedelta(days=ago),
                1,
                bought[1] if bought else 0,
                Decimal(bought[2]) if bought else Decimal(0),
            )
            for name, ago, *bought in occurrences
        ],
        now=now,
    )


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create()


def words_of(client, profile):
    """Return the text of a user's page, without its tags, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(client.get(address(profile)))).split())


# --- events ----------------------------------------------------------------------------------------------------
def test_who_did_nothing_is_said_to_and_how_events_come_in(marketer_client, ada):
    page = words_of(marketer_client, ada)
    assert "Nothing yet." in page
    assert "POST /users/track" in page
    assert "POST /import" in page
    assert "<svg class" not in text_of(marketer_client.get(address(ada)))


def test_page_says_how_often_and_when_and_draws_it(marketer_client, ada):
    did(ada, ("opened", 1), ("opened", 1), ("opened", 3), ("closed", 200))
    page = text_of(marketer_client.get(address(ada)))
    assert "3 events on 2 of the last 90 days. Busiest:" in page
    assert page.count('role="img"') == 1
    assert '<title id="chart-title">Events per day, last 90 days</title>' in page
    row = page[page.index('<th scope="row">opened</th>') :]
    assert row.index('data-label="Count">3<') < row.index("</tr>")
    assert "6\xa0months" in page


def test_every_day_of_the_chart_is_in_its_table(marketer_client, ada):
    did(ada, *(("opened", ago) for ago in (0, 5, 5, 89)))
    page = text_of(marketer_client.get(address(ada)))
    table = page[page.index("rc-days") :]
    assert re.findall(r'class="rc-number"[^>]*>(\d+)<', table[: table.index("</table>")]) == ["1", "2", "1"]


def test_events_of_long_ago_are_listed_without_a_chart(marketer_client, ada):
    did(ada, ("opened", 200))
    page = text_of(marketer_client.get(address(ada)))
    assert "Nothing in the last 90 days." in page
    assert 'role="img"' not in page
    assert '<th scope="row">opened</th>' in page


def test_purchases_have_quantity_and_revenue_per_currency(marketer_client, ada):
    did(ada, ("tea", 1, "EUR", 2, "1234.5"), ("tea", 2, "USD", 1, "0.125"), ("cake", 3, "EUR", 1, "0.5"))
    page = words_of(marketer_client, ada)
    assert "Revenue of all purchases: 1,235.00 EUR · 0.125 USD" in page
    assert "tea 1 2 1,234.50 EUR" in page
    assert "tea 1 1 0.125 USD" in page


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "0.00 EUR"), ("1000", "1,000.00 EUR"), ("0.1", "0.10 EUR"), ("12.3456", "12.3456 EUR")],
)
def test_money_is_written_to_the_cent_or_finer(amount, shown):
    assert admin_timeline._money(Decimal(amount), "EUR") == shown


def test_events_of_others_and_markup_in_names_are_not_shown(marketer_client, ada):
    did(ProfileFactory.create(), ("elsewhere", 1))
    evil = "<script>alert(1)</script>"
    did(ada, (evil, 1), (evil, 1, "EUR", 1, "1"))
    page = text_of(marketer_client.get(address(ada)))
    assert "elsewhere" not in page
    assert evil not in page


def test_many_events_are_cut_and_said_to_be(marketer_client, ada):
    did(ada, *((f"event-{number:03}", 1) for number in range(101)))
    page = text_of(marketer_client.get(address(ada)))
    assert page.count('<th scope="row">event-') == 100
    assert "Only the 100 that happened last are listed." in page
    assert "101 events on 1 of the last 90 days." in page


def test_page_costs_the_same_for_1_and_50_events_and_entries(administrator_client, administrator, workspace):
    few, many = ProfileFactory.create_batch(2)
    for profile, count in ((few, 1), (many, 50)):
        did(profile, *((f"event-{number}", number) for number in range(count)))
        for _entry in range(count):
            record(profile, administrator)
    assert query_count(administrator_client, address(few)) == query_count(administrator_client, address(many))


@given(st.lists(st.integers(0, 2**60), max_size=90))
def test_a_bar_is_drawn_for_each_day_with_events_and_fits(counts):
    path = admin_chart.bars(counts, height=24)
    bars = [(int(x), int(h)) for x, h in re.findall(r"M(\d+) 24v-(\d+)h8V24z", path)]
    assert [x for x, _h in bars] == [index * 10 for index, count in enumerate(counts) if count]
    assert all(2 <= height <= 24 for _x, height in bars)
    if any(counts):
        assert max(height for _x, height in bars) == 24


# --- what was done to them -------------------------------------------------------------------------------------
def record(profile, actor, **more):
    audit.record(
        workspace_id=profile.workspace_id,
        action=audit.Action.USER_EDITED,
        subject=f"user {profile.pk}",
        actor=actor,
        now=timezone.now(),
        **more,
    )


def test_administrators_see_what_was_done_to_a_user_and_marketers_do_not(
    administrator_client, marketer_client, administrator, ada
):
    record(ada, administrator, detail={"attributes": ["first_name"]})
    record(ProfileFactory.create(), None, key_prefix="rk_12345678")
    page = words_of(administrator_client, ada)
    assert "User edited Attributes: first_name administrator · now" in page
    assert "rk_12345678" not in page
    assert "User edited" not in words_of(marketer_client, ada)


def test_history_is_the_newest_part_of_the_audit_log(administrator_client, ada):
    for _number in range(21):
        record(ada, None)
    page = text_of(administrator_client.get(address(ada)))
    assert page.count("User edited") == 20
    assert "These are the newest 20; the audit log has all." in page
