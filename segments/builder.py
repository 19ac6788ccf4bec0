"""What the builder page needs to know, and what it is told after each edit: everything in words is said here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Workspace
from profiles import numbers
from segments import builder_words, filters
from segments.audience import Counts
from segments.builder_catalogue import catalogue_data, offered
from segments.evaluation import NodeCount
from segments.filters import Fault, Group
from segments.models import Segment


def page_data(
    *, workspace: Workspace, own: Segment | None, definition: Any, faults: Iterable[Fault], now: datetime
) -> dict[str, Any]:
    """Return what the builder starts with: the definition, what may be chosen, the limits and all its words."""
    own_id = own.pk if own is not None else None
    offer = offered(workspace=workspace, own_id=own_id, definition=definition, now=now)
    return {
        "definition": definition,
        "faults": fault_data(faults),
        "catalogue": catalogue_data(offer),
        "max_depth": settings.MAX_SEGMENT_DEPTH,
        "max_filters": settings.MAX_SEGMENT_FILTERS,
        "urls": _urls(own_id),
        "words": builder_words.words(),
    }


def _urls(own_id: int | None) -> dict[str, str]:
    urls = {
        name: reverse(f"admin:segments_segment_{name}") for name in ("counts", "suggest", "people", "explain")
    }
    asked_of = {name: f"{url}?own={own_id}" for name, url in urls.items() if name != "suggest" and own_id}
    return urls | asked_of


def fault_data(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Return faults as the builder reads them."""
    return [{"pointer": fault.pointer, "message": fault.message} for fault in faults]


def count_data(*, counts: Counts, tree: Group) -> dict[str, Any]:
    """Return the exact counts of a draft, as numbers and in words."""
    total = counts.size.total
    share = numbers.share(total, counts.universe)
    return {
        "total": total,
        "universe": counts.universe,
        "nodes": {node.pointer: _node_data(node) for node in counts.nodes if node.count is not None},
        "channels": [
            {"name": _("Email"), **_part(counts.size.email, total)},
            {"name": _("Push"), **_part(counts.size.push, total)},
        ],
        "words": {
            "total": numbers.count(total),
            "share": _("{share} of all {users}").format(share=share, users=numbers.users(counts.universe)),
            "sentence": counts.sentence if filters.is_finished(tree) else "",
            "note": _note(tree),
            "announcement": _announcement(total, share),
        },
    }


def _node_data(node: NodeCount) -> dict[str, Any]:
    after = None if node.after is None else numbers.count(node.after)
    return {"count": numbers.count(node.count or 0), "after": after, "left": node.after}


def _part(part: int, whole: int) -> dict[str, Any]:
    percent = round(100 * part / whole, 1) if whole else 0
    return {"count": numbers.count(part), "share": numbers.share(part, whole), "percent": percent}


def _announcement(total: int, share: str) -> str:
    return _("{users} in this segment, {share}").format(users=numbers.users(total), share=share)


def _note(tree: Group) -> str:
    if any(not filter_.is_finished for filter_ in filters.filters_of(tree)):
        return _("Filters that are not filled in do not count yet.")
    if not filters.is_finished(tree):
        return _("Nobody yet: a segment without filters selects nobody. Add at least one filter.")
    return ""
