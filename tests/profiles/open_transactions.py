"""Transactions that are open while others read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def open_transaction(work: Callable[[], object]) -> Iterator[None]:
    """Do `work` in another connection, and commit it only when the block ends."""
    done, leave = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                leave.wait(20)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            done.set()
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert done.wait(20)
    try:
        yield
    finally:
        leave.set()
        writer.join(20)
    assert not writer.is_alive()
    assert failed == []
