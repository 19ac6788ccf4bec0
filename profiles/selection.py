"""Which profiles an SQL condition selects. Ids leave PostgreSQL packed: 1 s for 5 million, where rows take 3 to 11 s.

A whole table is looked through by ranges of ids, so that whoever waits sees how far it came, and may give it up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from pyroaring import BitMap

from profiles import bitmaps, changes, iso_times, patterns

RANGE = 1_000_000  # ids that one statement looks at: about a fifth of a second on PostgreSQL
ROWS_AT_ONCE = 100_000
COLUMNS = 200  # conditions in one statement

Returned = TypeVar("Returned")


class Table(Enum):
    """What a condition is about: profiles (`p`), their identifiers (`i`) or their events (`e`)."""

    PROFILES = "profiles"
    IDENTIFIERS = "identifiers"
    EVENTS = "events"


class _Source(NamedTuple):
    """A table with its alias, its column of profiles, what binds it to a workspace, and to an event's name."""

    table: str
    column: str
    scope: str
    event: str = ""


_SOURCES = {
    Table.PROFILES: _Source("profiles_profile p", "p.id", "p.workspace_id = %s AND p.deleted_at IS NULL"),
    Table.IDENTIFIERS: _Source("profiles_identifier i", "i.profile_id", "i.workspace_id = %s"),
    # An event's name belongs to a workspace, its totals to the name.
    Table.EVENTS: _Source(
        "profiles_customevent e",
        "e.profile_id",
        "e.name_id IN (SELECT n.id FROM profiles_eventname n WHERE n.workspace_id = %s)",
        "e.name_id = (SELECT n.id FROM profiles_eventname n WHERE n.workspace_id = %s"
        " AND n.kind = 'custom' AND n.name = %s AND n.currency = '')",
    ),
}


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
    ranges = range(0, highest + 1, RANGE) if query.table is not Table.IDENTIFIERS else range(1)
    found = BitMap()
    for number, first in enumerate(ranges):
        yield Progress(number, len(ranges))
        within = f"{_SOURCES[query.table].column} BETWEEN %s AND %s" if len(ranges) > 1 else ""
        found |= _ids(workspace_id, query, within, [first, first + RANGE - 1] if within else [])
    return found


def among(*, workspace_id: int, queries: Collection[Query], profile_ids: BitMap) -> dict[Query, BitMap]:
    """Return whom of some profiles each query selects: one statement per table, however many queries there are."""
    found = {query: BitMap() for query in queries}
    for table in Table:
        asked = [query for query in found if query.table is table]
        for some in _batches(asked) if profile_ids else ():
            for profile_id, *answers in _answers(workspace_id, table, some, profile_ids):
                for query, is_selected in zip(some, answers, strict=True):
                    if is_selected:
                        found[query].add(profile_id)
    return found


def _batches(queries: Sequence[Query]) -> Iterator[Sequence[Query]]:
    return (queries[start : start + COLUMNS] for start in range(0, len(queries), COLUMNS))


def _highest_id(workspace_id: int) -> int:
    rows = bitmaps.fetch("SELECT max(id) FROM profiles_profile WHERE workspace_id = %s", [workspace_id])
    return rows[0][0] or 0


def _ids(workspace_id: int, query: Query, within: str, bounds: list[Any]) -> BitMap:
    source = _SOURCES[query.table]
    conditions = " AND ".join(filter(None, [source.scope, source.event, within, f"({query.where})"]))
    named = [workspace_id, query.event] if source.event else []
    params = [workspace_id, *named, *bounds, *query.params]
    return _SELECT[connection.vendor](f"FROM {source.table} WHERE {conditions}", source.column, params)


def _packed(source: str, column: str, params: list[Any]) -> BitMap:
    # The ids come from a subquery, which PostgreSQL may run in parallel; the aggregate itself it may not.
    sql = f"SELECT string_agg(int4send(id), ''::bytea) FROM (SELECT {column} AS id {source}) AS selected"  # noqa: S608
    return BitMap(bitmaps.from_packed_ids(bitmaps.fetch(sql, params)[0][0]))


def _rows(source: str, column: str, params: list[Any]) -> BitMap:
    with _sqlite() as cursor:
        cursor.execute(f"SELECT {column} {source}", params)
        chunks = iter(lambda: cursor.fetchmany(ROWS_AT_ONCE), [])
        return BitMap(chain.from_iterable(chain.from_iterable(chunks)))


_SELECT: Mapping[str, Callable[[str, str, list[Any]], BitMap]] = {"postgresql": _packed, "sqlite": _rows}


def _answers(
    workspace_id: int, table: Table, queries: Sequence[Query], profile_ids: BitMap
) -> list[tuple[Any, ...]]:
    """Return rows of a profile's id and whether each query holds for it."""
    source, ids = _SOURCES[table], profile_ids.to_array().tolist()
    is_named = f"{source.event} AND " if source.event else ""
    columns = ", ".join(f"({is_named}({query.where}))" for query in queries)
    params = [
        param
        for query in queries
        for param in (*([workspace_id, query.event] if source.event else []), *query.params)
    ]
    listed = (
        "= ANY(%s::integer[])"
        if connection.vendor == "postgresql"
        else "IN (SELECT value FROM json_each(%s))"
    )
    sql = f"SELECT {source.column}, {columns} FROM {source.table} WHERE {source.scope} AND {source.column} {listed}"  # noqa: S608
    if connection.vendor == "postgresql":
        return bitmaps.fetch(sql, [*params, workspace_id, ids])
    with _sqlite() as cursor:
        cursor.execute(sql, [*params, workspace_id, str(ids)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _sqlite() -> Any:
    """Return a cursor of a connection that knows patterns and times."""
    connection.ensure_connection()
    for taught in (patterns, iso_times):
        taught.teach(connection.connection)
    return connection.cursor()
