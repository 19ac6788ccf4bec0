"""Which identifiers a partner's member carries, as the keys that matching looks up.

The order is that of PROTOCOLS: the first that matches wins. An e-mail address is never an identifier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cohorts.imports import Identified
from profiles import matching

EXTERNAL_ID_PROPERTIES = ("$braze_external_id", "braze_external_id", "external_id", "$user_id", "user_id")
DEVICE_ID_PROPERTY = "$device_id"
DISTINCT_ID_PROPERTY = "mixpanel_distinct_id"
DEVICE_PREFIX = "$device:"


def of_external_id(external_id: str) -> Identified:
    """Return the identifier that an external id is."""
    return Identified(
        external_id, () if matching.is_nobody(external_id) else (matching.external_id_key(external_id),)
    )


def of_device(device_id: str) -> Identified:
    """Return the identifier that a device id is."""
    return Identified(device_id, () if matching.is_nobody(device_id) else (matching.device_key(device_id),))


def of_alias(label: str, name: str) -> Identified:
    """Return the identifier that an alias is."""
    return Identified(f"{label}:{name}", (matching.alias_key(label, name),) if label and name else ())


def of_member(member: Mapping[str, Any], *, external_id_property: str = "") -> Identified:
    """Return all identifiers of a webhook's member. `external_id_property` is the operator's own choice, if any."""
    keys = tuple(dict.fromkeys(_keys(member, external_id_property)))
    shown = member.get(DISTINCT_ID_PROPERTY) or (keys[0][2:] if keys else "")
    return Identified(str(shown), keys)


def _keys(member: Mapping[str, Any], external_id_property: str) -> Iterator[str]:
    chosen = (
        (external_id_property, *EXTERNAL_ID_PROPERTIES) if external_id_property else EXTERNAL_ID_PROPERTIES
    )
    for name in chosen:
        if name in member and (value := _text(member[name])):
            yield matching.external_id_key(value)
    if DEVICE_ID_PROPERTY in member and (value := _text(member[DEVICE_ID_PROPERTY])):
        yield matching.device_key(value)
    if distinct_id := _text(member.get(DISTINCT_ID_PROPERTY)):
        if distinct_id.startswith(DEVICE_PREFIX) and (
            device := _text(distinct_id.removeprefix(DEVICE_PREFIX))
        ):
            yield matching.device_key(device)
        yield matching.external_id_key(distinct_id)
        yield matching.alias_key(DISTINCT_ID_PROPERTY, distinct_id)


def _text(value: Any) -> str:
    """Return an id as text, numbers included; "" for what stands for nobody."""
    if type(value) is int:
        value = str(value)
    return value if isinstance(value, str) and not matching.is_nobody(value) else ""
