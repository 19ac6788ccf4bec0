"""Mail to the staff of a workspace who want it, each in the language they chose last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.models import User, Workspace


def tell(*, workspace: Workspace, about: str, context: Mapping[str, Any]) -> int:
    """Mail the subscribed staff of a workspace; return how many mails that were.

    `about` names two templates: `mails/{about}_subject.txt` and `mails/{about}.txt`. They know `workspace`,
    `reader` and the context. Raises what the mail server raises: whoever calls decides what is tried again.
    """
    readers = subscribed(workspace=workspace)
    if not readers:
        return 0
    messages = [_message(reader, about, {"workspace": workspace, **context}) for reader in readers]
    return get_connection().send_messages(messages) or 0


def subscribed(*, workspace: Workspace) -> list[User]:
    """Return the active staff of a workspace who have an address and want mail, the oldest accounts first."""
    wanting = User.objects.filter(
        is_active=True, memberships__workspace=workspace, memberships__gets_mail=True
    )
    return list(wanting.exclude(email="").order_by("pk"))


def link(view: str, *args: object) -> str:
    """Return the full address of a page of the admin; its path alone while no PUBLIC_URL is set."""
    return f"{settings.PUBLIC_URL}{reverse(f'admin:{view}', args=args)}"


def _message(reader: User, about: str, context: Mapping[str, Any]) -> EmailMessage:
    with translation.override(reader.language or settings.LANGUAGE_CODE):
        known = {**context, "reader": reader}
        subject = render_to_string(f"mails/{about}_subject.txt", known)
        text = render_to_string(f"mails/{about}.txt", known)
    return EmailMessage(subject=" ".join(subject.split()), body=text, to=[reader.email])
