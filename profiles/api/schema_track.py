"""What the OpenAPI schema says of `POST /users/track`, with examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from profiles.api.schema import ERRORS
from profiles.attributes import MAX_LENGTH, MAX_PUSH_TOKENS
from profiles.matching import LARGEST_PROFILE_ID
from profiles.models import Profile
from profiles.tracking_objects import MAX_OBJECTS, MAX_PRICE, MAX_QUANTITY, Array

_DESCRIPTION = """\
Writes attributes, custom events and purchases of users, and makes users. Each object names one user by exactly one of
`external_id`, `user_alias`, `device_id` and `profile_id` (`braze_id` is the same), else by `email`, else by `phone`:
of several users with that address or number, an identified one, the one changed last.

- An unknown `external_id` or `device_id` makes a user unless `_update_existing_only` is true; an unknown alias, e-mail
  address or phone number only if it is false; an unknown `profile_id` never. A device of an identified user is refused.
- A single object may stand without its array.
- Objects are applied in their order: attributes, events, purchases. An object at fault is listed in `errors` and the
  others are applied; an object whose user does not exist and is not to be made is neither applied nor an error.
- `*_processed` counts the objects that were applied.
- Custom attributes are texts, numbers, booleans, times as text (ISO 8601), arrays and objects. `null` removes one,
  `{"inc": 2}` adds to a number, `{"add": [...]}` and `{"remove": [...]}` change an array; arrays of objects know `$add`,
  `$remove` and `$update`. With `_merge_objects` objects are merged, else they are replaced. An array has at most
  500 elements, an operation on it 500 values or objects, and one `$update` makes at most 5,000 changes.
- Events and purchases from before 2010-01-01T00:00:00Z are dropped, listed in `errors` and counted in `events_dropped`
  and `purchases_dropped`. What is said to happen in the future happened now. `properties` are not kept.
