"""Partners with a valid key, some people, and the cohort that they talk about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from accounts.models import DataImportKey, Workspace
from cohorts.models import Cohort
from tests.api.clients import Mixpanel, Partner, page_body
from tests.cohorts.factories import members_of
from tests.profiles.factories import make_people


@pytest.fixture
def partner(data_import_key: tuple[DataImportKey, str]) -> Partner:
    """Speaks the partner protocol with a valid key."""
    return Partner(data_import_key[1])


@pytest.fixture
def mixpanel(data_import_key: tuple[DataImportKey, str]) -> Mixpanel:
    """Speaks the webhook with a valid key."""
    return Mixpanel(data_import_key[1])


@pytest.fixture
def people(workspace: Workspace) -> dict[str, int]:
    """Five identified profiles: ids by external id."""
    return make_people(workspace, ["ann", "ben", "cleo", "dan", "eve"])


@pytest.fixture
def members(workspace: Workspace, people: dict[str, int]) -> Callable[..., set[str]]:
    """A function that returns who is in a cohort now, by external id (or by profile id, for others)."""
    names = {profile_id: name for name, profile_id in people.items()}

    def members(cohort_id: str = "c", in_workspace: Workspace = workspace) -> set[str]:
        cohort = Cohort.objects.get(workspace=in_workspace, partner_cohort_id=cohort_id)
        return {names.get(profile_id, str(profile_id)) for profile_id in members_of(cohort)}

    return members


@pytest.fixture(params=["cohorts", "cohorts/users", "webhook"])
def endpoint(request: pytest.FixtureRequest) -> str:
    """Each of the partners' endpoints."""
    found: str = request.param
    return found


@pytest.fixture
def knock(endpoint: str) -> Callable[..., HttpResponse]:
    """A function that makes one good call of the endpoint with a secret; other bodies and headers may be given."""

    def knock(secret: str, body: Any = None, **more: Any) -> HttpResponse:
        if endpoint == "webhook":
            good = page_body(["ann"], action="add_members")
            return Mixpanel(secret).send(good if body is None else body, **more)
        partner = Partner(secret)
        good = {"cohorts": {"name": "Lapsed"}, "cohorts/users": {"cohort_changes": [{"user_ids": ["a"]}]}}
        body = partner.secrets | {"cohort_id": "c"} | good[endpoint] if body is None else body
        return partner.post(partner.path.removesuffix("/cohorts") + f"/{endpoint}", body, **more)

    return knock
