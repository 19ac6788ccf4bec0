"""Every operation of the OpenAPI schema, called with thousands of bodies that obey it or break it on purpose.

`make fuzz` does the same for longer, and says how many inputs were tried and how they were answered.
"""

from __future__ import annotations

import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from cohorts.models import Cohort
from config.wsgi import application
from profiles.models import Profile
from segments.models import Segment
from tests.accounts.factories import make_key, make_rest_key
from tests.api.clients import basic
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
MAX_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
schemathesis.serializer("application/x-ndjson")(lambda _context, value: str(value).encode())
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.yaml", application)
# Every check but two. Rollcall takes more than the schema says (numbers as text, ids as numbers), so accepting is
# never a fault; and what it refuses of what obeys the schema is looked at below, more closely.
NO_CHECKS = [negative_data_rejection, positive_data_acceptance]
# Rules that JSON Schema cannot say: text that is JSON, a page past the last, several pages without a session,
# of the users' API, at least one array or name that is not empty; and of what is read, one name and a list's own cursor.
UNSAID = {
    "/cohort_changes",
    "/parameters/page_info/page_count",
    "/parameters/mixpanel_session_id",
    "",
    "/cursor",
}
# And of a value: words for nobody in any letter case, words that exclude each other, text that we call blank and
# regular expressions do not (U+0085).
UNSAID_OF_VALUES = re.compile(
    "stands for nobody|prioritization must hold one of|text that is not blank|Null characters are not allowed"
)
# Whom bodies mostly speak of, so that calls get past the look-up.
KNOWN = {
    "external_id": ["ann", "ben", "new"],
    "current_external_id": ["ann", "ben"],
    "new_external_id": ["ben", "new", "newer"],
    "distinct_id": ["ann", "ben"],
    "alias_label": ["shop"],
    "alias_name": ["a", "b", "c"],
    "old_alias_name": ["a", "b"],
    "new_alias_name": ["b", "c"],
    "device_id": ["phone", "tablet"],
    "email": ["ann@people.example", "ben@people.example"],
}
TABLET = {"alias_label": "shop", "alias_name": "b"}
# An object names a user by one of them.
NAMES = {"external_id", "user_alias", "device_id", "profile_id", "braze_id", "email", "phone"}


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests that end do not close the connection, whose transaction is the test's."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def credentials(workspace) -> dict[str, str]:
    """Authorization by the beginning of the path, and people with identifiers of every kind."""
    ProfileFactory.create(external_id="ann", email="ann@people.example", devices=["phone"])
    ProfileFactory.create(external_id="ben", aliases=[("shop", "a")])
    ProfileFactory.create(anonymous=True, devices=["tablet"], aliases=[("shop", "b")])
    cohort = CohortFactory.create(members=Profile.objects.all())
    SegmentFactory.create(definition=definition(cohorts(cohort.pk)))
    SegmentFactory.create(definition=definition(cohorts(cohort.pk, 98_765)))
    secret = make_key(workspace)[1]
    return {"/partners/": secret, "/": f"Bearer {make_rest_key(workspace)[1]}"}


@pytest.fixture(scope="module")
def tried(request) -> Iterator[Counter[str]]:
    """How many inputs were answered with which status, by operation; told at the end of a long run."""
    tried: Counter[str] = Counter()
    yield tried
    if "FUZZ_EXAMPLES" in os.environ:
        plugin = request.config.pluginmanager.getplugin
        with plugin("capturemanager").global_and_fixture_disabled():
            plugin("terminalreporter").write_line(f"\n{sum(tried.values()):,} inputs")
            for it in sorted(tried):
                plugin("terminalreporter").write_line(f"{tried[it]:9,}  {it}")


@SCHEMA.parametrize()
@settings(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_schema_says(case, credentials, one_connection, tried):
    authorization = {"Authorization": prepared(case, credentials)}
    case.headers.update(authorization)
    with transaction.atomic():  # or soon nobody would be left to speak of
        answer = case.call()
        transaction.set_rollback(True)
    outcome = f"{case.method} {case.path}: {answer.status_code}"
    tried[outcome] += 1
    once = [ignored_auth] if tried[outcome] > 1 else []  # it calls twice more, to be let in without a key
    case.validate_response(answer, excluded_checks=[*NO_CHECKS, *once], headers=authorization)
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        assert refused_pointers(answer) <= UNSAID, (case.body, answer.json())


def prepared(case: schemathesis.Case, credentials: dict[str, str]) -> str:
    """Let a call use valid secrets, and speak of people there are; return its Authorization header."""
    if case.method == "GET":
        about_what_there_is(case)
        return credentials["/"]
    if not case.path.startswith("/partners/"):
        case.body = about_people(case.body)
        if case.path == "/users/identify" and isinstance(case.body, dict) and chance(str(case.body)) % 2:
            case.body |= {"aliases_to_identify": [{"external_id": "ann", "user_alias": TABLET}]}
        return credentials["/"]
    secret = credentials["/partners/"]
    if "partner" in case.path_parameters:
        case.path_parameters["partner"] = "mixpanel"
    if isinstance(case.body, dict) and isinstance(case.body.get("client_secret"), str):
        case.body["client_secret"] = secret
    return basic(secret)


def about_what_there_is(case: schemathesis.Case) -> None:
    """Let a reading call mostly speak of segments, cohorts and people there are, and of each by one identifier."""
    number = chance(f"{case.path_parameters}{case.query}")
    for name, model in (("segment_id", Segment), ("cohort_id", Cohort)):
        if name in case.path_parameters and number % 4:
            ids = model.objects.order_by("id").values_list("id", flat=True)
            case.path_parameters[name] = ids[number // 4 % len(ids)]
    if case.path.endswith("/contains") and number % 3:
        names = [{"alias_label": "shop", "alias_name": "a"}, {"external_id": "ann"}, {"device_id": "tablet"}]
        case.query = names[number // 3 % len(names)]


def about_people(value: Any, name: str = "") -> Any:
    """Return a body that mostly names people there are, or may be, and each by one identifier."""
    if isinstance(value, dict):
        named = sorted(NAMES & value.keys(), key=lambda it: chance(f"{it}{value}"))
        if name.endswith("_to_identify"):  # these name both who it was and who it is
            named = []
        if name.startswith("identifier_to_") and not named:
            return {"external_id": KNOWN["external_id"][chance(f"{name}{value}") % 3]}
        one = {
            it: inner
            for it, inner in value.items()
            if it not in (named[1:] if chance(str(value)) % 4 else ())
        }
        return {inner: about_people(item, inner) for inner, item in one.items()}
    if isinstance(value, list):
        return [about_people(item, name) for item in value]
    if isinstance(value, str) and name in KNOWN and chance(value) % 4:
        return KNOWN[name][chance(value) // 4 % len(KNOWN[name])]
    return value


def chance(text: str) -> int:
    """Return a number that is always the same for a text, and any."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def refused_pointers(answer) -> set[str]:
    """Return what a 400 complains of, but for single objects that it could not apply: they have no pointer."""
    if answer.status_code != 400:
        return set()
    body = answer.json()
    faults = body.get("errors") or (body.get("action") and body["error"].get("faults")) or []
    return {it["pointer"] for it in faults if "pointer" in it and not UNSAID_OF_VALUES.search(it["message"])}
