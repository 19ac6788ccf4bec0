"""Cursors: where the next page of a list begins, as a word that clients pass back and need not understand."""

from __future__ import annotations

import re
from typing import Any

from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_LARGEST = 2**63 - 1  # of the ids of any table


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,60}$"})
class CursorField(serializers.Field[int, str, int, Any]):
    """A cursor of one kind of list, as the id after which its next page begins."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(required=False, help_text="`next_cursor` of the page before; none for the first.")

    def to_internal_value(self, data: str) -> int:
        """Return the id. What no such list handed out is a fault."""
        after = _after(self.kind, data)
        if after is None or written(self.kind, after) != data:
            raise serializers.ValidationError("cursor must be the next_cursor of a page of this list.")
        return after


def written(kind: str, after: int) -> str:
    """Return the cursor of the page that begins after an id."""
    return urlsafe_base64_encode(f"{kind}:{after}".encode())


def _after(kind: str, text: str) -> int | None:
    try:
        decoded = urlsafe_base64_decode(text).decode("ascii")
    except ValueError:
        return None
    found = re.fullmatch(rf"{kind}:([0-9]{{1,19}})", decoded)
    return int(found[1]) if found and int(found[1]) <= _LARGEST else None
