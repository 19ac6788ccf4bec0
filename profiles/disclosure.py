"""All that is known of a person is handed out, and that it was is noted."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from profiles import person
from profiles.models import Profile


@transaction.atomic
def disclose(*, profile: Profile, by: User, now: datetime) -> person.Described:
    """Return all that is known of one person, and note in the audit log who took it."""
    audit.record(
        workspace_id=profile.workspace_id,
        action=audit.Action.USER_DOWNLOADED,
        subject=f"user {profile.pk}",
        actor=by,
        now=now,
    )
    return person.describe(profile=profile)
