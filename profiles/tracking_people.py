"""The users of a tracking request in memory: its objects are applied to them in their order, before anything is written.

Pure: what is known of the users has been read, and what becomes of them is written by `profiles/tracking.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from profiles import attributes
from profiles.attributes import AttributeValueError
from profiles.events import Occurrence
from profiles.tracking_objects import (
    Array,
    AttributesObject,
    By,
    EventObject,
    ObjectError,
    Reference,
    Refusal,
)

CUSTOM = "custom_attributes"
BLANK = {attribute.column: attribute.blank for attribute in attributes.STANDARD.values()} | {CUSTOM: {}}


@dataclass(eq=False)
class Person:
    """A user as the request leaves them. One without an id is made if an object was applied to them."""

    profile_id: int | None
    before: Mapping[str, Any]
    values: dict[str, Any]
    key: str = ""
    is_touched: bool = False


@dataclass
class Work:
    """What one attempt found and did."""

    people: dict[Reference, Person | None]
    columns: Sequence[str]
    processed: Counter[Array] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    occurrences: list[tuple[Person, Occurrence]] = field(default_factory=list)
    data_points: int = 0


def apply(work: Work, array: Array, item: AttributesObject | EventObject) -> None:
    """Apply an object, or refuse it: nothing of it is applied then."""
    try:
        person = _person(work, item)
        if person is None:
            return
        if isinstance(item, AttributesObject):
            _change(person, item)
            work.data_points += len(item.columns) + len(item.custom)
        else:
            work.occurrences.append((person, item.occurrence))
            work.data_points += 1
        person.is_touched = True
        work.processed[array] += 1
    except (ObjectError, AttributeValueError) as error:
        work.refusals.append(Refusal(array, item.position, str(error)))


def _person(work: Work, item: AttributesObject | EventObject) -> Person | None:
    """Return the user of an object, made if that is asked for; None if there is none. Raises ObjectError."""
    by, value = item.user
    if item.user in work.people:
        if (person := work.people[item.user]) is None:
            raise ObjectError("This device is an identified user's: name the external_id.")
        if person.profile_id is not None or person.is_touched or item.creates:
            return person
        return None
    if by is By.PROFILE_ID:
        raise ObjectError(f"There is no user with the id {value}.")
    if by is not By.KEY and (person := _holder(work, by, value)):
        return person
    if not item.creates:
        return None
    work.people[item.user] = person = _new_person(work.columns, item.user)
    return person


def _holder(work: Work, by: By, value: str) -> Person | None:
    """Return a user who was given the e-mail address or phone number by an object before."""
    holders = [it for it in work.people.values() if it and it.is_touched and it.values.get(by.value) == value]
    return holders[-1] if holders else None


def _new_person(columns: Sequence[str], user: Reference) -> Person:
    by, value = user
    blank = {name: BLANK[name] for name in columns}
    if by is not By.KEY:
        return Person(None, {}, blank | {by.value: value})
    return Person(None, {}, blank, key=value)


def _change(person: Person, item: AttributesObject) -> None:
    """Write an object to a user, or nothing of it. Raises AttributeValueError."""
    if item.custom:
        held = person.values[CUSTOM]
        custom = dict(held)
        for name, change in item.custom.items():
            if (value := change(custom.get(name))) is None:
                custom.pop(name, None)
            else:
                custom[name] = value
        if len(custom) > max(settings.MAX_CUSTOM_ATTRIBUTES, len(held)):
            raise AttributeValueError(
                f"The user would have {len(custom):,} custom attributes; {settings.MAX_CUSTOM_ATTRIBUTES:,} are allowed."
            )
        person.values[CUSTOM] = custom
    person.values |= item.columns
