"""What uses a row, as links: in the cell of a list, on a page, or where it keeps the row from being deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

SHOWN = 2


class Link(NamedTuple):
    """A name and where it leads."""

    name: str
    url: str


def cell(users: Sequence[Model], *, url: str) -> SafeString:
    """Return links to the first users of a row, and to its page at `url` if there are more."""
    context = {"users": links(users[:SHOWN]), "more": len(users[SHOWN:]), "url": url}
    return render_to_string("rollcall/cell_used_by.html", context)


def links(users: Sequence[Model]) -> list[Link]:
    """Return what uses something, each with the address of its page."""
    return [Link(str(user), reverse(_page(user), args=[user.pk])) for user in users]


def _page(user: Model) -> str:
    model = type(user)._meta  # noqa: SLF001 - Django's own name for it, and public
    return f"admin:{model.app_label}_{model.model_name}_change"
