"""What the mails about cohorts that fell silent, or are heard of again, say: cohorts, moments and links, never members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import mail, partners
from cohorts import freshness_words
from cohorts.freshness import Freshness, State
from cohorts.models import Cohort, StaleIncident

NAMED_IN_A_MAIL = 50


@dataclass(frozen=True)
class Line:
    """A cohort in a mail."""

    cohort: Cohort
    heard_at: datetime
    freshness: Freshness | None
    url: str

    @property
    def name(self) -> str:
        """The cohort's name in one line, whatever its partner put into it: the rest of the mail is ours."""
        return " ".join(self.cohort.name.split())

    @property
    def partner(self) -> str:
        """The partner's name."""
        return partners.named(self.cohort.partner).name

    @property
    def every(self) -> str:
        """How often it is expected, in the reader's language; blank if that is not known any more."""
        expected = self.freshness.expected if self.freshness else None
        return freshness_words.every(expected) if expected else ""

    @property
    def resumed_at(self) -> datetime | None:
        """When it was heard of last by now."""
        return self.freshness.heard_at if self.freshness else None


def context(*, incidents: Sequence[StaleIncident], found: Mapping[int, Freshness]) -> dict[str, Any]:
    """Return what the templates of both mails know; `found` is how fresh the cohorts are now."""
    lines = [
        Line(
            incident.cohort,
            incident.heard_at,
            found.get(incident.cohort_id),
            mail.link("cohorts_cohort_change", incident.cohort_id),
        )
        for incident in incidents[:NAMED_IN_A_MAIL]
    ]
    return {
        "count": len(incidents),
        "lines": lines,
        "more": len(incidents) - len(lines),
        "url": f"{mail.link('cohorts_cohort_changelist')}?freshness={State.STALE.value}",
    }
