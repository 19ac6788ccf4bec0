"""The objects of a tracking request, read into plain values: whom each names, and what it says of them.

Pure. An object at fault is refused by itself and the others stand; what makes the whole request senseless raises
RequestError. Braze's rules, and ours where it has none:

- A user is named by exactly one of `external_id`, `user_alias`, `device_id` and `profile_id` (our own id; `braze_id`
  is the same), else by `email`, else by `phone`. What is null is not there.
- An `external_id` or `device_id` that nobody has makes a user, unless `_update_existing_only` is true; an alias, an
  e-mail address or a phone number only if it is false; a `profile_id` never.
- Beside an identifier, `email` and `phone` in an attributes object are attributes. So are they if they name the user.
- Every other name in an attributes object that is no standard attribute is a custom attribute; it has at most 255
  characters, and does not begin with `$`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from profiles import attributes, events, matching, tracking_values
from profiles.attributes import STANDARD, AttributeValueError
from profiles.events import Kind, Occurrence
from profiles.tracking_values import Change

MAX_OBJECTS = 75
MAX_QUANTITY = 100
MAX_PRICE = 1_000_000_000
_CURRENCY_LENGTH = 3
UPDATE_ONLY, MERGE_OBJECTS = "_update_existing_only", "_merge_objects"
_IDENTIFIERS = ("external_id", "user_alias", "device_id", "profile_id", "braze_id")
_NO_ATTRIBUTES = frozenset([*_IDENTIFIERS, UPDATE_ONLY, MERGE_OBJECTS, "push_token_import"])
_NO_IDENTIFIER = "One of external_id, user_alias, device_id, profile_id, email or phone must name the user."


class Array(StrEnum):
    """The three arrays of a request, in the order in which they are applied."""

    ATTRIBUTES = "attributes"
    EVENTS = "events"
    PURCHASES = "purchases"


class By(StrEnum):
    """What an object names its user by: a key as `profiles/matching.py` writes it, or something else."""

    KEY = "key"
    PROFILE_ID = "profile_id"
    EMAIL = "email"
    PHONE = "phone"


# Whom an object names.
Reference = tuple[By, str]


class RequestError(ValueError):
    """A request of which nothing can be applied: `faults` by the name of the array, "" for the whole."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = faults


class ObjectError(ValueError):
    """What is wrong with one object; the message says what is allowed."""


class TooOldError(ObjectError):
    """An event or purchase from before EARLIEST: dropped, and counted as that."""


class Refusal(NamedTuple):
    """An object that was not applied, where it stands, and why."""

    array: Array
    position: int
    reason: str
    is_dropped: bool = False


class AttributesObject(NamedTuple):
    """What is to be written to a user: columns, and what is done to custom attributes."""

    position: int
    user: Reference
    creates: bool
    columns: Mapping[str, Any]
    custom: Mapping[str, Change]


class EventObject(NamedTuple):
    """What a user did, or bought; whose profile it is comes later."""

    position: int
    user: Reference
    creates: bool
    occurrence: Occurrence


@dataclass
class TrackRequest:
    """The objects of a request by array, those at fault apart."""

    attributes: list[AttributesObject] = field(default_factory=list)
    events: dict[Array, list[EventObject]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    sent: list[Array] = field(default_factory=list)


def parse(body: Mapping[str, Any]) -> TrackRequest:
    """Return what a request's body asks for. Raises RequestError. Names it does not know are ignored."""
    sent = {array: body[array] for array in Array if body.get(array) is not None}
    # Some clients send a single object as it is.
    arrays = {array: [value] if isinstance(value, dict) else value for array, value in sent.items()}
    faults = {array.value: fault for array, value in arrays.items() if (fault := _array_fault(array, value))}
    if not faults and not any(arrays.values()):
        faults = {"": "One of attributes, events and purchases must be an array that is not empty."}
    if faults:
        raise RequestError(faults)
    request = TrackRequest(sent=list(arrays))
    for array, objects in arrays.items():
        _parse_array(request, array, objects)
    return request


def _array_fault(array: Array, value: Any) -> str:
    if not isinstance(value, list):
        return f"{array} must be an array of objects."
    if len(value) > MAX_OBJECTS:
        return f"{array} has {len(value)} objects; {MAX_OBJECTS} are allowed. Nothing was applied."
    return ""


def _parse_array(request: TrackRequest, array: Array, objects: Iterable[Any]) -> None:
    events: list[EventObject] = request.events.setdefault(array, [])
    for position, item in enumerate(objects):
        try:
            _check_object(array, item)
            if array is Array.ATTRIBUTES:
                request.attributes.append(_attributes(position, item))
            else:
                events.append(_event(position, item, _OCCURRENCES[array]))
        except (ObjectError, AttributeValueError) as error:
            request.refusals.append(Refusal(array, position, str(error), isinstance(error, TooOldError)))


def _check_object(array: Array, item: Any) -> None:
    if type(item) is not dict:
        raise ObjectError(f"Each of {array} must be an object.")


# --- whom ----------------------------------------------------------------------------------------------------------
def user_of(item: Mapping[str, Any]) -> Reference:
    """Return whom an object names. Raises ObjectError or AttributeValueError."""
    named = [name for name in _IDENTIFIERS if item.get(name) is not None]
    if len(named) > 1:
        raise ObjectError(f"{' and '.join(named)} both name the user: one must.")
    if named:
        return _READERS[named[0]](named[0], item[named[0]])
    for by in (By.EMAIL, By.PHONE):
        if value := item.get(by):
            return by, attributes.text(by, value)
    raise ObjectError(_NO_IDENTIFIER)


def _whom(item: Mapping[str, Any]) -> tuple[Reference, bool]:
    """Return whom an object names, and whether it makes that user if there is none."""
    user = user_of(item)
    update_only = item.get(UPDATE_ONLY)
    if update_only is not None and type(update_only) is not bool:
        raise ObjectError(f"{UPDATE_ONLY} must be true or false.")
    is_maker = user[0] is By.KEY and not user[1].startswith("a:")
    may_be_made = user[0] is not By.PROFILE_ID
    return user, may_be_made and (not update_only if is_maker else update_only is False)


def _name(name: str, value: Any) -> str:
    """Return a text that names somebody."""
    if not attributes.text(name, value):
        raise ObjectError(f"{name} must not be blank.")
    if matching.is_nobody(value):
        raise ObjectError(f"{name} is “{value}”, which stands for nobody.")
    return str(value)


def _external_id(name: str, value: Any) -> Reference:
    return By.KEY, matching.external_id_key(_name(name, value))


def _device(name: str, value: Any) -> Reference:
    return By.KEY, matching.device_key(_name(name, value))


def _alias(name: str, value: Any) -> Reference:
    if type(value) is not dict:
        raise ObjectError(f"{name} must be an object with alias_name and alias_label.")
    label = _name(f"{name}.alias_label", value.get("alias_label"))
    return By.KEY, matching.alias_key(label, _name(f"{name}.alias_name", value.get("alias_name")))


def _profile_id(name: str, value: Any) -> Reference:
    text = str(value) if type(value) is int else value
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10):  # noqa: PLR2004
        raise ObjectError(f"{name} must be the id of a user: a whole number.")
    if not 0 < int(text) <= matching.LARGEST_PROFILE_ID:
        raise ObjectError(f"{name} {text} is no user's.")
    return By.PROFILE_ID, str(int(text))


