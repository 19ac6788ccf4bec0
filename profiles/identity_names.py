"""How people are named from outside, and which profile each name means: three queries at most, however many names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from profiles import addresses, attributes, matching
from profiles.addresses import Address, Priority
from profiles.attempts import OutdatedError
from profiles.attributes import AttributeValueError
from profiles.models import Profile

MAX_OF_ADDRESS = 50


class Kind(StrEnum):
    """What sort of name. An e-mail address or a phone number may be several people's."""

    EXTERNAL_ID = "external_id"
    ALIAS = "user_alias"
    DEVICE = "device_id"
    PROFILE = "profile_id"
    EMAIL = "email"
    PHONE = "phone"


_ADDRESSES = frozenset([Kind.EMAIL, Kind.PHONE])


@dataclass(frozen=True)
class Name:
    """A name of a person. `value` is the key of an external id, an alias or a device; a text otherwise.

    An address without priorities means an identified user first, and of several the one changed last.
    """

    kind: Kind
    value: str
    priorities: tuple[Priority, ...] = ()

    @property
    def keys(self) -> Sequence[str]:
        """The keys of identifiers it may be."""
        match self.kind:
            case Kind.DEVICE:
                return self.value, matching.IDENTIFIED_DEVICE + self.value.removeprefix(matching.DEVICE)
            case Kind.EXTERNAL_ID | Kind.ALIAS:
                return (self.value,)
        return ()


def external_id(value: str) -> Name:
    """Return the name that an external id is."""
    return Name(Kind.EXTERNAL_ID, matching.external_id_key(value))


def alias(*, label: str, name: str) -> Name:
    """Return the name that an alias is."""
    return Name(Kind.ALIAS, matching.alias_key(label, name))


def device(device_id: str) -> Name:
    """Return the name that a device is, of an anonymous or an identified profile."""
    return Name(Kind.DEVICE, matching.device_key(device_id))


def profile(profile_id: int | str) -> Name:
    """Return the name that our own id is."""
    return Name(Kind.PROFILE, str(profile_id))


def email(address: str, *, priorities: Iterable[Priority] = ()) -> Name:
    """Return the name that an e-mail address is."""
    return Name(Kind.EMAIL, address, tuple(priorities))


def phone(number: str, *, priorities: Iterable[Priority] = ()) -> Name:
    """Return the name that a phone number is."""
    return Name(Kind.PHONE, number, tuple(priorities))


def text(field: str, value: Any) -> str:
    """Return an identifier as it may be kept. Raises AttributeValueError, which begins with the field's name."""
    read = attributes.text(field, value)
    if matching.is_nobody(read):
        raise AttributeValueError(f"{field} must not be blank or a value that stands for nobody.")
    return read


def resolve(*, workspace_id: int, names: Iterable[Name]) -> dict[Name, int]:
    """Return the live profile that each name means; names that mean nobody are missing."""
    wanted = list(dict.fromkeys(names))
    keys = matching.lookup(
        workspace_id=workspace_id, keys=list({key for name in wanted for key in name.keys})
    )
    found = {name: keys[key] for name in wanted for key in reversed(name.keys) if key in keys}
    own = [int(name.value) for name in wanted if name.kind is Kind.PROFILE and _is_id(name.value)]
    if own:
        live = Profile.objects.live().filter(workspace_id=workspace_id, pk__in=own)
        ids = {str(profile_id) for profile_id in live.values_list("pk", flat=True)}
        found |= {name: int(name.value) for name in wanted if name.value in ids and name.kind is Kind.PROFILE}
    asked = {name: _address(name) for name in wanted if name.kind in _ADDRESSES}
    holders = addresses.holders(workspace_id=workspace_id, addresses=set(asked.values()))
    return found | {name: holders[address] for name, address in asked.items() if address in holders}


def check_held(found: Mapping[Name, int], rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Raise OutdatedError if somebody, now locked, has another address than the one that names them."""
    for name, profile_id in found.items():
        if name.kind in _ADDRESSES and (row := rows.get(profile_id)) and row[name.kind] != name.value:
            raise OutdatedError


def _address(name: Name) -> Address:
    return Address(name.kind.value, name.value, frozenset(name.priorities))


def _is_id(value: str) -> bool:
    # `isdecimal` alone accepts the digits of every script; `int` too, but no id of ours is written so.
    return (
        value.isascii()
        and value.isdecimal()
        and len(value) <= len(str(matching.LARGEST_PROFILE_ID))
        and 0 < int(value) <= matching.LARGEST_PROFILE_ID
        and value == str(int(value))
    )


def everybody(*, workspace_id: int, names: Iterable[Name]) -> dict[Name, list[int]]:
    """Return the live profiles of each name, all those of an address; names of nobody are missing.

    At most MAX_OF_ADDRESS of an address: it may be the same for everybody.
    """
    wanted = list(dict.fromkeys(names))
    shared = [name for name in wanted if name.kind in _ADDRESSES and name.value]
    single = resolve(workspace_id=workspace_id, names=[name for name in wanted if name not in shared])
    found = {name: [profile_id] for name, profile_id in single.items()}
    for name in shared:
        people = Profile.objects.live().filter(**{"workspace_id": workspace_id, name.kind.value: name.value})
        # SQLite takes the index, which has no blank ones, only where that is said.
        people = people.exclude(**{name.kind.value: ""})
        if ids := list(people.order_by("pk").values_list("pk", flat=True)[:MAX_OF_ADDRESS]):
            found[name] = ids
    return found
