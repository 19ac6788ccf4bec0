"""Times that custom attributes hold as texts, in the forms of ISO 8601 that both databases read as Python does.

The tracking API lets rarer forms in too, such as those by weeks: for filters, these are no times.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

FUNCTION = "rollcall_time"
PATTERN = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?)?$"
)
_PATTERN = re.compile(PATTERN.replace("$", r"\Z"))


def comparable(text: Any) -> str | None:
    """Return a time as SQLite compares it with others, in UTC; None for what is no time."""
    if not isinstance(text, str) or not _PATTERN.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
