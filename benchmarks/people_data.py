"""What the people's doors are sent: users and events by a seed, as objects, lines of files and rows of raw SQL."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.load import Page

OBJECTS = 75  # the most of one array of /users/track
EVENTS = 2_000  # the most of /import
DAYS = 30
NAMES = [f"Event {number}" for number in range(20)]


class Person(NamedTuple):
    """A user as a client, or a line of a CSV file, tells of it."""

    external_id: str
    email: str
    first_name: str
    last_name: str
    country: str
    language: str
    plan: str
    ltv: float


class Event(NamedTuple):
    """An event as Mixpanel exports it, or a purchase."""

    external_id: str
    kind: str
    name: str
    currency: str
    seconds: int
    insert_id: str = ""
    quantity: int = 0
    price: float = 0


# --- who, and what they did ---------------------------------------------------------------------------------
def users(count: int, profiles: int, *, new: float, seed: int) -> list[Person]:
    """Return different users in random order: a share is `new`, the others are random ones of the profiles.

    What is told of the known ones changes each of them; their emails stay.
    """
    chance = random.Random(seed)
    known = chance.sample(range(1, profiles + 1), min(count - int(count * new), profiles))
    ids = [f"user-{number}" for number in known]
    ids += [f"new-{seed}-{number}" for number in range(int(count * new))]
    chance.shuffle(ids)
    return [_person(one, chance) for one in ids]


def _person(external_id: str, chance: random.Random) -> Person:
    return Person(
        external_id=external_id,
        email=f"{external_id}@example.com",
        first_name=chance.choice(("Ada", "Grace", "Alan", "Edsger")),
        last_name=chance.choice(("Lovelace", "Hopper", "Turing", "Dijkstra")),
        country=chance.choice(("DE", "US", "GB", "NL")),
        language="en",
        plan=chance.choice(("free", "team", "gold")),
        ltv=chance.randint(1, 100_000) / 100 + 0.001,
    )


def occurrences(count: int, profiles: int, *, seed: int) -> list[Event]:
    """Return events of random profiles, in the order of their times, as a raw export of 30 days holds them."""
    chance = random.Random(seed)
    end = int(datetime.now(UTC).timestamp())
    times = sorted(chance.randint(end - DAYS * 86_400, end) for _ in range(count))
    return [
        Event(
            external_id=f"user-{chance.randint(1, profiles)}",
            kind="custom",
            name=chance.choice(NAMES),
            currency="",
            seconds=seconds,
            insert_id=f"{chance.getrandbits(64):016x}",
        )
        for seconds in times
    ]


def done_by(people: Sequence[Person], *, seed: int) -> tuple[list[Event], list[Event]]:
    """Return an event and a purchase of each user, at random times of the last 30 days."""
    chance = random.Random(seed)
    end = int(datetime.now(UTC).timestamp())
    events = [
        Event(one.external_id, "custom", chance.choice(NAMES), "", end - chance.randint(1, DAYS * 86_400))
        for one in people
    ]
    purchases = [
        event._replace(
            kind="purchase", name=f"sku-{chance.randint(1, 20)}", currency="EUR", quantity=2, price=9.99
        )
        for event in events
    ]
    return events, purchases


# --- POST /users/track --------------------------------------------------------------------------------------
def attribute_pages(key: str, people: Sequence[Person]) -> list[Page]:
    """Return requests of 75 attribute objects, each of 8 attributes; one of them counts up."""
    return [_track(key, attributes=[_attributes(one) for one in batch]) for batch in batches(people, OBJECTS)]


def mixed_pages(key: str, people: Sequence[Person], seed: int) -> list[Page]:
    """Return requests of 75 attribute objects, and an event and a purchase of the same 75 users."""
    pages = []
    for number, batch in enumerate(batches(people, OBJECTS)):
        events, purchases = done_by(batch, seed=seed + number)
        pages.append(
            _track(
                key,
                attributes=[_attributes(one) for one in batch],
                events=[_event(one) for one in events],
                purchases=[_purchase(one) for one in purchases],
            )
        )
    return pages


def _track(key: str, **arrays: list[dict[str, Any]]) -> Page:
    processed = ",".join(f'"{name}_processed":{len(objects)}' for name, objects in arrays.items())
    return Page(
        path="/users/track",
        body=_json(arrays),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        members=sum(map(len, arrays.values())),
        proof=processed.encode(),
    )


def _attributes(one: Person) -> dict[str, Any]:
    return {**one._asdict(), "visits": {"inc": 1}}


def _event(one: Event) -> dict[str, Any]:
    return {"external_id": one.external_id, "name": one.name, "time": _iso(one), "properties": {"page": "/"}}


def _purchase(one: Event) -> dict[str, Any]:
    return {
        "external_id": one.external_id,
        "product_id": one.name,
        "currency": one.currency,
        "price": one.price,
        "quantity": one.quantity,
        "time": _iso(one),
    }


def _iso(one: Event) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=one.seconds)).isoformat()


# --- POST /import and the raw export ------------------------------------------------------------------------
def import_pages(
    key: str, events: Sequence[Event], *, is_zipped: bool, share: int, shares: int
) -> list[Page]:
    """Return every `shares`-th request of 2,000 events, beginning with number `share`."""
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
    headers |= {"Content-Encoding": "gzip"} if is_zipped else {}
    pages = []
    for batch in islice(batches(events, EVENTS), share, None, shares):
        body = b"[" + b",".join(map(exported, batch)) + b"]"
        proof = f'"num_records_imported":{len(batch)}'.encode()
        body = gzip.compress(body, 6) if is_zipped else body
        pages.append(Page("/import?strict=1&project_id=1", body, headers, len(batch), proof))
    return pages


def exported(one: Event) -> bytes:
    """Return the line of a raw export: what counts, and a dozen properties as websites send them."""
    properties = {
        "time": one.seconds,
        "distinct_id": one.external_id,
        "$browser": "Chrome",
        "$browser_version": 131,
        "$city": "Utrecht",
        "$current_url": "https://shop.example.com/catalogue?page=2",
        "$device_id": one.insert_id,
        "$insert_id": one.insert_id,
        "$os": "Mac OS X",
        "$region": "Utrecht",
        "$screen_height": 1080,
        "$user_id": one.external_id,
        "mp_country_code": "NL",
        "mp_lib": "web",
        "plan": "team",
    }
    return _json({"event": one.name, "properties": properties})


def write_export(file: Path, events: Sequence[Event]) -> None:
    """Write a raw export."""
    with file.open("wb") as out:
        out.writelines(exported(one) + b"\n" for one in events)


def write_csv(file: Path, people: Sequence[Person]) -> None:
    """Write a CSV file of users."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(Person._fields)
        writer.writerows(people)


def batches(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield the rows in batches of `size`."""
    yield from (rows[at : at + size] for at in range(0, len(rows), size))


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
