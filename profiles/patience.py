"""Statements that take a while on PostgreSQL: whoever waits hears of it now and then, and may give up.

The connection's socket is watched instead of waited for, so no thread is needed. Giving up, which is closing the
generator, makes the server end its work, and leaves the connection fit for the next statement.
"""

from __future__ import annotations

import select
from collections.abc import Generator, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.pq import ExecStatus, Format

SIGN_OF_LIFE = 0.1  # seconds


def fetch_value(sql: str, params: Sequence[Any]) -> Generator[None, None, bytes | None]:
    """Return the one value of a statement in PostgreSQL's binary form; yields while the database works on it."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw = connection.connection
        command = psycopg.ClientCursor(raw).mogrify(sql, params)
        raw.pgconn.send_query_params(command.encode(), None, result_format=Format.BINARY)
        try:
            yield from _until_ready(raw.pgconn)
            result = raw.pgconn.get_result()
        except GeneratorExit:
            raw.cancel_safe(timeout=5)
            raise
        finally:
            while raw.pgconn.get_result() is not None:
                pass
        if result is None or result.status != ExecStatus.TUPLES_OK:
            raise psycopg.errors.error_from_result(result)
        value: bytes | None = result.get_value(0, 0)
        return value


def _until_ready(server: Any) -> Generator[None, None, None]:
    while server.is_busy():
        if select.select([server.socket], [], [], SIGN_OF_LIFE)[0]:
            server.consume_input()
        else:
            yield
