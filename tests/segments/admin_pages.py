"""Addresses of segments in the admin, and forms as the builder's page sends them."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from segments.models import Segment

LIST = reverse("admin:segments_segment_changelist")
FOUND, FORBIDDEN, MISSING, CONFLICT = 302, 403, 404, 409


def address(segment: Segment, name: str = "change", *more: int) -> str:
    """Return the address of a page about a segment."""
    return reverse(f"admin:segments_segment_{name}", args=[segment.pk, *more])


def text_of(response: Any) -> str:
    """Return what a page says, without its tags."""
    main = response.content.decode().split("<main", 1)[1]
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", main, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("&quot;", '"').replace("&#x27;", "'").split())


def seen_at(client: Client, segment: Segment) -> str:
    """Return what the form carries of when the segment was saved."""
    page = client.get(address(segment)).content.decode()
    (moment,) = re.findall(r'name="seen_at" value="([^"]+)"', page)
    return str(moment)


def send(client: Client, segment: Segment, **fields: Any) -> HttpResponse:
    """Send the form of a segment, with its fields as they are but for those given."""
    data = {"name": segment.name, "description": segment.description, "tags": ""} | fields
    data["definition"] = json.dumps(fields.get("definition", segment.definition))
    response: Any = client.post(address(segment), data)
    return response
