"""Which profiles an SQL condition selects. Ids leave PostgreSQL packed: 1 s for 5 million, where rows take 3 to 11 s.

Whoever waits for a whole table to be looked through sees how far it came, and may give it up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from django.db import connection, transaction
from pyroaring import BitMap

from profiles import bitmaps, changes, iso_times, patience, patterns

RANGE = 100_000  # ids that one statement looks at on SQLite; with fewer, a table is small
COLUMNS = 200  # conditions in one statement

Step = TypeVar("Step")
Told = TypeVar("Told")
Returned = TypeVar("Returned")
Progress = float  # of all that is to be done, from 0 to 1


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


def finish(work: Generator[Any, None, Returned]) -> Returned:
    """Return what a generator returns, without a look at what it yields on the way."""
    try:
        while True:
            next(work)
    except StopIteration as stop:
        returned: Returned = stop.value
        return returned


def telling(
    work: Generator[Step, None, Returned], tell: Callable[[Step], Told]
) -> Generator[Told, None, Returned]:
    """Return what a generator returns, and yield in other words what it yields."""
    with closing(work):
        while True:
            try:
                step = next(work)
            except StopIteration as stop:
                returned: Returned = stop.value
                return returned
            yield tell(step)


def everywhere(*, workspace_id: int, query: Query) -> Generator[Progress, None, BitMap]:
    """Return all profiles that a query selects; erased ones may be among them unless it asks for PROFILES.

    Yields how far it came, now and then. Closing the generator ends the work, in the database too.
    """
    highest = _highest_id(workspace_id)
    if connection.vendor == "postgresql":
        return (yield from _packed(workspace_id, query, highest))
    return (yield from _by_ranges(workspace_id, query, highest))


def _packed(workspace_id: int, query: Query, highest: int) -> Generator[Progress, None, BitMap]:
    """Return the ids, which PostgreSQL may look for in parallel in the subquery; the aggregate itself it may not.

    It would not, either, if it thought that rows cost much on their way from one process to the other. How far it
    came is guessed by how long the last statement took.
    """
    source, params = _from(workspace_id, query)
    column = _SOURCES[query.table].column
    sql = f"SELECT string_agg(int4send(id), ''::bytea) FROM (SELECT {column} AS id {source}) AS selected"  # noqa: S608
    started, expected = monotonic(), max(highest, 1) * _pace.seconds_per_id
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL parallel_tuple_cost = 0")
        packed = yield from telling(
            patience.fetch_value(sql, params),
            lambda _waited: min(0.95, (monotonic() - started) / expected),
        )
    _pace.note(highest, monotonic() - started)
    return BitMap(bitmaps.from_packed_ids(packed))


class _Pace:
    """How long it took this process to look a whole table through, the last time that it was a large one."""

    seconds_per_id = 1e-6

    def note(self, ids: int, seconds: float) -> None:
        if ids >= RANGE:  # what a small table takes is the database's mood
            self.seconds_per_id = seconds / ids


_pace = _Pace()


def _by_ranges(workspace_id: int, query: Query, highest: int) -> Generator[Progress, None, BitMap]:
    column, found = _SOURCES[query.table].column, BitMap()
    for first in range(0, highest + 1, RANGE):
        yield first / (highest + 1)
        source, params = _from(workspace_id, query)
        with _sqlite() as cursor:
            sql = f"SELECT {column} {source} AND {column} BETWEEN %s AND %s"
            cursor.execute(sql, [*params, first, first + RANGE - 1])
            found.update(row[0] for row in cursor.fetchall())
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


def _from(workspace_id: int, query: Query) -> tuple[str, list[Any]]:
    """Return the part of a statement after what it selects, and its parameters."""
    source = _SOURCES[query.table]
    conditions = " AND ".join(filter(None, [source.scope, source.event, f"({query.where})"]))
    named = [workspace_id, query.event] if source.event else []
    return f"FROM {source.table} WHERE {conditions}", [workspace_id, *named, *query.params]


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


# What the statements for SQLite call; PostgreSQL has all of it.
_FUNCTIONS: Sequence[tuple[str, int, Callable[..., Any]]] = (
    (patterns.FUNCTION, 2, patterns.matches_value),
    (iso_times.FUNCTION, 1, iso_times.comparable),
)


def _sqlite() -> Any:
    """Return a cursor of a connection that has these functions."""
    connection.ensure_connection()
    teach(connection.connection)
    return connection.cursor()


def teach(sqlite: Any) -> None:
    """Let a connection of SQLite know these functions, once: while a statement runs, none can be made anew."""
    known = "SELECT 1 FROM pragma_function_list WHERE name = ?"
    for name, arity, function in _FUNCTIONS:
        if sqlite.execute(known, [name]).fetchone() is None:
            sqlite.create_function(name, arity, function, deterministic=True)
