"""Pages of a list that grows without end: counting it would read it all, so it is counted up to a limit."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MAX_ROWS = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the first MAX_ROWS rows; filters reach the others."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, MAX_ROWS at most."""
        rows = self.object_list
        return rows.order_by()[:MAX_ROWS].count() if isinstance(rows, QuerySet) else len(rows)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than pages for them."""
        return bool(self.count == MAX_ROWS)
