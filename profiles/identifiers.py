"""Which identifiers a partner's member, or the user of an event, carries, as the keys that matching looks up.

The order is that of PROTOCOLS: the first that matches wins. An e-mail address is never an identifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from profiles import mapping, matching
from profiles.mapping import (
    DEVICE_ID_PROPERTY,
    DEVICE_PREFIX,
    DISTINCT_ID_PROPERTY,
    EXTERNAL_ID_PROPERTIES,
    Rule,
)
from profiles.matching import Keys

# Events have properties of all sorts: what is called `user_id` there may be another user's.
EVENT_EXTERNAL_ID_PROPERTIES = ("$braze_external_id", "braze_external_id", "$user_id")
EVENT_DISTINCT_ID_PROPERTY = "distinct_id"
# One identifier, or one member with several: the text to show for it and the keys to try, in order. A plain tuple:
# there are a thousand on every page.
Identified = tuple[str, Keys]

_DISTINCT_ID_ALIAS = matching.alias_key(DISTINCT_ID_PROPERTY, "")


def of_external_ids(external_ids: Sequence[str]) -> list[Identified]:
    """Return the identifiers that external ids are."""
    return _of_ids(external_ids, matching.EXTERNAL_ID)


def of_devices(device_ids: Sequence[str]) -> list[Identified]:
    """Return the identifiers that device ids are."""
    return _of_ids(device_ids, matching.DEVICE)


def _of_ids(values: Sequence[str], prefix: str) -> list[Identified]:
    # Without a call per id: this runs a thousand times a page.
    nobody = matching.NOBODY
    return [
        (value, () if value.lower() in nobody or value.isspace() else (prefix + value,)) for value in values
    ]


def of_aliases(aliases: Sequence[Mapping[str, str]]) -> list[Identified]:
    """Return the identifiers that aliases are, each with its `alias_label` and `alias_name`."""
    pairs = [(alias["alias_label"], alias["alias_name"]) for alias in aliases]
    return [
        (f"{label}:{name}", (matching.alias_key(label, name),) if label and name else ())
        for label, name in pairs
    ]


def of_members(
    members: Sequence[Mapping[str, Any]], *, rules: Sequence[Mapping[str, str]] = ()
) -> list[Identified]:
    """Return all identifiers of a webhook's members. `rules` are those an integration stores, if not the usual."""
    # Most pages carry few of the properties: those that no member has are looked for in none.
    present = set().union(*members)
    if rules:
        return _by_rules(members, [rule for rule in mapping.read(rules) if rule.name in present])
    external_ids = [name for name in EXTERNAL_ID_PROPERTIES if name in present]
    has_devices = DEVICE_ID_PROPERTY in present
    return [
        _of_properties(
            member, external_ids, has_devices=has_devices, distinct_id=member.get(DISTINCT_ID_PROPERTY, "")
        )
        for member in members
    ]


def _by_rules(members: Sequence[Mapping[str, Any]], rules: Sequence[Rule]) -> list[Identified]:
    plan = [(rule.name, rule.prefix, rule.value_prefix) for rule in rules]
    names = {*(rule.name for rule in rules), DISTINCT_ID_PROPERTY}
    result: list[Identified] = []
    for member in members:
        texts = {name: _text(member.get(name)) for name in names}
        keys = [
            prefix + text
            for name, prefix, value_prefix in plan
            if (text := texts[name]) and (not value_prefix or (text := _without(value_prefix, text)))
        ]
        shown = texts[DISTINCT_ID_PROPERTY] or (keys[0][2:] if keys else "")
        result.append((shown or str(member.get(DISTINCT_ID_PROPERTY, "")), keys))
    return result


def key_by(rule: Rule, member: Mapping[str, Any]) -> str:
    """Return the key that one rule finds in a member; blank if it finds none."""
    text = _text(member.get(rule.name))
    if rule.value_prefix:
        text = _without(rule.value_prefix, text)
    return rule.prefix + text if text else ""


def _without(prefix: str, text: str) -> str:
    """Return what follows a prefix, if it is somebody's id; else nothing."""
    return _text(text.removeprefix(prefix)) if text.startswith(prefix) else ""


def of_event(properties: Mapping[str, Any], *, external_id_property: str = "") -> Identified:
    """Return all identifiers of an event's user. `external_id_property` is the operator's own choice, if any."""
    chosen: Sequence[str] = EVENT_EXTERNAL_ID_PROPERTIES
    if external_id_property:
        chosen = (external_id_property, *chosen)
    return _of_properties(
        properties, chosen, has_devices=True, distinct_id=properties.get(EVENT_DISTINCT_ID_PROPERTY, "")
    )


def _of_properties(
    properties: Mapping[str, Any], external_ids: Sequence[str], *, has_devices: bool, distinct_id: Any
) -> Identified:
    keys = [
        matching.EXTERNAL_ID + value
        for name in external_ids
        if (given := properties.get(name)) is not None and (value := _text(given))
    ]
    if has_devices and (device := _text(properties.get(DEVICE_ID_PROPERTY))):
        keys.append(matching.DEVICE + device)
    said, distinct_id = distinct_id, _text(distinct_id)
    if not distinct_id:
        return keys[0][2:] if keys else str(said), keys
    if distinct_id.startswith(DEVICE_PREFIX) and (device := _text(distinct_id.removeprefix(DEVICE_PREFIX))):
        keys.append(matching.device_key(device))
    keys += (matching.EXTERNAL_ID + distinct_id, _DISTINCT_ID_ALIAS + distinct_id)
    return distinct_id, keys


def _text(value: Any) -> str:
    """Return an id as text, numbers included; "" for what stands for nobody."""
    if type(value) is int:
        value = str(value)
    # Without a call for each: this runs several times for every event of a file.
    if type(value) is not str or value.lower() in matching.NOBODY or value.isspace():
        return ""
    return value
