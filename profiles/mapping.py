"""The rules by which properties of a webhook's member become identifiers, in the order in which they are tried.

An integration stores them as JSON: `[{"property": "crm id", "identifier": "external_id"}, ...]`, an alias with its
`label` besides. None stored means the usual ones, which are those of PROTOCOLS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from profiles import matching

MAX_RULES, MAX_LENGTH = 30, 255
DEVICE_ID_PROPERTY = "$device_id"
DISTINCT_ID_PROPERTY = "mixpanel_distinct_id"
DEVICE_PREFIX = "$device:"
EXTERNAL_ID_PROPERTIES = ("$braze_external_id", "braze_external_id", "external_id", "$user_id", "user_id")
Stored = Sequence[Mapping[str, str]]


class Kind(models.TextChoices):
    """What a property may hold."""

    EXTERNAL_ID = "external_id", gettext_lazy("External ID")
    DEVICE_ID = "device_id", gettext_lazy("Device ID")
    ALIAS = "alias", gettext_lazy("Alias")


class Rule(NamedTuple):
    """That a property holds an identifier of a kind. `label` is that of an alias."""

    name: str
    kind: Kind
    label: str = ""

    @property
    def prefix(self) -> str:
        """What precedes a value in the key that matching looks up."""
        if self.kind == Kind.ALIAS:
            return matching.alias_key(self.label, "")
        return matching.DEVICE if self.kind == Kind.DEVICE_ID else matching.EXTERNAL_ID

    @property
    def value_prefix(self) -> str:
        """What a value must begin with, and loses: distinct IDs that are devices say so."""
        is_device = self.kind == Kind.DEVICE_ID and self.name == DISTINCT_ID_PROPERTY
        return DEVICE_PREFIX if is_device else ""


USUAL = (
    *(Rule(name, Kind.EXTERNAL_ID) for name in EXTERNAL_ID_PROPERTIES),
    Rule(DEVICE_ID_PROPERTY, Kind.DEVICE_ID),
    Rule(DISTINCT_ID_PROPERTY, Kind.DEVICE_ID),
    Rule(DISTINCT_ID_PROPERTY, Kind.EXTERNAL_ID),
    Rule(DISTINCT_ID_PROPERTY, Kind.ALIAS, DISTINCT_ID_PROPERTY),
)


def read(stored: Stored) -> tuple[Rule, ...]:
    """Return the rules that an integration stores; the usual ones if it stores none."""
    return tuple(Rule(it["property"], Kind(it["identifier"]), it.get("label", "")) for it in stored) or USUAL


def to_store(rules: Sequence[Rule]) -> list[dict[str, str]]:
    """Return what an integration stores of rules: nothing of the usual ones."""
    if tuple(rules) == USUAL:
        return []
    return [
        {"property": rule.name, "identifier": rule.kind.value} | ({"label": rule.label} if rule.label else {})
        for rule in rules
    ]


def faults(rules: Sequence[Rule]) -> dict[int, str]:
    """Return what is wrong with rules, by their place."""
    return dict(_faults(rules))


def _faults(rules: Sequence[Rule]) -> Iterator[tuple[int, str]]:
    for place, rule in enumerate(rules):
        if fault := _fault(rule):
            yield place, fault
        elif rule in rules[:place]:
            yield place, _("This is the same as a line above. Change or remove one of them.")


def _fault(rule: Rule) -> str:
    if not rule.name.strip():
        return _("Enter the name of a property.")
    if rule.kind == Kind.ALIAS and not rule.label.strip():
        return _("Enter the label that the aliases have in Rollcall.")
    if max(len(rule.name), len(rule.label)) > MAX_LENGTH:
        return _("A name has at most {count} characters.").format(count=MAX_LENGTH)
    return _("A name holds no NUL character.") if "\0" in rule.name + rule.label else ""


def own_external_id_property(stored: Stored) -> str:
    """Return the first property that the operator added as external ID; blank if there is none."""
    usual = {*EXTERNAL_ID_PROPERTIES, DISTINCT_ID_PROPERTY, DEVICE_ID_PROPERTY}
    added = (rule.name for rule in read(stored) if rule.kind == Kind.EXTERNAL_ID and rule.name not in usual)
    return next(added, "")
