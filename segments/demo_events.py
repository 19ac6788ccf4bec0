"""What the people of the demo did in the last three months, invented, and the same for every day it is asked on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from segments import demo_data

DAYS = 100  # a little more than the days that are kept one by one
ACTIVE_EVERY = 4
# How often somebody active does what within DAYS, on average.
EVENTS = (("Opened the app", 12), ("Played a song", 8), ("Searched", 3), ("Shared a playlist", 1))
PRODUCTS = (("premium-month", 9.99), ("premium-year", 99.0), ("gift-card", 25.0))
BUYER_EVERY = 12

Object = dict[str, Any]


def events(*, now: datetime) -> Iterator[Object]:
    """Yield events as Mixpanel exports them; the distinct ID is the external ID, or the device of the anonymous."""
    chance = random.Random(6)  # noqa: S311 - no secret
    for number, person in enumerate(demo_data.people(), start=1):
        if number % ACTIVE_EVERY:
            continue
        distinct_id = person.get("external_id") or f"$device:{person['device_id']}"
        for name, often in EVENTS:
            for nth in range(chance.randrange(2 * often + 1)):
                moment = now - timedelta(days=DAYS * chance.random() ** 1.5)
                yield {
                    "event": name,
                    "properties": {
                        "time": int(moment.timestamp()),
                        "distinct_id": distinct_id,
                        "$insert_id": f"{number}-{name}-{nth}",
                    },
                }


def purchases(*, now: datetime) -> Iterator[Object]:
    """Yield purchases as the tracking API takes them."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for number, person in enumerate(demo_data.people(), start=1):
        if number % BUYER_EVERY or "external_id" not in person:
            continue
        product, price = chance.choice(PRODUCTS)
        moment = now - timedelta(days=DAYS * chance.random())
        yield {
            "external_id": person["external_id"],
            "product_id": product,
            "currency": "EUR" if person["country"] in {"FR", "DE"} else "USD",
            "price": price,
            "quantity": chance.choice((1, 1, 1, 2)),
            "time": moment.isoformat(),
        }
