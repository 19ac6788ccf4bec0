"""A witness of the change marker: the test database itself notes who was written, whatever code wrote it.

Triggers note every insert, update and delete of profiles, identifiers and events, and every record of
`profiles/changes.py`, each with the transaction it was made in. What one transaction wrote, its records must name.
A transaction of a test that is itself inside one is a savepoint, so they are numbered here, as they begin.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from profiles import bitmaps
from profiles.models import CustomEvent, Identifier, Profile, ProfileChange

Kind = ProfileChange.Kind
OUTSIDE = 0  # of any transaction: what tests write to set up
TABLES = """
    DROP TABLE IF EXISTS test_marker_write;
    DROP TABLE IF EXISTS test_marker_record;
    CREATE TABLE test_marker_write (unit integer, workspace_id integer, profile_id integer, kind varchar(10));
    CREATE TABLE test_marker_record (unit integer, workspace_id integer, kind varchar(10), members {blob});
"""
TRIGGER = {
    "postgresql": """
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO {into} SELECT coalesce(nullif(current_setting('rollcall.unit', true), ''), '0')::integer, {noted};
            RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER {name} AFTER {operation} ON {table} FOR EACH ROW {when}
            EXECUTE FUNCTION {name}();
    """,
    "sqlite": """
        DROP TRIGGER IF EXISTS {name};
        CREATE TRIGGER {name} AFTER {operation} ON {table} FOR EACH ROW {when} BEGIN
            INSERT INTO {into} SELECT marker_unit(), {noted};
        END;
    """,
}
_units = itertools.count(1)


class _Here(threading.local):
    """The transactions that this thread is in, the outermost first, and the number of that one."""

    def __init__(self) -> None:
        self.entered: list[transaction.Atomic] = []
        self.unit = OUTSIDE


_here = _Here()


def _columns(row: str, model: type[Profile], *left_out: str) -> str:
    names = [field.column for field in model._meta.concrete_fields if field.column not in left_out]
    return "(" + ", ".join(f"{row}.{name}" for name in names) + ")"


def _differs(model: type[Profile], *left_out: str) -> str:
    operator = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return f"{_columns('OLD', model, *left_out)} {operator} {_columns('NEW', model, *left_out)}"


def _triggers() -> Iterator[dict[str, str]]:
    """Yield what every trigger notes, of which rows, when."""
    profile, identifier, event = (model._meta.db_table for model in (Profile, Identifier, CustomEvent))
    existence, attributes, events = (
        f"'{kind.value}'" for kind in (Kind.EXISTENCE, Kind.ATTRIBUTES, Kind.EVENTS)
    )
    yield _trigger(profile, "INSERT", "NEW", "id", existence)
    yield _trigger(profile, "DELETE", "OLD", "id", existence)
    was_erased = "CASE WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)"
    kind = f"{was_erased} THEN {existence} ELSE {attributes} END"
    yield _trigger(profile, "UPDATE", "NEW", "id", kind, when=_differs(Profile, "changed_at"))
    for table, kind in ((identifier, attributes), (event, events)):
        for operation, rows in {"INSERT": ["NEW"], "DELETE": ["OLD"], "UPDATE": ["NEW", "OLD"]}.items():
            for row in rows:
                yield _trigger(table, operation, row, "profile_id", kind)
    yield {
        "name": "test_marker_recorded",
        "table": ProfileChange._meta.db_table,
        "operation": "INSERT",
        "into": "test_marker_record",
        "noted": "NEW.workspace_id, NEW.kind, NEW.members",
        "when": "",
    }


def _trigger(table: str, operation: str, row: str, profile: str, kind: str, when: str = "") -> dict[str, str]:
    workspace = f"(SELECT p.workspace_id FROM profiles_profile p WHERE p.id = {row}.{profile})"
    if table != CustomEvent._meta.db_table:
        workspace = f"{row}.workspace_id"
    return {
        "name": f"test_marker_{table}_{operation}_{row}".lower(),
        "table": table,
        "operation": operation,
        "into": "test_marker_write",
        "noted": f"{workspace}, {row}.{profile}, {kind}",
        "when": f"WHEN ({when})" if when else "",
    }


def install() -> None:
    """Put the triggers into the test database, and number the transactions from now on."""
    connection_created.connect(_lend_unit)
    connection.ensure_connection()
    _lend_unit(connection=connection)
    sql = TABLES.format(blob="bytea" if connection.vendor == "postgresql" else "blob")
    sql += "".join(TRIGGER[connection.vendor].format(**it) for it in _triggers())
    if connection.vendor == "sqlite":
        connection.connection.executescript(sql)
    else:
        connection.connection.execute(sql)
    transaction.Atomic.__enter__ = _numbering(transaction.Atomic.__enter__)
    transaction.Atomic.__exit__ = _ending(transaction.Atomic.__exit__)


def _lend_unit(*, connection, **_):
    """Let the triggers of a new SQLite connection ask for the number."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("marker_unit", 0, lambda: _here.unit)


