"""Receipts of imported events: each event is counted once, however often and by how many it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
from django.db import connection

from profiles import bitmaps
from profiles.event_rows import DIGEST_BYTES

# Digests go in and come back as one value, packed.
_POSTGRESQL = f"""
    WITH new AS (
        INSERT INTO profiles_eventreceipt (workspace_id, digest)
        SELECT %s, encode(substring(d.packed FROM n * {DIGEST_BYTES} + 1 FOR {DIGEST_BYTES}), 'hex')::uuid
        FROM (SELECT %s::bytea AS packed) AS d, generate_series(0, length(d.packed) / {DIGEST_BYTES} - 1) AS n
        ON CONFLICT DO NOTHING RETURNING digest
    )
    SELECT string_agg(uuid_send(digest), ''::bytea) FROM new
"""  # noqa: S608 - a number of ours
_SQLITE = """
    INSERT INTO profiles_eventreceipt (workspace_id, digest)
    SELECT %s, value FROM json_each(%s) WHERE true
    ON CONFLICT DO NOTHING RETURNING digest
"""


def claim(*, workspace_id: int, digests: Iterable[bytes]) -> set[bytes]:
    """Give receipts for events, and return the digests of those that had none.

    The caller owns the transaction, and counts these events in it. In the order of digests, so that two writers
    never wait for each other in a circle; a second one waits for the first one's end, and then finds its receipts.
    """
    wanted = sorted(set(digests))
    if not wanted:
        return set()
    if connection.vendor == "postgresql":
        ((packed,),) = bitmaps.fetch(_POSTGRESQL, [workspace_id, b"".join(wanted)])
        return set(_unpacked(packed or b""))
    with connection.cursor() as cursor:
        cursor.execute(_SQLITE, [workspace_id, orjson.dumps([it.hex() for it in wanted]).decode()])
        return {bytes.fromhex(digest) for (digest,) in cursor.fetchall()}


def _unpacked(packed: bytes) -> Iterator[bytes]:
    for start in range(0, len(packed), DIGEST_BYTES):
        yield packed[start : start + DIGEST_BYTES]
