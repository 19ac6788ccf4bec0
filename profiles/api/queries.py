"""What reading endpoints take in their query strings."""

from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers

from profiles import identifiers
from profiles.api.cursors import CursorField
from profiles.attributes import MAX_LENGTH
from profiles.matching import Keys

MEMBERS = "members"
ONE_NAME = "Name one user: by external_id, by device_id, or by alias_label and alias_name."


class PageAsked(TypedDict):
    """Which page: what comes after an id, and how much of it."""

    after: int
    limit: int


def limit_field(*, default: int, largest: int) -> serializers.IntegerField:
    """Return the parameter `limit`."""
    wrong = f"limit must be a whole number from 1 to {largest:,}."
    return serializers.IntegerField(
        required=False,
        default=default,
        min_value=1,
        max_value=largest,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), wrong),
    )


class PageQuery(serializers.Serializer[Any]):
    """A page of a list; each kind of list adds its cursor."""

    limit = limit_field(default=100, largest=500)

    @property
    def page(self) -> PageAsked:
        """Which page is asked for."""
        asked = self.validated_data
        return {"after": asked.get("cursor", 0), "limit": asked["limit"]}


class MembersQuery(PageQuery):
    """A page of members."""

    cursor = CursorField(MEMBERS)
    limit = limit_field(default=1_000, largest=10_000)


def _name_field(name: str, help_text: str) -> serializers.CharField:
    return serializers.CharField(
        required=False,
        max_length=MAX_LENGTH,
        trim_whitespace=False,
        help_text=help_text,
        error_messages=dict.fromkeys(
            ("blank", "max_length"), f"{name} must have 1 to {MAX_LENGTH} characters."
        ),
    )


class NameQuery(serializers.Serializer[Any]):
    """One identifier of one user."""

    external_id = _name_field("external_id", "Your own ID of the user.")
    device_id = _name_field(
        "device_id", "A device of an anonymous user; that of an identified one matches nobody."
    )
    alias_label = _name_field("alias_label", "What sort of alias; with `alias_name`.")
    alias_name = _name_field("alias_name", "The alias; with `alias_label`.")

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """Refuse none, several, and half an alias."""
        if set(attrs) not in ({"external_id"}, {"device_id"}, {"alias_label", "alias_name"}):
            raise serializers.ValidationError(ONE_NAME)
        return attrs

    @property
    def keys(self) -> Keys:
        """The keys that matching looks up; none if the identifier stands for nobody."""
        name = self.validated_data
        if "external_id" in name:
            found = identifiers.of_external_ids([name["external_id"]])
        elif "device_id" in name:
            found = identifiers.of_devices([name["device_id"]])
        else:
            found = identifiers.of_aliases([name])
        return found[0][1]
