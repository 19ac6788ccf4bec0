"""What commands take, checked: those that cannot be are refused in words before anything is done."""

from __future__ import annotations

from django.core.management.base import CommandError

from accounts.models import Workspace

MAX_LABEL_LENGTH = 100


def workspace_named(slug: str) -> Workspace:
    """Return the workspace. Raises CommandError if there is none of that slug."""
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        raise CommandError(f"There is no workspace “{slug}”.")
    return workspace


def label_of_key(text: str) -> str:
    """Return the label. Raises CommandError if it is too long."""
    if len(text) > MAX_LABEL_LENGTH:
        raise CommandError(f"The label has {len(text)} characters; {MAX_LABEL_LENGTH} are allowed.")
    return text
