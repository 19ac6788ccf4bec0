"""The search for users: who is called exactly so comes first, then those whose identifier begins so.

Every question is one short walk along an index, never a scan of the table: as fast with 10 million users as with ten.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

from django.db import connection
from django.db.models import Case, QuerySet, Value, When

from profiles import matching
from profiles.models import Identifier, Profile

# Emails and phone numbers are no identifiers: several users may share one, in tests by the thousand.
MAX_SHARED = 1_000
MAX_BEGINNING = 50
# One user may have many identifiers that begin alike.
MAX_WALK = 4 * MAX_BEGINNING
MAX_COLONS, MAX_WALKED_KEYS = 500, 5
MAX_ID = 2**31 - 1


class Found(NamedTuple):
    """Whom a text names: exactly, by its beginning (at most MAX_BEGINNING), and whether there are more of those."""

    exact: list[int]
    beginning: list[int]
    is_cut: bool

    def among(self, users: QuerySet[Profile]) -> QuerySet[Profile]:
        """Return those of `users` that were found, the exact ones first."""
        is_exact = Case(When(pk__in=self.exact, then=Value(True)), default=Value(False))
        found = users.filter(pk__in=[*self.exact, *self.beginning])
        return found.annotate(is_exact=is_exact).order_by("-is_exact", "-pk")


def find(*, workspace_id: int, text: str) -> Found:
    """Return who in the workspace has this identifier, ID, email or phone, and whose begins with it.

    What was pasted with spaces around it is looked up without them, too. Case-sensitive, as identifiers are.
    """
    exact = dict.fromkeys(pk for each in {text, text.strip()} - {""} for pk in _exact(workspace_id, each))
    walks = list(_beginning(workspace_id, text.strip() or text))
    others = [pk for pk in dict.fromkeys(chain(*walks)) if pk not in exact]
    is_cut = len(others) > MAX_BEGINNING or any(len(walk) == MAX_WALK for walk in walks)
    return Found(list(exact), others[:MAX_BEGINNING], is_cut)


def by_identifier(*, users: QuerySet[Profile], workspace_id: int, text: str, limit: int = 2) -> list[Profile]:
    """Return those of `users` that have exactly this identifier, ID, email or phone: so many at most."""
    exact = {pk for each in {text, text.strip()} - {""} for pk in _exact(workspace_id, each)}
    return list(users.filter(pk__in=exact)[:limit])


def _exact(workspace_id: int, text: str) -> Iterator[int]:
    yield from matching.lookup(workspace_id=workspace_id, keys=list(_keys(text))).values()
    if _is_id(text):
        yield int(text)
    for column in ("email", "phone"):
        yield from _with(workspace_id, column).filter(**{column: text})[:MAX_SHARED]


def _beginning(workspace_id: int, text: str) -> Iterator[list[int]]:
    """Yield for each kind of identifier some users whose begins with the text, and goes on."""
    if (end := _end(text)) is None:
        return
    for key in islice(_keys(text), MAX_WALKED_KEYS):
        found = Identifier.objects.filter(workspace=workspace_id, key__gt=key, key__lt=_end(key))
        yield list(found.order_by("key").values_list("profile_id", flat=True)[:MAX_WALK])
    for column in ("email", "phone"):
        # Comparing goes by the database's language on PostgreSQL, and LIKE by no index on SQLite.
        begins = {f"{column}__startswith": text}
        if connection.vendor != "postgresql":
            begins = {f"{column}__gte": text, f"{column}__lt": end}
        yield list(_with(workspace_id, column).filter(**begins).exclude(**{column: text})[:MAX_WALK])


def _is_id(text: str) -> bool:
    digits = text.isascii() and text.isdecimal() and not text.startswith("0")
    return digits and len(text) <= len(str(MAX_ID)) and int(text) <= MAX_ID


def _with(workspace_id: int, column: str) -> QuerySet[Profile, int]:
    """Return the ids of those who have something in a column: its index holds no others."""
    users = Profile.objects.filter(workspace=workspace_id, deleted_at=None).exclude(**{column: ""})
    return users.values_list("pk", flat=True)


def _keys(text: str) -> Iterator[str]:
    """Yield the keys of everything the text may be. Labels may hold colons: each colon may be the border."""
    yield matching.external_id_key(text)
    yield matching.device_key(text)
    yield matching.device_key(text, identified=True)
    colons = (position for position, character in enumerate(text) if character == ":")
    for colon in islice(colons, MAX_COLONS):
        yield matching.alias_key(text[:colon], text[colon + 1 :])


def _end(text: str) -> str | None:
    """Return the first text after all that begin with this one, by code points; None if there is none."""
    kept = text.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)  # noqa: PLR2004
