"""Every operation of the OpenAPI schema, called with thousands of bodies that obey it or break it on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.api.clients import basic

pytestmark = pytest.mark.django_db
# Rollcall takes more than the schema says (numbers as text, ids as numbers), so accepting is never a fault here.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# Three rules that JSON Schema cannot say: text that is JSON, a page past the last, several pages without a session.
UNSAID = {"/cohort_changes", "/parameters/page_info/page_count", "/parameters/mixpanel_session_id"}
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.yaml", application)


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests that end do not close the connection, whose transaction is the test's."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@SCHEMA.parametrize()
@settings(
    max_examples=100,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_schema_says(case, data_import_key, one_connection):
    secret = data_import_key[1]
    if "partner" in case.path_parameters:
        case.path_parameters["partner"] = "mixpanel"
    if isinstance(case.body, dict) and isinstance(case.body.get("client_secret"), str):
        case.body["client_secret"] = secret
    answer = case.call(headers={"Authorization": basic(secret)})
    case.validate_response(answer, checks=CHECKS)
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        assert refused_pointers(answer) <= UNSAID, (case.body, answer.json())


def refused_pointers(answer) -> set[str]:
    """Return what a 400 complains of, but for what the schema cannot say of texts and numbers: NUL, and 64 bits."""
    if answer.status_code != 400:
        return set()
    body = answer.json()
    faults = body.get("errors") or body.get("error", {}).get("faults") or []
    return {fault["pointer"] for fault in faults}
