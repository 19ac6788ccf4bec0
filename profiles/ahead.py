"""How files are imported quickly: what comes next is read while the database writes what was read before."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
# Rows by the ten thousand live as long as their batch, and none of them in a circle: to look for circles every 700
# objects took half of the time.
_SELDOM = 500_000


def read(items: Iterator[Item]) -> Generator[Item]:
    """Yield items, and make the next one meanwhile in a thread."""
    with _seldom_looking_for_circles(), ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


@contextmanager
def _seldom_looking_for_circles() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
