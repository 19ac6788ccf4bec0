"""Whom one member would match by rules, and what each rule makes of it. Nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from django.utils.translation import gettext as _

from profiles import identifiers, mapping, matching
from profiles.mapping import Rule
from profiles.matching import Reason

MAX_SAMPLE = 20_000  # characters


class Verdict(StrEnum):
    """What a rule makes of a member."""

    MATCHES = "matches"
    UNKNOWN = "unknown"
    IDENTIFIED = "identified"
    NO_ID = "no_id"
    NO_DEVICE = "no_device"
    ABSENT = "absent"


@dataclass(frozen=True)
class Step:
    """One rule and its verdict; `profile_id` is whom it finds."""

    rule: Rule
    verdict: Verdict
    profile_id: int | None = None


@dataclass(frozen=True)
class Trial:
    """What matching says of a member: a profile's id, or why there is none; and every rule's step towards it."""

    outcome: int | Reason
    steps: list[Step]

    @property
    def deciding(self) -> int | None:
        """The number of the rule that matched, from 1."""
        places = (place for place, step in enumerate(self.steps, 1) if step.verdict == Verdict.MATCHES)
        return next(places, None)


class SampleError(Exception):
    """A text is no member, or cannot be tried. `message` says why, for the person who pasted it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def read(text: str) -> dict[str, Any]:
    """Return the member that a JSON text is. Raises SampleError."""
    if not text.strip():
        raise SampleError(_("Paste a member first."))
    if len(text) > MAX_SAMPLE:
        raise SampleError(_("A sample has at most {count} characters.").format(count=MAX_SAMPLE))
    try:
        member = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = _("This is no valid JSON. Look at line {line}, column {column}.")
        raise SampleError(place.format(line=error.lineno, column=error.colno)) from error
    if not isinstance(member, dict):
        raise SampleError(_("Paste one member: an object in braces, with its properties."))
    if "members" in member or "parameters" in member:
        raise SampleError(_("This is a whole request. Paste one of its members: an object in braces."))
    if "\\u0000" in text:
        raise SampleError(_("The sample holds a NUL character (\\u0000), which no ID can hold."))
    return member


def run(*, workspace_id: int, member: Mapping[str, Any], rules: Sequence[Rule]) -> Trial:
    """Match one member as an import would, and look at each rule by itself. Three queries at most.

    Raises SampleError for a label that no database can look for.
    """
    if any("\0" in rule.label for rule in rules):
        raise SampleError(_("A name holds no NUL character."))
    ((_shown, keys),) = identifiers.of_members([member], rules=mapping.to_store(rules))
    (outcome,) = matching.match(workspace_id=workspace_id, candidates=[keys])
    by_rule = [identifiers.key_by(rule, member) for rule in rules]
    sought = {key for key in by_rule if key} | {_of_identified(key) for key in by_rule}
    found = matching.lookup(workspace_id=workspace_id, keys=sorted(sought - {""}))
    steps = [_step(rule, key, member, found) for rule, key in zip(rules, by_rule, strict=True)]
    return Trial(outcome, steps)


def _step(rule: Rule, key: str, member: Mapping[str, Any], found: Mapping[str, int]) -> Step:
    if key in found:
        return Step(rule, Verdict.MATCHES, found[key])
    if _of_identified(key) in found:
        return Step(rule, Verdict.IDENTIFIED)
    if key:
        return Step(rule, Verdict.UNKNOWN)
    value = member.get(rule.name)
    if value is None:
        return Step(rule, Verdict.ABSENT)
    is_plain = isinstance(value, str) and rule.value_prefix and not value.startswith(rule.value_prefix)
    return Step(rule, Verdict.NO_DEVICE if is_plain else Verdict.NO_ID)


def _of_identified(key: str) -> str:
    """Return the key that a device's has once its user is identified; blank for other keys."""
    is_device = key.startswith(matching.DEVICE)
    return matching.device_key(key.removeprefix(matching.DEVICE), identified=True) if is_device else ""
