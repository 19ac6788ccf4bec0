"""Days of UTC: what is kept by day is kept by these, whatever the clocks of the server and of its readers say."""

from __future__ import annotations

from datetime import UTC, date, datetime


def day_of(moment: datetime) -> date:
    """Return the day of a moment, in UTC."""
    return moment.astimezone(UTC).date()
