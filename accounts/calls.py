"""What is kept of partners' calls: how many came with each key, and every refusal. Never a body.

Both are written after a call was dealt with, each by a statement of its own that does not wait for the disk: a call
is not to become slower by being counted, and a power cut may take the counts of its last moment with it. Neither
ever fails the answer, nor keeps it waiting for long: where another writer has the whole database, as on SQLite, a
call is rather not counted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.db import Error, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet, Sum

from accounts import keys
from accounts.models import DataImportKey, KeyCalls, RejectedCall, User, Workspace
from accounts.partners import THROTTLED

log = structlog.get_logger("rollcall.calls")
Cause = RejectedCall.Cause
SHARDS = 16
RECENT = timedelta(days=30)
# A 404 concerns an address, or a cohort that was deleted here, whose page says so; 503 passes by itself.
KEPT = frozenset({400, 401, 413, 415, 429})
# Of one workspace, or of nobody: what calls no key of a workspace cannot hide what calls one of its own.
MAX_ROWS_A_MINUTE = 50
LARGEST = 2**63 - 1
# How long other writers are waited for on SQLite: partners give up after 10 s, and a file's import may take longer.
PATIENCE = 500  # milliseconds
_OUR_PREFIX = re.compile(r"r[ck]_[A-Za-z0-9_-]{8}")


class Counts(NamedTuple):
    """How many calls came with a key: in the last 30 days, and ever."""

    recent: int = 0
    total: int = 0


@dataclass(frozen=True)
class Rejection:
    """A call that was refused. `reason` holds no value of the body; `key_prefix` is blank if it was no key of ours."""

    workspace_id: int | None
    partner: str
    endpoint: str
    status: int
    cause: RejectedCall.Cause
    reason: str
    key_prefix: str
    address: str | None
    body_bytes: int

    def fingerprint(self, minute: datetime) -> str:
        """Return 32 characters that the calls of a minute share that make one row."""
        whose = [self.workspace_id, self.partner, self.endpoint, self.key_prefix, self.address]
        what = [self.status, self.cause, self.reason, minute.isoformat()]
        return hashlib.blake2b(json.dumps(whose + what).encode(), digest_size=16).hexdigest()

    def folded(self) -> Rejection:
        """Return what is kept of it once there are too many: whose it was, and the answer."""
        return replace(
            self, partner="", endpoint="", cause=Cause.OTHERS, reason="", key_prefix="", address=None
        )


# --- counts ------------------------------------------------------------------------------------------------
# Written out: it runs with every call. `{unhurried}` is explained in `_execute`.
_COUNT = """
    INSERT INTO accounts_keycalls AS k (key_id, day, shard, call_count, refused_count)
    SELECT %s, %s, %s, 1, %s WHERE {unhurried}
    ON CONFLICT (key_id, day, shard) DO UPDATE
    SET call_count = k.call_count + 1, refused_count = k.refused_count + excluded.refused_count
"""


def count(*, key: DataImportKey, is_refused: bool, now: datetime) -> None:
    """Count a call with a valid key on its day of UTC. Call it outside of transactions.

    Calls side by side are those of different processes; each process has, more or less, a row of its own.
    """
    try:
        _execute(_COUNT, [key.pk, now.date(), os.getpid() % SHARDS, int(is_refused)])
    except Error as error:
        _tell("call_not_counted", error)


def counts_of(*, keys: Iterable[DataImportKey], now: datetime) -> dict[int, Counts]:
    """Return the calls of each of the keys by its id, in one query; those never used have none."""
    since = (now - RECENT).date()
    sums = KeyCalls.objects.filter(key__in=[key.pk for key in keys]).values_list("key_id")
    rows = sums.annotate(recent=Sum("call_count", filter=Q(day__gt=since)), total=Sum("call_count"))
    return {key_id: Counts(recent or 0, total) for key_id, recent, total in rows}


# --- refusals ----------------------------------------------------------------------------------------------
_AGAIN = """
    UPDATE accounts_rejectedcall SET call_count = call_count + 1, last_at = %s, body_bytes = %s
    WHERE fingerprint = %s AND {unhurried}
