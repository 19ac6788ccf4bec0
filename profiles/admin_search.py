"""The search for users: whole identifiers, looked up as a partner's would be, and whole email addresses."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from profiles import matching
from profiles.models import Profile


def find(*, users: QuerySet[Profile], workspace_id: int, text: str) -> QuerySet[Profile]:
    """Return those of `users` that have exactly this identifier or email address: never a scan of the table.

    What was pasted with spaces around it is looked up without them, too.
    """
    texts = {text, text.strip()} - {""}
    keys = [key for text in texts for key in _keys(text)]
    found = matching.lookup(workspace_id=workspace_id, keys=keys)
    return users.filter(Q(pk__in=set(found.values())) | Q(email__in=texts))


def _keys(text: str) -> list[str]:
    """Return the keys of everything the text may be. Labels may hold colons: each colon may be the border."""
    colons = [position for position, character in enumerate(text) if character == ":"]
    return [
        matching.external_id_key(text),
        matching.device_key(text),
        matching.device_key(text, identified=True),
        *(matching.alias_key(text[:colon], text[colon + 1 :]) for colon in colons),
    ]
