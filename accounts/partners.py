"""The partners Rollcall has a page for, and the addresses they call. Any other partner works without a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from accounts.models import DataImportKey, Workspace


@dataclass(frozen=True)
class Partner:
    """A tool that sends cohorts."""

    slug: str
    name: str


@dataclass(frozen=True)
class Connection:
    """How a workspace stands with a partner."""

    partner: Partner
    valid_key_count: int
    last_call_at: datetime | None

    @property
    def is_waiting(self) -> bool:
        """Whether a key is there that the partner never showed."""
        return bool(self.valid_key_count) and self.last_call_at is None


@dataclass(frozen=True)
class Endpoints:
    """What one enters at the partner's."""

    rest: str
    cohorts: str
    webhook: str


MIXPANEL = Partner(slug="mixpanel", name="Mixpanel")
PARTNERS = {partner.slug: partner for partner in (MIXPANEL,)}


def connection(*, workspace: Workspace, partner: Partner) -> Connection:
    """Return the state of a workspace's connection; its last call counts whichever key it came with."""
    facts = DataImportKey.objects.for_partner(workspace, partner.slug).aggregate(
        valid=Count("pk", filter=Q(invalidated_at=None)), last=Max("last_used_at")
    )
    return Connection(partner=partner, valid_key_count=facts["valid"], last_call_at=facts["last"])


def rest_endpoint(*, public_url: str, prefix: str) -> str:
    """Return the address that clients of all our endpoints begin with."""
    return "/".join(filter(None, [public_url.rstrip("/"), prefix]))


def endpoints(*, partner: Partner, public_url: str, prefix: str) -> Endpoints:
    """Return the addresses of a partner below the server's own, `prefix` being the operator's path or blank."""
    base = rest_endpoint(public_url=public_url, prefix=prefix)
    below = f"{base}/partners/{partner.slug}"
    return Endpoints(rest=base, cohorts=f"{below}/cohorts", webhook=f"{below}/webhook")