"""
_KEEP = """
    INSERT INTO accounts_rejectedcall AS r (
        workspace_id, partner, endpoint, minute_at, last_at, status, cause, reason, key_prefix, address, body_bytes,
        call_count, fingerprint
    )
    SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s WHERE {unhurried}
    ON CONFLICT (fingerprint) DO UPDATE
    SET call_count = r.call_count + 1, last_at = excluded.last_at, body_bytes = excluded.body_bytes
"""


def reject(*, rejection: Rejection, now: datetime) -> None:
    """Keep a refusal: one row for all that are alike in a minute. Call it outside of transactions.

    Of each workspace, and of those with nobody's key, MAX_ROWS_A_MINUTE different ones are kept (a few more if they
    come at once); the rest make one row for each answer, so that a flood leaves no flood.
    """
    try:
        _keep(rejection, now.replace(second=0, microsecond=0), now)
        if rejection.workspace_id and rejection.status != THROTTLED:
            keys.note_next_use(workspace_id=rejection.workspace_id, partner=rejection.partner, now=now)
    except Error as error:
        _tell("rejected_call_not_kept", error)


def _keep(rejection: Rejection, minute: datetime, now: datetime) -> None:
    size = min(max(rejection.body_bytes, 0), LARGEST)
    last_at, minute_at = map(connection.ops.adapt_datetimefield_value, (now, minute))
    if _execute(_AGAIN, [last_at, size, rejection.fingerprint(minute)]):
        return
    same_minute = RejectedCall.objects.filter(workspace=rejection.workspace_id, minute_at=minute)
    if same_minute[:MAX_ROWS_A_MINUTE].count() == MAX_ROWS_A_MINUTE:
        rejection = rejection.folded()
    whose = [rejection.workspace_id, rejection.partner, rejection.endpoint, minute_at, last_at]
    what = [rejection.status, rejection.cause.value, rejection.reason[:300], rejection.key_prefix]
    _execute(_KEEP, [*whose, *what, rejection.address, size, rejection.fingerprint(minute)])


def prefix_of(secret: str) -> str:
    """Return what a key is recognised by; "" if the secret does not look like a key: it may be somebody's password."""
    found = _OUR_PREFIX.match(secret)
    return found[0] if found else ""


def visible(*, workspace: Workspace, reader: User) -> QuerySet[RejectedCall]:
    """Return the rejected calls that a member of staff may see while working in a workspace.

    A call belongs to the workspace whose key it came with, valid or invalidated. One with nobody's key is shown to
    the staff of the only workspace there is, or else to operators: it cannot be told whom it was meant for.
    """
    is_only = not Workspace.objects.exclude(pk=workspace.pk).exists()
    return RejectedCall.objects.for_workspace(workspace, and_nobodys=reader.is_superuser or is_only)


def forget(*, before: datetime) -> int:
    """Delete the rejected calls of minutes before a moment; return how many rows that were."""
    count, _by_model = RejectedCall.objects.filter(minute_at__lt=before).delete()
    return count


def _tell(event: str, error: Error) -> None:
    log.error(event, exception=type(error).__qualname__)  # its message may hold what was to be written


def _execute(sql: str, params: Sequence[Any]) -> int:
    """Run a statement whose loss in a power cut would not matter, without waiting for the disk; return its rows.

    On PostgreSQL the statement itself says so, for its own transaction: no other statement goes to the server. On
    SQLite the connection does, which keeps the database whole all the same; writes that follow wait for the disk, and
    for other writers, as before.
    """
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            return _rows(cursor, sql, "true", params)
        if connection.vendor == "postgresql":
            return _rows(cursor, sql, "set_config('synchronous_commit', 'off', true) = 'off'", params)
        pragma = connection.connection.execute
        (as_before,) = pragma("PRAGMA busy_timeout").fetchone()
        pragma("PRAGMA synchronous=NORMAL")
        pragma(f"PRAGMA busy_timeout={PATIENCE}")
        try:
            return _rows(cursor, sql, "true", params)
        finally:
            pragma("PRAGMA synchronous=FULL")
            pragma(f"PRAGMA busy_timeout={as_before}")


def _rows(cursor: CursorWrapper, sql: str, unhurried: str, params: Sequence[Any]) -> int:
    cursor.execute(sql.format(unhurried=unhurried), params)
    rows: int = cursor.rowcount
    return rows
