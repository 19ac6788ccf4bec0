"""Which profiles an SQL condition selects. Ids leave PostgreSQL packed: 1 s for 5 million, where rows take 3 to 11 s.

A whole table is looked through by ranges of ids, so that whoever waits sees how far it came, and may give it up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from pyroaring import BitMap

from profiles import bitmaps, changes, patterns

RANGE = 1_000_000  # ids that one statement looks at: about a fifth of a second on PostgreSQL
ROWS_AT_ONCE = 100_000

Returned = TypeVar("Returned")


class Table(Enum):
    """What a condition is about: the table with its alias, its column of profiles, and what binds it to a workspace."""

    PROFILES = ("profiles_profile p", "p.id", "p.workspace_id = %s AND p.deleted_at IS NULL")
    IDENTIFIERS = ("profiles_identifier i", "i.profile_id", "i.workspace_id = %s")
    EVENTS = (
        "profiles_customevent e",
        "e.profile_id",
        "e.name_id = (SELECT n.id FROM profiles_eventname n WHERE n.workspace_id = %s"
        " AND n.kind = 'custom' AND n.name = %s AND n.currency = '')",
    )


@dataclass(frozen=True)
class Query:
    """The profiles that have a row of a table for which `where` holds.

    `where` is SQL of ours for the database in use, with `%s` for each of `params`; on EVENTS, `event` names the
    event. `kind` says which changes of a profile may change the answer.
    """

    where: str
    params: tuple[Any, ...] = ()
    table: Table = Table.PROFILES
    kind: changes.Kind = changes.Kind.ATTRIBUTES
    event: str = ""

    @property
    def digest(self) -> bytes:
        """What the query is known by: 16 bytes, the same for the same question."""
        question = (self.table.name, self.kind.value, self.where, self.params, self.event)
        return blake2b(repr(question).encode(), digest_size=16).digest()


class Progress(NamedTuple):
    """How many of all steps are done."""

    done: int
    whole: int


def finish(work: Generator[Any, None, Returned]) -> Returned:
    """Return what a generator returns, without a look at what it yields on the way."""
    try:
        while True:
            next(work)
    except StopIteration as stop:
        returned: Returned = stop.value
        return returned


def everywhere(*, workspace_id: int, query: Query) -> Generator[Progress, None, BitMap]:
    """Return all profiles that a query selects; erased ones may be among them unless it asks for PROFILES.

    Yields how far it came before each of its statements.
    """
    highest = _highest_id(workspace_id)
    ranges = range(0, highest + 1, RANGE) if query.table is not Table.IDENTIFIERS else range(0, 1)
    found = BitMap()
    for number, first in enumerate(ranges):
        yield Progress(number, len(ranges))
        within = f"{query.table.value[1]} BETWEEN %s AND %s" if len(ranges) > 1 else ""
        found |= _ids(workspace_id, query, within, [first, first + RANGE - 1] if within else [])
    return found


def among(*, workspace_id: int, query: Query, profile_ids: BitMap) -> BitMap:
    """Return those of some profiles that a query selects."""
    if not profile_ids:
        return BitMap()
    ids = profile_ids.to_array().tolist()
    column = query.table.value[1]
    if connection.vendor == "postgresql":
        return _ids(workspace_id, query, f"{column} = ANY(%s::integer[])", [ids])
    return _ids(workspace_id, query, f"{column} IN (SELECT value FROM json_each(%s))", [str(ids)])


def _highest_id(workspace_id: int) -> int:
    rows = bitmaps.fetch("SELECT max(id) FROM profiles_profile WHERE workspace_id = %s", [workspace_id])
    return rows[0][0] or 0


def _ids(workspace_id: int, query: Query, within: str, bounds: list[Any]) -> BitMap:
    table, column, scope = query.table.value
    conditions = " AND ".join(filter(None, [scope, within, f"({query.where})"]))
    named = [query.event] if query.table is Table.EVENTS else []
    return _SELECT[connection.vendor](
        f"FROM {table} WHERE {conditions}", column, [workspace_id, *named, *bounds, *query.params]
    )


def _packed(source: str, column: str, params: list[Any]) -> BitMap:
    # The ids come from a subquery, which PostgreSQL may run in parallel; the aggregate itself it may not.
    sql = f"SELECT string_agg(int4send(id), ''::bytea) FROM (SELECT {column} AS id {source}) AS selected"  # noqa: S608
    return BitMap(bitmaps.from_packed_ids(bitmaps.fetch(sql, params)[0][0]))


def _rows(source: str, column: str, params: list[Any]) -> BitMap:
    connection.ensure_connection()
    patterns.teach(connection.connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} {source}", params)
        chunks = iter(lambda: cursor.fetchmany(ROWS_AT_ONCE), [])
        return BitMap(chain.from_iterable(chain.from_iterable(chunks)))


_SELECT: Mapping[str, Callable[[str, str, list[Any]], BitMap]] = {"postgresql": _packed, "sqlite": _rows}
