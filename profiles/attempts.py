"""A transaction that other writers may get in the way of: done again from its beginning until it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

MAX_ATTEMPTS = 5
PATIENT_ATTEMPTS = 2
_DEADLOCK = "40P01"

Done = TypeVar("Done")


class OutdatedError(Exception):
    """What was looked up has changed before it was locked."""


class ContendedError(OperationalError):
    """Others came first each time: passing, so the same call may come again (503)."""


def run(work: Callable[[], Done], *, alone: Callable[[], None] | None = None) -> Done:
    """Return what `work` returns, done in a transaction of its own.

    From the beginning again when another writer took one of its identifiers (IntegrityError) or changed what it had
    looked up (OutdatedError), and when the database chose it to end a deadlock. Large work, which would always meet
    somebody, gives `alone`: it is called first in the last attempts, and takes a lock that keeps the others out.
    Raises ContendedError in the end.
    """
    met: Exception | None = None
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with transaction.atomic():
                if alone and attempt > PATIENT_ATTEMPTS:
                    alone()
                return work()
        except (IntegrityError, OutdatedError) as error:
            met = error
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _DEADLOCK:
                raise
            met = error
    raise ContendedError(f"{MAX_ATTEMPTS} attempts met other writers.") from met
