"""Technology partners: the cards, the page of each, and who may see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import DataImportKey, Integration, KeyCalls
from tests.accounts.factories import make_key
from tests.accounts.test_partners import refused
from tests.cohorts.factories import CohortFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

CARDS = reverse("admin:technology_partners")


def page_of(partner="mixpanel"):
    return reverse("admin:technology_partner", args=[partner])


def test_cards_begin_with_mixpanel_and_lead_to_their_pages(administrator_client):
    text = administrator_client.get(CARDS).text
    order = [text.index(f'href="{page_of(it)}"') for it in ("mixpanel", "amplitude", "segment", "heap")]
    assert order == sorted(order)
    for partner in ("hightouch", "treasure_data"):
        assert page_of(partner) in text


def test_card_of_any_partner_with_an_integration_is_there(administrator_client, workspace):
    make_key(workspace, "my-warehouse")
    assert page_of("my-warehouse") in administrator_client.get(CARDS).text


def test_cards_cost_the_same_for_none_and_20_integrations(administrator_client, workspace):
    administrator_client.get(CARDS)
    with CaptureQueriesContext(connection) as none:
        administrator_client.get(CARDS)
    for number in range(20):
        make_key(workspace, f"partner-{number}")
    with CaptureQueriesContext(connection) as twenty:
        page = administrator_client.get(CARDS)
    assert len(page.context["connections"]) == 26
    assert len(twenty) == len(none)


def test_any_partner_is_reached_by_its_name(administrator_client):
    answer = administrator_client.get(CARDS, {"partner": "My-Warehouse"})
    assert answer.headers["Location"] == page_of("my-warehouse")
    assert "/partners/my-warehouse/cohorts" in administrator_client.get(page_of("my-warehouse")).text
    assert not Integration.objects.exists()


@pytest.mark.parametrize("name", ["", "two words", "-x", "ü", "<b>", "a" * 51])
def test_name_that_no_address_can_hold_is_told_so(administrator_client, name):
    page = administrator_client.get(CARDS, {"partner": name})
    assert page.status_code == 422
    assert 'id="any-error"' in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize("slug", ["Mixpanel", "a" * 51, "-x"])
def test_what_cannot_be_a_partner_has_no_page(administrator_client, slug):
    for name in ("technology_partner", "technology_partner_settings", "technology_partner_switch"):
        assert administrator_client.get(reverse(f"admin:{name}", args=[slug])).status_code == 404


def test_guide_says_how_far_each_step_is(administrator_client, workspace):
    text = administrator_client.get(page_of()).text
    for words in ("No valid key yet.", "No call yet", "No cohort received yet.", "No segment uses a cohort"):
        assert words in text
    key, _ = make_key(workspace)
    DataImportKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    day = timezone.now().date() - timedelta(days=2)
    KeyCalls.objects.create(key=key, day=day, shard=0, call_count=3, refused_count=0)
    SegmentFactory.create(definition=definition(cohorts(CohortFactory.create().pk)))
    page = administrator_client.get(page_of())
    for words in ("1 is valid", "First call received on", "1 cohort received", "1 segment uses cohorts"):
        assert words in page.text
    assert page.context["next_step"] == ""
    assert page.text.count('data-state="done"') == 4


def test_guide_names_the_values_of_both_ways_in(administrator_client):
    text = administrator_client.get(page_of()).text
    for shown in ("endpoint-rest", "endpoint-webhook", "endpoint-user", "Mixpanel_Cohorts"):
        assert shown in text


def test_partner_without_webhook_has_one_way_in(administrator_client):
    text = administrator_client.get(page_of("heap")).text
    assert "endpoint-rest" in text
    assert "endpoint-webhook" not in text
    assert "Heap_Cohorts" in text
    assert "Member properties" not in text


def test_guidance_says_what_pauses_a_sync_and_what_does_not(administrator_client):
    text = administrator_client.get(page_of()).text
    for words in ("pauses the sync until a person", ">400 ", ">401 ", ">403 ", ">404 ", ">429 ", ">503 "):
        assert words in text
    for words in ("Only users with a profile in Mixpanel", "tick it in Mixpanel", "merges the identities"):
        assert words in text


@pytest.mark.parametrize("days", [0, 20])
def test_refused_call_is_told_first_until_one_is_accepted(administrator_client, workspace, days):
    key, _ = make_key(workspace)
    refused(workspace, timezone.now() - timedelta(days=days), key_prefix=key.prefix)
    text = administrator_client.get(page_of()).text
    assert text.index("Wrong partner API key.") < text.index('id="keys-title"')
    assert ">Failing<" in administrator_client.get(CARDS).text
    DataImportKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() + timedelta(minutes=1))
    assert (
        "Wrong partner API key." not in administrator_client.get(page_of()).text.split('id="keys-title"')[0]
    )


def test_keys_show_their_calls_and_where_they_came_from(administrator_client, workspace):
    key, _ = make_key(workspace)
    DataImportKey.objects.update(last_used_at=timezone.now(), last_used_address="203.0.113.7")
    KeyCalls.objects.create(key=key, day=timezone.now().date(), shard=0, call_count=1234, refused_count=0)
    invalidate = reverse("admin:technology_partner_invalidate_key", args=["mixpanel", key.pk])
    for url in (page_of(), invalidate):
        text = administrator_client.get(url).text
        assert "203.0.113.7" in text
        assert "1,234 in" in text


def test_stranger_sees_nothing_of_others(stranger_client, workspace):
    key, _ = make_key(workspace)
    make_key(workspace, "my-warehouse")
    refused(workspace)
    CohortFactory.create()
    assert "my-warehouse" not in stranger_client.get(CARDS).text.replace("For example: my-warehouse", "")
    text = stranger_client.get(page_of()).text
    assert key.prefix not in text
    assert "Wrong partner API key." not in text
    assert "No cohort received yet." in text


def test_marketer_is_shown_no_card_and_no_page(marketer_client):
    assert marketer_client.get(CARDS).status_code == 403
    assert marketer_client.get(page_of("heap")).status_code == 403
