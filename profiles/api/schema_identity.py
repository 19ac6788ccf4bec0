"""What the OpenAPI schema says of the endpoints that say who is who, with examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from profiles.addresses import Priority
from profiles.api.schema import ERRORS
from profiles.attributes import MAX_LENGTH
from profiles.identity_objects import MAX_OBJECTS, MERGE_BEHAVIORS
from profiles.matching import LARGEST_PROFILE_ID

_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}
_ADDRESS = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}
_ID = {
    "oneOf": [
        {"type": "integer", "minimum": 1, "maximum": LARGEST_PROFILE_ID},
        {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
    ]
}
_ORDER = (
    f"Objects are applied in their order, in one transaction; at most {MAX_OBJECTS} of them. One at fault is listed in `errors` "
    "and the others are applied; if none can be, the answer is 400."
)


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def _many(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": MAX_OBJECTS}


def _body(**arrays: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": _object({name: _many(items) for name, items in arrays.items()})}


def _one(name: str, items: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": _object({name: _many(items) | {"minItems": 1}}, (name,))}


_ALIAS = _object({"alias_name": _TEXT, "alias_label": _TEXT}, ("alias_name", "alias_label"))
_PRIORITIZATION = {
    "type": "array",
    "items": {"type": "string", "enum": list(Priority)},
    "description": "Who is meant of several. Without it: an identified user first, the one changed last.",
}
_USER = _object(
    {
        "external_id": _TEXT,
        "user_alias": _ALIAS,
        "device_id": _TEXT,
        "profile_id": _ID,
        "braze_id": _ID,
        "email": _ADDRESS,
        "phone": _ADDRESS,
        "prioritization": _PRIORITIZATION,
    }
)


def _with_priorities(field: str) -> dict[str, Any]:
    return {"oneOf": [_ADDRESS, _object({field: _ADDRESS, "prioritization": _PRIORITIZATION}, (field,))]}


class IdentityErrorSerializer(serializers.Serializer[Any]):
    """An object that was not applied."""

    type = serializers.CharField(help_text="What is wrong with it, and what is allowed.")
    input_array = serializers.CharField()
    index = serializers.IntegerField(help_text="Its place in that array, from 0.")


class IdentityResultSerializer(serializers.Serializer[Any]):
    """How the objects fared; counts come for the arrays that were sent."""

    message = serializers.CharField(default="success")
    aliases_processed = serializers.IntegerField(required=False)
    emails_processed = serializers.IntegerField(required=False)
    phone_numbers_processed = serializers.IntegerField(required=False)
    merges_processed = serializers.IntegerField(required=False)
    errors = IdentityErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class IdentityFaultSerializer(serializers.Serializer[Any]):
    """What stands in the way: an object (as in the answer 201), or a place in the body."""

    type = serializers.CharField(required=False)
    input_array = serializers.CharField(required=False)
    index = serializers.IntegerField(required=False)
    pointer = serializers.CharField(required=False, help_text="RFC 6901")
    message = serializers.CharField(required=False)


class IdentityRefusedSerializer(serializers.Serializer[Any]):
    """Nothing was applied: the request makes no sense, or every object of it is at fault."""

    message = serializers.CharField()
    errors = IdentityFaultSerializer(many=True, required=False)  # type: ignore[assignment]
    error_count = serializers.IntegerField(required=False)


class RenamedSerializer(serializers.Serializer[Any]):
    """The new external ids that were given, and why others were not: place and reason."""

    message = serializers.CharField(default="success")
    external_ids = serializers.ListField(child=serializers.CharField())
    rename_errors = serializers.ListField(child=serializers.ListField())


class DeletedSerializer(serializers.Serializer[Any]):
    """How many users were erased."""

    deleted = serializers.IntegerField()
    message = serializers.CharField(default="success")


class ExportSerializer(serializers.Serializer[Any]):
    """What is known of the users; fields that are blank are left out."""

    message = serializers.CharField(default="success")
    users = serializers.ListField(child=serializers.DictField())
    invalid_user_ids = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Those that name nobody."
    )


def _operation(
    name: str, summary: str, *, request: Any, answer: Any, example: Any, code: int = 201, about: str = ""
) -> dict[str, Any]:
    return {
        "operation_id": name,
        "tags": ["Users"],
        "summary": summary,
        "description": about,
        "request": request,
        "responses": {**ERRORS, code: answer, 400: IdentityRefusedSerializer},
        "examples": [OpenApiExample(summary, request_only=True, value=example)],
    }


NEW_ALIAS = _operation(
    "users_alias_new",
    "Give users aliases",
    about="An alias with an `external_id` is added to that user, who must exist; without one it becomes a new user's. "
    f"An alias that somebody has already is refused.\n\n{_ORDER}",
    request=_one(
        "user_aliases",
        _object(
            {"external_id": _TEXT, "alias_name": _TEXT, "alias_label": _TEXT}, ("alias_name", "alias_label")
        ),
    ),
    answer=IdentityResultSerializer,
    example={"user_aliases": [{"external_id": "user-1", "alias_name": "987", "alias_label": "crm_id"}]},
)

UPDATE_ALIAS = _operation(
    "users_alias_update",
    "Rename aliases",
    about=f"The label stays.\n\n{_ORDER}",
    request=_one(
        "alias_updates",
        _object(
            {"alias_label": _TEXT, "old_alias_name": _TEXT, "new_alias_name": _TEXT},
            ("alias_label", "old_alias_name", "new_alias_name"),
        ),
    ),
    answer=IdentityResultSerializer,
    example={"alias_updates": [{"alias_label": "crm_id", "old_alias_name": "987", "new_alias_name": "988"}]},
)

IDENTIFY = _operation(
    "users_identify",
    "Identify anonymous users",
    about="A user without an external id takes the one beside it. If another user has it already, they become that one, who keeps "
    "what they have. With `merge_behavior` “none” they then bring identifiers, push tokens and cohorts, but no attributes and no "
    f"events. From then on the user's devices do not name the user any more: the external id does.\n\n{_ORDER}",
    request={
        "application/json": _object(
            {
                "aliases_to_identify": _many(
                    _object(
                        {"external_id": _TEXT, "user_alias": _ALIAS, "device_id": _TEXT, "profile_id": _ID},
                        ("external_id",),
                    )
                ),
                "emails_to_identify": _many(
                    _object(
                        {"external_id": _TEXT, "email": _ADDRESS, "prioritization": _PRIORITIZATION},
                        ("external_id", "email"),
                    )
                ),
                "phone_numbers_to_identify": _many(
                    _object(
                        {"external_id": _TEXT, "phone": _ADDRESS, "prioritization": _PRIORITIZATION},
                        ("external_id", "phone"),
                    )
                ),
                "merge_behavior": {"type": "string", "enum": list(MERGE_BEHAVIORS), "default": "merge"},
            }
        )
    },
    answer=IdentityResultSerializer,
    example={
        "aliases_to_identify": [
            {"external_id": "user-1", "user_alias": {"alias_name": "987", "alias_label": "crm_id"}}
        ],
        "merge_behavior": "merge",
    },
)

MERGE = _operation(
    "users_merge",
    "Merge users",
    about="The user to merge becomes part of the user to keep: devices, aliases, events, cohorts, and the attributes that the kept one "
    "lacks. Its external id goes to a kept user that has none; otherwise it is gone. It is done when the answer comes.\n\n"
    f"{_ORDER} A user that an earlier object merged is nobody for the later ones.",
    request=_one(
        "merge_updates",
        _object(
            {"identifier_to_merge": _USER, "identifier_to_keep": _USER},
            ("identifier_to_merge", "identifier_to_keep"),
        ),
    ),
    answer=IdentityResultSerializer,
    example={
        "merge_updates": [
            {
                "identifier_to_merge": {"external_id": "user-2"},
                "identifier_to_keep": {"external_id": "user-1"},
            }
        ]
    },
    code=202,
)

RENAME = _operation(
    "users_external_ids_rename",
    "Change external ids",
    about="It takes effect at once: the old external id names nobody any more, and is free. So there are no deprecated external ids, "
    f"and nothing to remove later. At most {MAX_OBJECTS} objects, applied in their order.",
    request=_one(
        "external_id_renames",
        _object(
            {"current_external_id": _TEXT, "new_external_id": _TEXT},
            ("current_external_id", "new_external_id"),
        ),
    ),
    answer=RenamedSerializer,
    example={"external_id_renames": [{"current_external_id": "user-1", "new_external_id": "user-0001"}]},
)

DELETE = _operation(
    "users_delete",
    "Erase users",
    about="Erases people everywhere at once, for ever: identifiers, attributes, events, cohorts, samples of imports. The audit log keeps "
    f"the numbers of the profiles, nothing else. At most {MAX_OBJECTS} names together; those that name nobody do no harm, one that is "
    "at fault refuses the whole request.",
    request=_body(
        external_ids=_TEXT,
        user_aliases=_ALIAS,
        braze_ids=_ID,
        profile_ids=_ID,
        device_ids=_TEXT,
        email_addresses=_with_priorities("email"),
        phone_numbers=_with_priorities("phone"),
    ),
    answer=DeletedSerializer,
    example={"external_ids": ["user-1", "user-2"]},
)

EXPORT = _operation(
    "users_export_ids",
    "Export users",
    about=f"Returns all that is known of at most {MAX_OBJECTS} users, or the fields in `fields_to_export`: "
    "everybody who has the e-mail address or the phone number, up to 50.",
    request={
        "application/json": _object(
            {
                "external_ids": _many(_TEXT),
                "user_aliases": _many(_ALIAS),
                "device_id": _TEXT,
                "braze_id": _ID,
                "profile_id": _ID,
                "email_address": _ADDRESS,
                "phone": _ADDRESS,
                "fields_to_export": {"type": "array", "items": {"type": "string"}},
            }
        )
    },
    answer=ExportSerializer,
    example={"external_ids": ["user-1"], "fields_to_export": ["external_id", "email", "custom_events"]},
)
