"""What the pages of segments say in the same words: links to what uses a segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Model
from django.urls import reverse


class Link(NamedTuple):
    """A name and where it leads."""

    name: str
    url: str


def links(users: Sequence[Model]) -> list[Link]:
    """Return what uses a segment, each with the address of its page."""
    return [Link(str(user), reverse(_page(user), args=[user.pk])) for user in users]


def _page(user: Model) -> str:
    model = type(user)._meta  # noqa: SLF001 - Django's own name for it, and public
    return f"admin:{model.app_label}_{model.model_name}_change"
