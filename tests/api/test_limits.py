"""Limits of one integration come before everybody's, and cost nothing to know."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Integration

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("own", "allowed"), [(3, 3), (None, 5), (8, 8)])
def test_id_limit_of_the_integration_comes_before_everybody_s(partner, settings, own, allowed):
    settings.MAX_IDS_PER_REQUEST = 5
    Integration.objects.update(id_limit=own)
    ids = [f"user-{n}" for n in range(allowed + 1)]
    assert partner.change({"user_ids": ids[:-1]}).status_code == 201
    answer = partner.change({"user_ids": ids})
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f"only {allowed} ids of all kinds are allowed per request; this has {allowed + 1}."
    )


def test_id_limit_of_the_integration_holds_for_pages_of_members_too(mixpanel, settings):
    settings.MAX_IDS_PER_REQUEST = 5
    Integration.objects.update(id_limit=2)
    assert mixpanel.add("a", "b").status_code == 200
    assert "only 2 members" in mixpanel.add("a", "b", "c").json()["error"]["message"]


@pytest.mark.parametrize(("everybody", "own", "allowed"), [(1, 3, 3), (3, 1, 1), (0, 2, 2), (2, None, 2)])
def test_calls_per_minute_of_the_integration_come_before_everybody_s(
    knock, data_import_key, settings, everybody, own, allowed
):
    settings.CALLS_PER_MINUTE = everybody
    Integration.objects.update(calls_per_minute=own)
    answers = [knock(data_import_key[1]) for _ in range(allowed + 1)]
    assert [answer.status_code == 429 for answer in answers] == [False] * allowed + [True]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1]["X-RateLimit-Limit"] == str(allowed)


def test_integration_may_be_let_through_without_limit(knock, data_import_key, settings):
    settings.CALLS_PER_MINUTE = 1
    Integration.objects.update(calls_per_minute=0)
    assert {knock(data_import_key[1]).status_code for _ in range(3)} <= {200, 201}


def test_integration_s_settings_come_with_the_key(knock, data_import_key):
    """Neither its limits nor whether it holds unmatched members cost a statement."""
    knock(data_import_key[1])
    with CaptureQueriesContext(connection) as captured:
        knock(data_import_key[1])
    read = [query["sql"] for query in captured if "accounts_integration" in query["sql"]]
    assert len(read) == 1
    assert all(
        name in read[0] for name in ("holds_unmatched", "id_limit", "calls_per_minute", "expected_minutes")
    )
