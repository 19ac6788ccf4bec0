"""REST API keys at the door: shown in a header, refused with 401, and let in no further than their scopes."""

from __future__ import annotations

import base64

import pytest
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys
from accounts.authentication import RestKeyAuthentication, RestKeyOrBasicAuthentication
from accounts.models import Scope
from accounts.permissions import HasScope
from accounts.throttling import KeyThrottle
from tests.accounts.factories import make_key, make_rest_key

pytestmark = pytest.mark.django_db


class Door(APIView):
    """An endpoint as those of the REST API are."""

    authentication_classes = [RestKeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    required_scope = Scope.USERS_MERGE

    def post(self, request: Request) -> Response:
        """Say who came in."""
        return Response({"workspace": request.user.slug, "key": str(request.auth)})


class WideDoor(Door):
    """One that knows HTTP Basic too."""

    authentication_classes = [RestKeyOrBasicAuthentication]


DOORS = [Door, WideDoor]


def knock(door: type[Door], header: str | None) -> Response:
    """Call the endpoint with an Authorization header."""
    headers = {} if header is None else {"HTTP_AUTHORIZATION": header}
    return door.as_view()(RequestFactory().post("/", **headers))


def basic(credentials: str | bytes) -> str:
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_opens_the_key_s_workspace(workspace, other_workspace, door, scheme):
    key, secret = make_rest_key(workspace)
    make_rest_key(other_workspace)
    answer = knock(door, f"{scheme} {secret}")
    assert (answer.status_code, answer.data) == (200, {"workspace": "default", "key": str(key)})


@pytest.mark.parametrize("credentials", ["{}:", ":{}", "anybody:{}", "{}"])
def test_basic_takes_the_key_as_user_name_or_as_password(workspace, credentials):
    _key, secret = make_rest_key(workspace)
    header = basic(credentials.format(secret))
    assert knock(WideDoor, header).status_code == 200
    assert knock(Door, header).status_code == 401


def test_password_is_looked_at_before_the_user_name(workspace):
    _key, secret = make_rest_key(workspace)
    assert knock(WideDoor, basic(f"{secret}:wrong")).status_code == 401


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer rk_unknown",
        "Bearer rk_\x00",
        "Bearer rk_\u00e9",
        "Bearer \udcff",
        "Bearer " + "x" * 100_000,
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        "Basic \u00ff\u00fe",
        "Digest abc",
        "rk_alone",
        basic(""),
        basic(":"),
        basic("rk_unknown:"),
        basic(":rk_unknown"),
        basic("pässwörd:"),
        basic(b"\xff\xfe:"),
        basic("rk_\x00:"),
        basic("x" * 100_000),
    ],
)
def test_anything_but_a_key_is_401_and_never_500(workspace, door, header):
    make_rest_key(workspace)
    answer = knock(door, header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].split()[0] == {Door: "Bearer", WideDoor: "Basic"}[door]


@pytest.mark.parametrize("door", DOORS)
def test_data_import_key_and_digest_are_no_rest_key(workspace, door):
    _key, partners = make_key(workspace)
    key, _secret = make_rest_key(workspace)
    for other in (partners, key.digest, key.prefix):
        answer = knock(door, f"Bearer {other}")
        assert (answer.status_code, answer.data["title"]) == (401, "Unknown REST API key.")


def test_invalidated_key_is_401_and_says_so(workspace):
    key, secret = make_rest_key(workspace)
    keys.invalidate(key=key, by=None, now=timezone.now())
    answer = knock(Door, f"Bearer {secret}")
    assert answer.status_code == 401
    assert "invalidated" in answer.data["title"]


@pytest.mark.parametrize("door", DOORS)
def test_missing_scope_is_403_and_named(workspace, door):
    others = [scope for scope in Scope if scope != Scope.USERS_MERGE]
    _key, secret = make_rest_key(workspace, *others)
    answer = knock(door, f"Bearer {secret}")
    assert answer.status_code == 403
    assert "“users.merge”" in answer.data["title"]


def test_one_scope_is_enough_for_its_endpoint(workspace):
    _key, secret = make_rest_key(workspace, Scope.USERS_MERGE)
    assert knock(Door, f"Bearer {secret}").status_code == 200


def test_answer_never_repeats_the_secret(workspace):
    assert "very-secret" not in str(knock(Door, "Bearer rk_very-secret").data)


def test_calls_are_counted_by_key(workspace, settings):
    settings.CALLS_PER_MINUTE = 2
    headers = [f"Bearer {make_rest_key(workspace)[1]}" for _ in range(2)]
    assert [knock(Door, headers[0]).status_code for _ in range(3)] == [200, 200, 429]
    assert knock(Door, headers[1]).status_code == 200


def test_keys_of_both_kinds_with_the_same_number_are_counted_apart(workspace):
    counted = set()
    for key in (make_key(workspace)[0], make_rest_key(workspace)[0]):
        key.pk = 1
        request = Request(RequestFactory().post("/"))
        request.auth = key
        counted.add(KeyThrottle().get_cache_key(request, Door()))
    assert len(counted) == 2
