"""What the OpenAPI schema says of all endpoints of the users' REST API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

import accounts.schema  # noqa: F401 - registers how the keys are described


class UsersFaultSerializer(serializers.Serializer[Any]):
    """One fault of a request."""

    pointer = serializers.CharField(help_text="Where it stands in the body (RFC 6901).")
    message = serializers.CharField(help_text="What is wrong, and what is allowed.")


class UsersErrorSerializer(serializers.Serializer[Any]):
    """The first fault in `message`, which clients of Braze's API read; the first 20 in `errors`."""

    message = serializers.CharField()
    errors = UsersFaultSerializer(many=True, required=False)  # type: ignore[assignment]
    error_count = serializers.IntegerField(required=False)


# What every endpoint answers when it does not do what it was asked for; 400 is its own.
ERRORS = dict.fromkeys((400, 401, 403, 413, 415, 429, 503), UsersErrorSerializer)