def _is_transaction(atomic: transaction.Atomic) -> bool:
    return atomic.savepoint and not atomic._from_testcase


def _numbering(enter):
    def entered(atomic):
        enter(atomic)
        if _is_transaction(atomic):
            if not _here.entered:
                _tell(next(_units))
            _here.entered.append(atomic)

    return entered


def _ending(leave):
    def left(atomic, *error):
        try:
            leave(atomic, *error)
        finally:
            if _is_transaction(atomic):
                _here.entered.pop()
                if not _here.entered:
                    _tell(OUTSIDE)

    return left


def _tell(number: int) -> None:
    _here.unit = number
    if connection.vendor == "postgresql" and _can_ask():
        _rows(f"SELECT set_config('rollcall.unit', '{number}', false)")


def _can_ask() -> bool:
    """Whether there is a connection, and no broken transaction on it: that can write nothing either."""
    raw = connection.connection
    if raw is None or connection.vendor != "postgresql":
        return raw is not None
    return raw.info.transaction_status in {TransactionStatus.IDLE, TransactionStatus.INTRANS}


def _rows(sql: str) -> list[tuple]:
    """Run a statement past Django, so that no test counts it."""
    cursor = connection.connection.cursor()
    cursor.execute(sql)
    return cursor.fetchall() if cursor.description else []


class Write(NamedTuple):
    """That a transaction wrote a profile."""

    unit: int
    workspace_id: int
    profile_id: int
    kind: str


class Witness:
    """What was written and recorded since `forget`."""

    def forget(self) -> None:
        """Begin anew."""
        connection.ensure_connection()
        _rows("DELETE FROM test_marker_write")
        _rows("DELETE FROM test_marker_record")

    def writes(self) -> set[Write]:
        """Return all that was written."""
        return {Write(*row) for row in _rows("SELECT DISTINCT * FROM test_marker_write")}

    def forgotten(self) -> set[Write]:
        """Return the writes that their own transaction did not record; what tests set up need not be."""
        if not _can_ask():
            return set()
        recorded = {
            Write(number, workspace_id, profile_id, kind)
            for number, workspace_id, kind, blob in _rows("SELECT * FROM test_marker_record")
            for profile_id in bitmaps.unpack(blob)
        }
        return {
            it
            for it in self.writes()
            if it.unit != OUTSIDE and not {it, it._replace(kind=Kind.EXISTENCE.value)} & recorded
        }

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Prove of what is done inside: it writes, always in a transaction, and records all that it writes."""
        self.forget()
        yield
        written = self.writes()
        assert written, "nothing was written: there is nothing to prove"
        assert {it for it in written if it.unit == OUTSIDE} == set(), "written outside any transaction"
        assert self.forgotten() == set(), "written, and not told to profiles/changes.py"
