"""What the OpenAPI schema says of `POST /import`, with examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

import accounts.schema  # noqa: F401 - registers how the keys are described
from profiles.events import MAX_NAME_LENGTH

MAX_EVENTS = 2_000
MAX_FORM_FIELDS = 20
FAILED = "some data points in the request failed validation"

_DESCRIPTION = f"""\
Imports past events of users, in the format of Mixpanel's own endpoint of this name: an array, lines of JSON, or a form
whose field `data` holds JSON; at most {MAX_EVENTS:,} events and 10 MB, gzip-encoded or not. The key is sent as Bearer token, or
with HTTP Basic: as the password, or as the user name where there is no password.

- The user is who `$braze_external_id`, `$user_id`, `$device_id` (of anonymous users) or `distinct_id` names. An event of
  an unknown user is dropped and counted in `unknown_users`: an import creates nobody.
- The same event (name, time, user's ID and `$insert_id`) is counted once, however often it is sent: `duplicates`.
- Events from before 2010-01-01T00:00:00Z are dropped: `too_old`. What is said to happen in the future happened now.
- Properties are not kept.

With `strict=1`, the default, the answer is 400 if any event is at fault, **and the others are imported**: do not send
them again, mend those in `failed_records`. With `strict=0` the answer then is 200.
"""
_EVENT = {
    "type": "object",
    "required": ["event", "properties"],
    "properties": {
        "event": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH},
        "properties": {
            "type": "object",
            "required": ["time", "distinct_id"],
            "properties": {
                "time": {"type": "integer", "description": "Seconds or milliseconds since 1970 (UTC)."},
                "distinct_id": {"type": "string", "description": "Empty for nobody in particular."},
                "$insert_id": {"type": "string", "description": "Tells the event apart from others."},
            },
            "additionalProperties": True,
        },
    },
}


class FailedRecordSerializer(serializers.Serializer[Any]):
    """An event at fault."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    insert_id = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField(help_text="What is wrong, and what is allowed.")


class ImportedSerializer(serializers.Serializer[Any]):
    """How the events fared; their sum is how many were sent."""

    code = serializers.IntegerField()
    status = serializers.JSONField(help_text="“OK”; 1 in the answer to a form.")
    num_records_imported = serializers.IntegerField()
    duplicates = serializers.IntegerField(help_text="Counted before.")
    too_old = serializers.IntegerField(help_text="From before 2010.")
    unknown_users = serializers.IntegerField(help_text="Of users that are not here.")
    invalid = serializers.IntegerField(help_text="With strict=0: those in failed_records.")
    failed_records = FailedRecordSerializer(many=True, required=False)


class ImportErrorSerializer(serializers.Serializer[Any]):
    """An error as Mixpanel's clients read it. The figures come if the others were imported."""

    code = serializers.IntegerField()
    error = serializers.CharField()
    status = serializers.CharField()
    num_records_imported = serializers.IntegerField(required=False)
    duplicates = serializers.IntegerField(required=False)
    too_old = serializers.IntegerField(required=False)
    unknown_users = serializers.IntegerField(required=False)
    invalid = serializers.IntegerField(required=False)
    failed_records = FailedRecordSerializer(many=True, required=False)


_SIGNED_UP = {
    "event": "Signed up",
    "properties": {"time": 1769850000, "distinct_id": "user-1", "$insert_id": "5d958f87-542d-4c10"},
}
IMPORT: dict[str, Any] = {
    "operation_id": "import_events",
    "summary": "Import past events of users",
    "description": _DESCRIPTION,
    "tags": ["Events"],
    "parameters": [
        OpenApiParameter("strict", {"type": "string", "enum": ["0", "1"], "default": "1"}),
        OpenApiParameter("project_id", str, description="Taken and not used: the key decides."),
    ],
    "request": {
        "application/json": {"type": "array", "maxItems": MAX_EVENTS, "items": _EVENT},
        "application/x-ndjson": {"type": "string"},
        "application/x-www-form-urlencoded": {"type": "object", "properties": {"data": {"type": "string"}}},
    },
    "responses": {
        200: ImportedSerializer,
        **dict.fromkeys((400, 401, 403, 413, 415, 429, 503), ImportErrorSerializer),
    },
    "examples": [
        OpenApiExample("An event", request_only=True, media_type="application/json", value=[_SIGNED_UP]),
    ],
}
