"""Sets of profile ids as roaring bitmaps: how they are stored and fetched.

A blob is one version byte and the portable roaring format. Blobs are read with psycopg's own cursor in binary:
1 ms per 1.25 MB, where the ORM's text cursor takes hexadecimal twice the size and 4 to 6 ms.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import psycopg
from django.db import connection
from pyroaring import BitMap

VERSION = b"\x01"
MAX_SQL_IDS = 10_000


class BlobVersionError(ValueError):
    """A stored bitmap has a version this code does not know: it was written by a newer release."""


def pack(members: BitMap) -> bytes:
    """Return the blob of a bitmap."""
    return VERSION + members.serialize()


def unpack(blob: bytes | memoryview | None) -> BitMap:
    """Return the bitmap of a blob; an empty one for none.

    Raises BlobVersionError for an unknown version.
    """
    if not blob:
        return BitMap()
    data = bytes(blob)
    if data[:1] != VERSION:
        raise BlobVersionError(f"bitmap version {data[0]}, this release reads {VERSION[0]}")
    return BitMap.deserialize(data[1:])


def from_packed_ids(packed: bytes | memoryview | None) -> array[int]:
    """Return the numbers that PostgreSQL packed with `int4send`: 4 bytes each, big-endian."""
    numbers = array("I", bytes(packed or b""))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a query that returns blobs, inside the current transaction, by the database's fastest way."""
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            return cursor.execute(sql.encode(), params, binary=True).fetchall()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def store(sql: str, params: Sequence[Any]) -> None:
    """Run a statement that writes blobs, as binary parameters instead of hexadecimal in the statement's text."""
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(sql.encode(), params, binary=True)
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def as_parameter(values: Iterable[Any]) -> Any:
    """Return values as the one parameter of `= ANY(%s)` on PostgreSQL, of `json_each(%s)` on SQLite."""
    return list(values) if connection.vendor == "postgresql" else orjson.dumps(list(values)).decode()


def placeholders(values: Sequence[Any] | Iterable[Any]) -> str:
    """Return `%s, %s, …`, one for each value."""
    return ", ".join("%s" for _ in values)
