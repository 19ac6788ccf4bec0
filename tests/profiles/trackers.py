"""What tests of tracking requests share: a function that tracks, and how its result is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import DataPointUsage, Workspace
from profiles import tracking
from profiles.models import Profile
from profiles.tracking import Result

AT = "2026-01-31T09:30:00Z"
CRM = {"alias_label": "crm", "alias_name": "7"}
STANDARD = {
    "first_name": "Ann",
    "last_name": "Lee",
    "email": "ann@x.example",
    "phone": "+33612345678",
    "country": "FR",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "home_city": "Lyon",
    "gender": "F",
    "dob": "1990-12-31",
    "email_subscribe": "opted_in",
    "push_subscribe": "unsubscribed",
    "date_of_first_session": "2026-01-01T10:00:00+01:00",
    "date_of_last_session": "2026-01-31T09:30:00.250Z",
    "push_tokens": [{"app_id": "a", "token": "t"}],
}


def tracker_of(workspace: Workspace) -> Callable[..., Result]:
    """Return a function that tracks: attributes objects, and the other arrays by name."""

    def track(*attributes: Any, now: datetime | None = None, **arrays: Any) -> Result:
        body = ({"attributes": list(attributes)} if attributes else {}) | arrays
        return tracking.track(workspace_id=workspace.pk, body=body, now=now or timezone.now())

    return track


def event(name: str = "seen", time: Any = AT, **more: Any) -> dict[str, Any]:
    """Return an event of Ann's, or with more a purchase."""
    return {"external_id": "ann", "name": name, "time": time} | more


def reasons(result: Result) -> list[str]:
    """Return why objects were refused."""
    return [refusal.reason for refusal in result.refusals]


def of(external_id: str) -> Profile:
    """Return the live profile."""
    return Profile.objects.live().get(external_id=external_id)


def custom(external_id: str = "ann") -> dict[str, Any]:
    """Return the custom attributes."""
    attributes: dict[str, Any] = of(external_id).custom_attributes
    return attributes


def points() -> int:
    """Return the data points of tracking."""
    usage = DataPointUsage.objects.filter(source=DataPointUsage.Source.TRACKING_API)
    return sum(usage.values_list("count", flat=True))
