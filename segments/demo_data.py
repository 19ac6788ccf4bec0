"""The people and cohorts of the demo, invented, and the same every time."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cohorts.simulator import Action, Protocol

PROFILES = 10_000
ANONYMOUS_EVERY, DEVICE_EVERY, ALIAS_EVERY, STRANGER_EVERY = 8, 3, 5, 60
FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Emre",
    "Fatou",
    "Grace",
    "Hana",
    "Inès",
    "Jürgen",
    "Kofi",
    "Léa",
)
LAST_NAMES = (
    "Almeida",
    "Bernard",
    "Çelik",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jensen",
)
PLACES = (
    ("FR", "fr", "Europe/Paris"),
    ("DE", "de", "Europe/Berlin"),
    ("US", "en", "America/New_York"),
    ("GB", "en", "Europe/London"),
    ("JP", "ja", "Asia/Tokyo"),
    ("BR", "pt", "America/Sao_Paulo"),
)
PLANS = ("free", "plus", "family")

Person = Mapping[str, str]


@dataclass(frozen=True)
class DemoSync:
    """One export of a demo cohort: who is in it, as a share of all people."""

    cohort_id: str
    name: str
    protocol: Protocol
    action: Action
    share: float
    seed: int


LAPSED, VALUABLE, CART = "3184512", "3184977", "3190046"
SYNCS = (
    DemoSync(LAPSED, "Lapsed subscribers", Protocol.WEBHOOK, Action.MEMBERS, share=0.31, seed=1),
    DemoSync(VALUABLE, "High-value customers", Protocol.WEBHOOK, Action.MEMBERS, share=0.14, seed=2),
    DemoSync(VALUABLE, "High-value customers", Protocol.WEBHOOK, Action.ADD_MEMBERS, share=0.03, seed=3),
    DemoSync(CART, "Left a full cart", Protocol.PARTNER, Action.MEMBERS, share=0.22, seed=4),
    DemoSync(CART, "Left a full cart", Protocol.PARTNER, Action.REMOVE_MEMBERS, share=0.04, seed=5),
)


def people() -> Iterator[Person]:
    """Yield the profiles as rows of a CSV file: most identified, some anonymous with a device, some with an alias."""
    chance = random.Random(0)  # noqa: S311 - no secret
    for number in range(1, PROFILES + 1):
        country, language, time_zone = chance.choice(PLACES)
        person = {"country": country, "language": language, "time_zone": time_zone}
        is_anonymous = number % ANONYMOUS_EVERY == 0
        if is_anonymous or number % DEVICE_EVERY == 0:
            person["device_id"] = f"device-{number:05}"
        if number % ALIAS_EVERY == 0:
            person["alias:crm_id"] = f"crm-{number:05}"
        if not is_anonymous:
            person |= _identity(number, time_zone, chance)
        yield person


def _identity(number: int, time_zone: str, chance: random.Random) -> Person:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    return {
        "external_id": f"user-{number:05}",
        "email": f"user-{number:05}@example.com",
        "first_name": first,
        "last_name": last,
        "gender": chance.choice("FMO"),
        "dob": f"{chance.randrange(1950, 2008)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
        "home_city": time_zone.rpartition("/")[2].replace("_", " "),
        "email_subscribe": chance.choice(("opted_in", "subscribed", "subscribed", "unsubscribed")),
        "plan": chance.choice(PLANS),
        "lifetime_value": str(chance.randrange(900)),
    }


def members(sync: DemoSync) -> Iterator[Person]:
    """Yield the members of an export as Mixpanel knows them: some it alone knows, some by a device or an alias only."""
    chance = random.Random(sync.seed)  # noqa: S311 - no secret
    for number, person in enumerate(people(), start=1):
        if chance.random() >= sync.share:
            continue
        if number % STRANGER_EVERY == 0:
            yield {"user_id": f"visitor-{number:05}"}
        elif "external_id" in person and chance.random() < 0.97:  # noqa: PLR2004 - the others by device or alias
            yield {"user_id": person["external_id"], "email": person["email"]}
        elif "device_id" in person:
            yield {"$device_id": person["device_id"]}
        elif "alias:crm_id" in person:
            yield {"alias:crm_id": person["alias:crm_id"]}


def write_csv(path: Path, rows: Iterator[Person], columns: Sequence[str]) -> None:
    """Write rows to a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


PEOPLE_COLUMNS = (
    *("external_id", "email", "first_name", "last_name", "country", "language", "time_zone"),
    *("gender", "dob", "home_city", "email_subscribe", "alias:crm_id", "device_id", "plan", "lifetime_value"),
)
MEMBER_COLUMNS = ("user_id", "email", "$device_id", "alias:crm_id")
