"""What the shop of the demo tells of its people by `/users/track`: one attribute of every type, and push tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from segments import demo_data

TOLD_EVERY = 3
PUSH_SHARE, TRIAL_SHARE = 0.6, 0.2
INTERESTS = ("jazz", "classical", "podcasts", "audiobooks", "concerts")
PUSH = ("opted_in", "subscribed", "subscribed", "unsubscribed")

Object = dict[str, Any]


def attributes(*, now: datetime) -> Iterator[Object]:
    """Yield attribute objects of some of the people."""
    chance = random.Random(8)  # noqa: S311 - no secret
    for number, person in enumerate(demo_data.people(), start=1):
        if number % TOLD_EVERY or "external_id" not in person:
            continue
        seen = now - timedelta(days=90 * chance.random() ** 2)
        signed_up = seen - timedelta(days=700 * chance.random())
        told = {
            "external_id": person["external_id"],
            "date_of_last_session": _iso(seen),
            "push_subscribe": chance.choice(PUSH),
            "signed_up_at": {"$time": _iso(signed_up)},
            "is_on_trial": chance.random() < TRIAL_SHARE,
            "interests": chance.sample(INTERESTS, chance.randrange(4)),
        }
        if chance.random() < PUSH_SHARE:
            told["push_tokens"] = [{"app_id": "rollcall-music", "token": f"token-{number:05}"}]
        yield told


def _iso(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
