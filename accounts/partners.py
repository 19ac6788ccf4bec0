"""The partners Rollcall knows by name, the addresses they call, and how a workspace stands with each.

Any other tool works too that speaks the partner protocol: its slug is all there is to know of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from django.db.models import Count, F, Max, Min, Q

from accounts.models import (
    PARTNER_PATTERN,
    Integration,
    KeyCalls,
    RejectedCall,
    Workspace,
)

THROTTLED = 429  # passes by itself: a partner that is told to wait is not failing


@dataclass(frozen=True)
class Partner:
    """A tool that sends cohorts by the partner protocol, some by a webhook of their own too."""

    slug: str
    name: str
    has_webhook: bool = False

    @property
    def filter_name(self) -> str:
        """The name of the filter that selects its cohorts, the same in every language: `Mixpanel_Cohorts`."""
        return f"{self.slug.capitalize()}_Cohorts"


@dataclass(frozen=True)
class Connection:
    """How a workspace stands with a partner."""

    partner: Partner
    is_on: bool = True
    valid_key_count: int = 0
    last_call_at: datetime | None = None
    refused_at: datetime | None = None

    @property
    def state(self) -> str:
        """Return `off`, `not_connected`, `failing`, `waiting` or `connected`."""
        if not self.is_on:
            return "off"
        if not self.valid_key_count:
            return "not_connected"
        if self.is_refused:
            return "failing"
        return "connected" if self.last_call_at else "waiting"

    @property
    def is_heard(self) -> bool:
        """Whether the partner called, and its latest call was accepted."""
        return self.last_call_at is not None and not self.is_refused

    @property
    def is_refused(self) -> bool:
        """Whether nothing was accepted since a call was refused: a key is noted before its call is judged."""
        if self.refused_at is None:
            return False
        return self.last_call_at is None or self.refused_at >= self.last_call_at


@dataclass(frozen=True)
class Endpoints:
    """What one enters at the partner's."""

    rest: str
    cohorts: str
    webhook: str


class Facts(TypedDict, total=False):
    """What the apps above know of a workspace and a partner."""

    cohort_count: int
    cohort_names: list[str]
    segment_count: int


MIXPANEL = Partner(slug="mixpanel", name="Mixpanel", has_webhook=True)
PARTNERS = {
    partner.slug: partner
    for partner in (
        MIXPANEL,
        Partner(slug="amplitude", name="Amplitude"),
        Partner(slug="segment", name="Segment"),
        Partner(slug="heap", name="Heap"),
        Partner(slug="hightouch", name="Hightouch"),
        Partner(slug="treasure_data", name="Treasure Data"),
    )
}
# The apps above append theirs in their own admin module.
FACTS: list[Callable[[Workspace, str], Facts]] = []


def named(slug: str) -> Partner:
    """Return a partner by its slug: one that is known by name, or any other."""
    words = slug.replace("_", " ").replace("-", " ").capitalize()
    return PARTNERS.get(slug) or Partner(slug=slug, name=words)


def is_slug(text: str) -> bool:
    """Whether a partner's address can hold it."""
    return re.fullmatch(PARTNER_PATTERN, text) is not None


# --- how a workspace stands ----------------------------------------------------------------------------------
def connections(*, workspace: Workspace) -> list[Connection]:
    """Return the partners known by name, then those the workspace has an integration with, in two queries."""
    found = _connections(workspace, Q())
    others = sorted(found.keys() - PARTNERS.keys())
    known = [found.get(slug) or Connection(partner=partner) for slug, partner in PARTNERS.items()]
    return known + [found[slug] for slug in others]


def connection(*, workspace: Workspace, partner: Partner) -> Connection:
    """Return how a workspace stands with one partner; its last call counts whichever key it came with."""
    found = _connections(workspace, Q(partner=partner.slug))
    return found.get(partner.slug) or Connection(partner=partner)


def _connections(workspace: Workspace, which: Q) -> dict[str, Connection]:
    refused = RejectedCall.objects.filter(which, workspace=workspace).exclude(status=THROTTLED)
    refused_at = dict(refused.values_list("partner").annotate(at=Max("last_at")))
    rows = Integration.objects.filter(which, workspace=workspace).values_list("partner", "is_enabled")
    facts = rows.annotate(
        valid=Count("keys", filter=Q(keys__invalidated_at=None)), last=Max("keys__last_used_at")
    )
    return {
        slug: Connection(named(slug), is_on, valid, last, refused_at.get(slug))
        for slug, is_on, valid, last in facts
    }


def facts(*, workspace: Workspace, partner: Partner) -> Facts:
    """Return what the apps above know of a workspace and a partner."""
    known: Facts = {}
    for told in FACTS:
        known |= told(workspace, partner.slug)
    return known


# --- keys ----------------------------------------------------------------------------------------------------
def first_call_on(*, workspace: Workspace, partner: Partner) -> date | None:
    """Return the day (UTC) of the first call that was accepted, whichever key it came with."""
    accepted = KeyCalls.objects.filter(
        key__integration__workspace=workspace,
        key__integration__partner=partner.slug,
        call_count__gt=F("refused_count"),
    )
    first: date | None = accepted.aggregate(first=Min("day"))["first"]
    return first


# --- addresses -----------------------------------------------------------------------------------------------
def rest_endpoint(*, public_url: str, prefix: str) -> str:
    """Return the address that clients of all our endpoints begin with."""
    return "/".join(filter(None, [public_url.rstrip("/"), prefix]))


def endpoints(*, partner: Partner, public_url: str, prefix: str) -> Endpoints:
    """Return the addresses of a partner below the server's own, `prefix` being the operator's path or blank."""
    base = rest_endpoint(public_url=public_url, prefix=prefix)
    below = f"{base}/partners/{partner.slug}"
    return Endpoints(rest=base, cohorts=f"{below}/cohorts", webhook=f"{below}/webhook")
