"""The OpenAPI schema tells clients how to show a REST API key."""

from __future__ import annotations

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema

import accounts.schema  # noqa: F401 - as the schema modules of endpoints do
from accounts.authentication import RestKeyAuthentication, RestKeyOrBasicAuthentication
from tests.accounts.test_authentication import Door

WAYS = {
    "restApiKey": {"type": "http", "scheme": "bearer"},
    "restApiKeyBearer": {"type": "http", "scheme": "bearer"},
    "restApiKeyBasic": {"type": "http", "scheme": "basic"},
}


@pytest.mark.parametrize(
    ("authentication", "names"),
    [
        (RestKeyAuthentication, ["restApiKey"]),
        (RestKeyOrBasicAuthentication, ["restApiKeyBearer", "restApiKeyBasic"]),
    ],
)
def test_schema_names_every_way_and_asks_for_one(authentication, names):
    described = extend_schema(request=None, responses={200: None})(Door)
    view = described.as_view(authentication_classes=[authentication])
    schema = SchemaGenerator(patterns=[path("door", view)]).get_schema(public=True)
    assert schema["paths"]["/door"]["post"]["security"] == [{name: []} for name in names]
    assert schema["components"]["securitySchemes"] == {name: WAYS[name] for name in names}