_READERS: Mapping[str, Callable[[str, Any], Reference]] = {
    "external_id": _external_id,
    "user_alias": _alias,
    "device_id": _device,
    "profile_id": _profile_id,
    "braze_id": _profile_id,
}


# --- what ----------------------------------------------------------------------------------------------------------
def _attributes(position: int, item: Mapping[str, Any]) -> AttributesObject:
    user, creates = _whom(item)
    merges = item.get(MERGE_OBJECTS)
    if merges is not None and type(merges) is not bool:
        raise ObjectError(f"{MERGE_OBJECTS} must be true or false.")
    columns: dict[str, Any] = {}
    custom: dict[str, Change] = {}
    for name, value in item.items():
        if name in STANDARD:
            columns[STANDARD[name].column] = attributes.read(name, value)
        elif name not in _NO_ATTRIBUTES:
            _check_name(name)
            custom[name] = tracking_values.read(name, value, merges=bool(merges))
    return AttributesObject(position, user, creates, columns, custom)


def _check_name(name: str) -> None:
    if not name or name.isspace():
        raise ObjectError("The name of a custom attribute must not be blank.")
    if name[0] == "$":
        raise ObjectError(f"“{name[:50]}” must not begin with $: that is for operations.")
    if len(name) > attributes.MAX_LENGTH or not name.isprintable():
        attributes.text("The name of a custom attribute", name)


def _event(position: int, item: Mapping[str, Any], read: Callable[..., Occurrence]) -> EventObject:
    user, creates = _whom(item)
    occurrence = read(item)
    properties = item.get("properties")
    if properties is not None and type(properties) is not dict:
        raise ObjectError("properties must be an object.")
    if occurrence.at < events.EARLIEST:
        raise TooOldError(f"time is before {events.EARLIEST:%Y-%m-%dT%H:%M:%SZ}: dropped.")
    return EventObject(position, user, creates, occurrence)


def _required(name: str, value: Any) -> str:
    if value is None:
        raise ObjectError(f"{name} is required.")
    if not attributes.text(name, value).strip():
        raise ObjectError(f"{name} must not be blank.")
    return str(value)


def _custom_event(item: Mapping[str, Any]) -> Occurrence:
    name = _required("name", item.get("name"))
    at = attributes.moment("time", _required("time", item.get("time")))
    return Occurrence(profile_id=0, kind=Kind.CUSTOM.value, name=name, currency="", at=at)


def _purchase(item: Mapping[str, Any]) -> Occurrence:
    name = _required("product_id", item.get("product_id"))
    at = attributes.moment("time", _required("time", item.get("time")))
    currency = _required("currency", item.get("currency")).upper()
    if not (len(currency) == _CURRENCY_LENGTH and currency.isascii() and currency.isalpha()):
        raise ObjectError("currency must be a code of three letters, like EUR (ISO 4217).")
    price: Any = item.get("price")
    if type(price) not in (int, float) or not abs(price) <= MAX_PRICE:
        raise ObjectError(f"price must be a number, at most {MAX_PRICE:,}.")
    quantity: Any = 1 if item.get("quantity") is None else item["quantity"]
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        raise ObjectError(f"quantity must be a whole number from 1 to {MAX_QUANTITY}.")
    return Occurrence(
        profile_id=0,
        kind=Kind.PURCHASE.value,
        name=name,
        currency=currency,
        at=at,
        quantity=quantity,
        revenue=(Decimal(str(price)) * quantity).quantize(Decimal("0.0001")),
    )


_OCCURRENCES: Mapping[Array, Callable[..., Occurrence]] = {
    Array.EVENTS: _custom_event,
    Array.PURCHASES: _purchase,
}
