"""Pages of a list whose rows are known as a bitmap: neither counting nor the last page asks the whole table."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from pyroaring import BitMap


class BitmapPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the rows in `members`, highest id first. At 10 million rows every page costs the same."""

    def __init__(self, rows: QuerySet[Any], per_page: int, *, members: BitMap) -> None:
        super().__init__(rows, per_page)
        self.rows, self.members = rows, members

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.members)

    def page(self, number: int | str) -> Page[Any]:
        """Return one page: its ids come from the bitmap, its rows by their primary keys."""
        number = self.validate_number(number)
        end = self.count - (number - 1) * self.per_page
        ids = self.members[max(end - self.per_page, 0) : end]
        return Page(self.rows.filter(pk__in=list(ids)), number, self)
