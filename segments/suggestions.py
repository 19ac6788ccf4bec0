"""What can be asked about, and which values users have most often: offered while somebody types, never a limit.

Attributes and values come from a few thousand users, evenly spread over all: a look at everybody would take too long
for a list of suggestions. Whatever is not among them can be typed. Counts are always of everybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _
from pyroaring import BitMap

from accounts.models import Workspace
from profiles import matching, numbers, universe
from profiles.models import EventName, Identifier, Profile
from segments.filters import custom_attributes

LOOKED_AT = 5_000
SHOWN = 20
KEPT_SECONDS = 300
MAX_VALUES = 1_000
COLUMNS = ("country", "language", "time_zone", "home_city")


@dataclass
class Spread:
    """How often the users looked at have each value, of columns and of custom attributes; and types and labels."""

    count: int
    columns: dict[str, Counter[str]]
    attributes: dict[str, Counter[str]]
    types: dict[str, Counter[str]]
    labels: Counter[str]


def suggest(*, workspace: Workspace, type_: str, subject: str, text: str) -> dict[str, Any]:
    """Return the subjects of a type of filter, or the most frequent values that hold a text."""
    if not subject and type_ == "custom_event":
        return {"subjects": _events(workspace)}
    spread = _spread(workspace)
    if not subject and type_ == "custom_attribute":
        return {"subjects": _attributes(spread)}
    if not subject and type_ == "alias":
        return {"subjects": [_subject(label) for label, _count in spread.labels.most_common(MAX_VALUES)]}
    values = spread.attributes.get(subject) if type_ == "custom_attribute" else spread.columns.get(type_)
    return {"values": _values(values or Counter(), text, spread.count)}


def _events(workspace: Workspace) -> list[dict[str, Any]]:
    names = EventName.objects.filter(workspace=workspace, kind=EventName.Kind.CUSTOM).order_by("name")
    return [_subject(name) for name in names.values_list("name", flat=True)[:MAX_VALUES]]


def _attributes(spread: Spread) -> list[dict[str, Any]]:
    words = {
        custom_attributes.TEXT: _("text"),
        custom_attributes.NUMBER: _("number"),
        custom_attributes.BOOLEAN: _("true or false"),
        custom_attributes.TIME: _("time"),
        custom_attributes.LIST: _("list"),
    }
    return [
        _subject(name, note=", ".join(words[it] for it in types), types=list(types))
        for name, types in sorted(spread.types.items())
    ]


def _subject(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "note": "", **more}


def _values(values: Mapping[str, int], text: str, count: int) -> list[dict[str, Any]]:
    wanted = text.strip().casefold()
    found = [(value, times) for value, times in Counter(values).most_common() if wanted in value.casefold()]
    return [
        {"id": value, "name": value, "note": numbers.share(times, count)} for value, times in found[:SHOWN]
    ]


# --- the users looked at -----------------------------------------------------------------------------------
def _spread(workspace: Workspace) -> Spread:
    key = f"suggestions:{workspace.pk}"
    found: Spread | None = cache.get(key)
    if found is None:
        found = _look_at(_some(universe.live(workspace_id=workspace.pk)))
        cache.set(key, found, KEPT_SECONDS)
    return found


def _some(live: BitMap) -> BitMap:
    """Return LOOKED_AT users, evenly spread from the oldest to the newest."""
    step = max(1, len(live) // LOOKED_AT)
    return BitMap(live[place] for place in range(len(live) - 1, -1, -step))


def _look_at(who: BitMap) -> Spread:
    spread = Spread(len(who), {name: Counter() for name in COLUMNS}, {}, {}, Counter())
    rows = Profile.objects.live().in_bitmap(who).values_list(*COLUMNS, "custom_attributes")
    for *columns, attributes in rows:
        for name, value in zip(COLUMNS, columns, strict=True):
            if value:
                spread.columns[name][value] += 1
        for name, value in attributes.items():
            _note(spread, name, value)
    keys = Identifier.objects.filter(profile__in=who.to_array().tolist(), key__startswith="a:")
    spread.labels.update(matching.alias_of(key)[0] for key in keys.values_list("key", flat=True))
    return spread


def _note(spread: Spread, name: str, value: Any) -> None:
    if type_ := custom_attributes.type_of(value):
        spread.types.setdefault(name, Counter())[type_] += 1
        values = spread.attributes.setdefault(name, Counter())
        for text in _texts(value):
            if len(values) < MAX_VALUES or text in values:
                values[text] += 1


def _texts(value: Any) -> Iterable[str]:
    """Return the texts that a value offers: itself, or those in a list."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