"""


def _text(**more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": MAX_LENGTH} | more


def _nullable(shape: dict[str, Any]) -> dict[str, Any]:
    return shape | {"nullable": True}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties} | more


_ALIAS = _object(
    {"alias_name": _text(minLength=1), "alias_label": _text(minLength=1)},
    required=["alias_name", "alias_label"],
)
_USER = {
    "external_id": _text(minLength=1),
    "user_alias": _ALIAS,
    "device_id": _text(minLength=1),
    "profile_id": {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": LARGEST_PROFILE_ID},
            {"type": "string", "pattern": "^[0-9]{1,10}$"},
        ]
    },
    "braze_id": {"type": "string", "description": "The same as profile_id."},
    "_update_existing_only": {"type": "boolean"},
}
_TIME = {"type": "string", "description": "ISO 8601; without an offset it is in UTC."}
_SUBSCRIPTION = {"type": "string", "nullable": True, "enum": [*Profile.Subscription, None]}
_PUSH_TOKEN = _object(
    {"app_id": _text(), "token": _text(), "device_id": _text()}, required=["app_id", "token"]
)
_ATTRIBUTES = _object(
    _USER
    | {name: _nullable(_text()) for name in ("email", "phone", "first_name", "last_name")}
    | {name: _nullable(_text()) for name in ("country", "language", "time_zone", "home_city")}
    | {
        "gender": {"type": "string", "nullable": True, "enum": [*Profile.Gender, None]},
        "dob": {"type": "string", "nullable": True, "format": "date"},
        "email_subscribe": _SUBSCRIPTION,
        "push_subscribe": _SUBSCRIPTION,
        "date_of_first_session": _nullable(_TIME),
        "date_of_last_session": _nullable(_TIME),
        "push_tokens": {"type": "array", "nullable": True, "maxItems": MAX_PUSH_TOKENS, "items": _PUSH_TOKEN},
        "_merge_objects": {"type": "boolean"},
    },
    additionalProperties={"description": "A custom attribute: its value, null, or an operation on it."},
)
_EVENT_USER = _USER | {"email": _text(), "phone": _text()}
_PROPERTIES = {"type": "object", "additionalProperties": True}
_EVENT = _object(
    _EVENT_USER | {"name": _text(minLength=1), "time": _TIME, "properties": _PROPERTIES},
    required=["name", "time"],
)
_PURCHASE = _object(
    _EVENT_USER
    | {
        "product_id": _text(minLength=1),
        "currency": {"type": "string", "pattern": "^[A-Za-z]{3}$", "description": "ISO 4217"},
        "price": {"type": "number", "minimum": -MAX_PRICE, "maximum": MAX_PRICE, "description": "Of one."},
        "quantity": {"type": "integer", "minimum": 1, "maximum": MAX_QUANTITY, "default": 1},
        "time": _TIME,
        "properties": _PROPERTIES,
    },
    required=["product_id", "currency", "price", "time"],
)
_BODY = _object(
    {
        name: {"oneOf": [{"type": "array", "maxItems": MAX_OBJECTS, "items": items}, items]}
        for name, items in (("attributes", _ATTRIBUTES), ("events", _EVENT), ("purchases", _PURCHASE))
    },
    anyOf=[{"required": [array.value]} for array in Array],
)


class TrackErrorSerializer(serializers.Serializer[Any]):
    """An object that was not applied."""

    type = serializers.CharField(help_text="What is wrong with it, and what is allowed.")
    input_array = serializers.ChoiceField(choices=[array.value for array in Array])
    index = serializers.IntegerField(help_text="Its place in that array, from 0.")


class TrackSuccessSerializer(serializers.Serializer[Any]):
    """How the objects fared; counts come for the arrays that were sent."""

    message = serializers.CharField(default="success")
    attributes_processed = serializers.IntegerField(required=False)
    events_processed = serializers.IntegerField(required=False)
    purchases_processed = serializers.IntegerField(required=False)
    events_dropped = serializers.IntegerField(required=False, help_text="Of the errors: too old.")
    purchases_dropped = serializers.IntegerField(required=False, help_text="Of the errors: too old.")
    errors = TrackErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class TrackFaultSerializer(serializers.Serializer[Any]):
    """A fault of the whole request (pointer, message), or of an object (type, input_array, index)."""

    pointer = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    type = serializers.CharField(required=False)
    input_array = serializers.ChoiceField(choices=[array.value for array in Array], required=False)
    index = serializers.IntegerField(required=False)


class TrackRefusedSerializer(serializers.Serializer[Any]):
    """Nothing was applied: the request makes no sense, or every object of it is at fault."""

    message = serializers.CharField()
    errors = TrackFaultSerializer(many=True, required=False)  # type: ignore[assignment]
    error_count = serializers.IntegerField(required=False)


TRACK: dict[str, Any] = {
    "operation_id": "track_users",
    "summary": "Write attributes, events and purchases of users",
    "description": _DESCRIPTION,
    "tags": ["Users"],
    "request": {"application/json": _BODY},
    "responses": {**ERRORS, 201: TrackSuccessSerializer, 400: TrackRefusedSerializer},
    "examples": [
        OpenApiExample(
            "Attributes, an event and a purchase",
            request_only=True,
            value={
                "attributes": [
                    {
                        "external_id": "user-1",
                        "email": "user-1@example.com",
                        "country": "FR",
                        "plan": "pro",
                        "visits": {"inc": 1},
                        "favourites": {"add": ["jazz"]},
                    }
                ],
                "events": [{"external_id": "user-1", "name": "signed_up", "time": "2026-01-31T09:30:00Z"}],
                "purchases": [
                    {
                        "external_id": "user-1",
                        "product_id": "espresso",
                        "currency": "EUR",
                        "price": 2.5,
                        "quantity": 2,
                        "time": "2026-01-31T09:31:00Z",
                    }
                ],
            },
        ),
        OpenApiExample(
            "A user without external_id is made",
            request_only=True,
            value={
                "attributes": [
                    {
                        "user_alias": {"alias_name": "987", "alias_label": "crm_id"},
                        "_update_existing_only": False,
                        "first_name": "Ada",
                    }
                ]
            },
        ),
        OpenApiExample(
            "One object was refused",
            response_only=True,
            status_codes=["201"],
            value={
                "message": "success",
                "attributes_processed": 1,
                "errors": [
                    {
                        "type": "dob must be a date, like 1990-12-31.",
                        "input_array": "attributes",
                        "index": 1,
                    }
                ],
            },
        ),
    ],
}
