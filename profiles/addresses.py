"""Who is meant by an e-mail address or a phone number, which may be several people's: the database decides.

Nobody is loaded for it: an address may be the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import orjson
from django.db import connection


class Priority(StrEnum):
    """Who is meant when an address is several people's: the first two leave out the others, the last two decide."""

    IDENTIFIED = "identified"
    UNIDENTIFIED = "unidentified"
    NEWEST = "most_recently_updated"
    OLDEST = "least_recently_updated"


class Address(NamedTuple):
    """A value of the column `email` or `phone`, and who of several is meant.

    Without priorities an identified user first, and of several the one changed last.
    """

    column: str
    value: str
    priorities: frozenset[Priority] = frozenset()


_WHOSE = {
    Priority.IDENTIFIED: "AND p.external_id IS NOT NULL",
    Priority.UNIDENTIFIED: "AND p.external_id IS NULL",
}
_WHICH = {
    Priority.NEWEST: "ORDER BY p.changed_at DESC, p.id DESC LIMIT 1",
    Priority.OLDEST: "ORDER BY p.changed_at, p.id LIMIT 1",
}
_PREFERRED = "ORDER BY p.external_id IS NULL, p.changed_at DESC, p.id DESC LIMIT 1"
_SEVERAL = "LIMIT 2"
_TEXTS = {"postgresql": "json_array_elements_text(%s::json)", "sqlite": "json_each(%s)"}


def holders(*, workspace_id: int, addresses: Iterable[Address]) -> dict[Address, int]:
    """Return the live profile that each address means, in one query; those that mean nobody are missing.

    Nobody is meant where the priorities leave several, and do not decide.
    """
    values: dict[tuple[str, frozenset[Priority]], list[str]] = {}
    for address in addresses:
        if address.value:
            values.setdefault((address.column, address.priorities), []).append(address.value)
    if not values:
        return {}
    groups = list(values)
    sql = " UNION ALL ".join(_selection(number, *group) for number, group in enumerate(groups))
    parameters = [it for group in groups for it in (workspace_id, orjson.dumps(values[group]).decode())]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = cursor.fetchall()
    return {
        Address(column, value, priorities): holder
        for number, value, holder in found
        if holder
        for column, priorities in [groups[number]]
    }


def _selection(number: int, column: str, priorities: frozenset[Priority]) -> str:
    """Return a statement that selects the one holder of each value of a group.

    `NOT (… = '')` is the condition of the index: SQLite takes that only as it was written.
    """
    whose = next((sql for priority, sql in _WHOSE.items() if priority in priorities), "")
    which = next((sql for priority, sql in _WHICH.items() if priority in priorities), _SEVERAL)
    return f"""
        SELECT {number}, k.value, (
            SELECT CASE COUNT(*) WHEN 1 THEN MIN(id) END FROM (
                SELECT p.id FROM profiles_profile p
                WHERE p.workspace_id = %s AND p.{column} = k.value AND NOT (p.{column} = '')
                AND p.deleted_at IS NULL {whose} {which if priorities else _PREFERRED}
            ) AS meant
        ) FROM {_TEXTS[connection.vendor]} k
    """  # noqa: S608 - texts of ours
