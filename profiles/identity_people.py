"""People in memory while it is decided who is who: their attributes, and who owns which identifier. Pure.

Objects of a request are applied in their order, each to what those before it left, as if they were requests of
their own. What cannot be done raises, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from profiles import attributes, matching
from profiles.identity_names import Kind, Name

Row = dict[str, Any]

# What a profile holds when nothing is known of it, by column.
BLANK: Mapping[str, Any] = {
    "external_id": None,
    **{attribute.column: attribute.blank for attribute in attributes.STANDARD.values()},
    "custom_attributes": {},
}
COLUMNS = (*BLANK, "deleted_at")


class IdentityError(Exception):
    """Something about who is who cannot be done; the message is for programs."""


class UnknownUserError(IdentityError):
    """A name means nobody."""

    def __init__(self, name: Name) -> None:
        of_several = " Its prioritization may leave several." if name.priorities else ""
        super().__init__(f"There is no user with this {name.kind}.{of_several}")
        self.name = name


class SameUserError(IdentityError):
    """Both names mean one user."""

    def __init__(self, profile_id: int) -> None:
        super().__init__("Both identifiers name the same user.")
        self.profile_id = profile_id


class AlreadyIdentifiedError(IdentityError):
    """The user to be identified has another external id already."""

    def __init__(self, profile_id: int) -> None:
        super().__init__("This user is identified already, with another external_id.")
        self.profile_id = profile_id


class TakenError(IdentityError):
    """An identifier belongs to somebody already."""

    def __init__(self, key: str, profile_id: int) -> None:
        what = "external_id" if key.startswith(matching.EXTERNAL_ID) else "alias"
        super().__init__(f"This {what} belongs to a user already.")
        self.key = key
        self.profile_id = profile_id


class UnchangedError(IdentityError):
    """The new identifier is the old one."""

    def __init__(self) -> None:
        super().__init__("The new identifier is the same as the current one.")


@dataclass
class People:
    """The profiles that an operation may change.

    `rows` are by profile id, `owners` by key of identifier: of everybody in `rows`, and of all keys the operation
    names. `meant` says whom the other names mean. New profiles have negative ids until they are written.
    """

    rows: dict[int, Row]
    owners: dict[str, int]
    meant: Mapping[Name, int]
    touched: set[int] = field(default_factory=set)
    created: set[int] = field(default_factory=set)
    kept_by_merged: dict[int, int] = field(default_factory=dict)
    with_events: dict[int, int] = field(default_factory=dict)

    def named(self, name: Name) -> int:
        """Return the profile a name means now. Raises UnknownUserError."""
        found = next((self.owners[key] for key in name.keys if key in self.owners), None)
        if name in self.meant and not name.keys:
            is_own_id = name.kind is Kind.PROFILE
            found = self.meant[name] if is_own_id else self.kept(self.meant[name])
        if found is None or found not in self.rows:
            raise UnknownUserError(name)
        return found

    def kept(self, profile_id: int) -> int:
        """Return the profile that a profile has become, itself if it was not merged."""
        while profile_id in self.kept_by_merged:
            profile_id = self.kept_by_merged[profile_id]
        return profile_id

    def create(self, key: str) -> None:
        """Make an anonymous profile known by an alias. Raises TakenError."""
        self._check_free(key)
        profile_id = -1 - len(self.created)
        self.rows[profile_id] = dict(BLANK)
        self.owners[key] = profile_id
        self.created.add(profile_id)

    def add_alias(self, profile_id: int, key: str) -> None:
        """Give a profile an alias; its own again changes nothing. Raises TakenError."""
        if self.owners.get(key) != profile_id:
            self._check_free(key)
            self.owners[key] = profile_id
            self.touched.add(profile_id)

    def rename_alias(self, old: Name, new: str) -> None:
        """Let an alias be called otherwise. Raises UnknownUserError, TakenError or UnchangedError."""
        profile_id = self.named(old)
        self._rename(profile_id, old.value, new)

    def remove_alias(self, profile_id: int, key: str) -> None:
        """Take an alias from its owner. Raises UnknownUserError if it is not the profile's."""
        if self.owners.get(key) != profile_id:
            raise UnknownUserError(Name(Kind.ALIAS, key))
        del self.owners[key]
        self.touched.add(profile_id)

    def rename(self, current: Name, external_id: str) -> None:
        """Give an identified profile another external id. Raises UnknownUserError, TakenError or UnchangedError."""
        profile_id = self.named(current)
        self._rename(profile_id, current.value, matching.external_id_key(external_id))
        self.rows[profile_id]["external_id"] = external_id

    def identify(self, profile_id: int, external_id: str, *, with_data: bool = True) -> None:
        """Let an anonymous profile be the one with an external id: take it, or merge into its owner.

        Raises AlreadyIdentifiedError if the profile has another one.
        """
        key = matching.external_id_key(external_id)
        owner = self.owners.get(key)
        if owner == profile_id:
            return
        if self.rows[profile_id]["external_id"] is not None:
            raise AlreadyIdentifiedError(profile_id)
        if owner is not None:
            self.merge(profile_id, owner, with_data=with_data)
            return
        self._take_external_id(profile_id, external_id)

    def merge(self, merged_id: int, kept_id: int, *, with_data: bool = True) -> None:
        """Let one profile become part of another, which keeps what it has. Raises SameUserError.

        Its external id goes to a kept one that has none, and is free otherwise. Without data, its identifiers and
        push tokens move, its attributes and events do not.
        """
        if merged_id == kept_id:
            raise SameUserError(kept_id)
        merged, kept = self.rows[merged_id], self.rows[kept_id]
        kept["push_tokens"] = _all_push_tokens(kept, merged)
        if with_data:
            _fill(kept, merged)
            self.with_events[merged_id] = kept_id
        if merged["external_id"] is not None:
            self.owners.pop(matching.external_id_key(merged["external_id"]), None)
            if kept["external_id"] is None:
                self._take_external_id(kept_id, merged["external_id"])
        for key in [key for key, owner in self.owners.items() if owner == merged_id]:
            self._give(key, kept_id)
        self.kept_by_merged[merged_id] = kept_id
        self.touched.add(kept_id)
        del self.rows[merged_id]

    def _rename(self, profile_id: int, old: str, new: str) -> None:
        if old == new:
            raise UnchangedError
        self._check_free(new)
        del self.owners[old]
        self.owners[new] = profile_id
        self.touched.add(profile_id)

    def _take_external_id(self, profile_id: int, external_id: str) -> None:
        self.rows[profile_id]["external_id"] = external_id
        self.owners[matching.external_id_key(external_id)] = profile_id
        for key in [key for key, owner in self.owners.items() if owner == profile_id]:
            self._give(key, profile_id)
        self.touched.add(profile_id)

    def _give(self, key: str, profile_id: int) -> None:
        """Let a profile own a key: one of a device as devices of anonymous or of identified profiles are kept.

        If it is somebody else's in that other form, it is theirs.
        """
        del self.owners[key]
        if key.startswith((matching.DEVICE, matching.IDENTIFIED_DEVICE)):
            is_identified = self.rows[profile_id]["external_id"] is not None
            key = matching.device_key(key[2:], identified=is_identified)
        self.owners.setdefault(key, profile_id)

    def _check_free(self, key: str) -> None:
        if (owner := self.owners.get(key)) is not None:
            raise TakenError(key, owner)


def _fill(kept: Row, merged: Row) -> None:
    """Give what the kept one lacks."""
    for column, blank in BLANK.items():
        if column not in {"external_id", "custom_attributes"} and kept[column] in (blank, None, []):
            kept[column] = merged[column]
    kept["first_session_at"] = _either(min, kept["first_session_at"], merged["first_session_at"])
    kept["last_session_at"] = _either(max, kept["last_session_at"], merged["last_session_at"])
    kept["custom_attributes"] = merged["custom_attributes"] | kept["custom_attributes"]


def _either(choose: Any, *moments: datetime | None) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return choose(known) if known else None


def _all_push_tokens(kept: Row, merged: Row) -> list[Mapping[str, str]]:
    """Return the tokens of both, the kept one's first, each once."""
    both: Iterable[Mapping[str, str]] = [*kept["push_tokens"], *merged["push_tokens"]]
    known = {(token.get("app_id"), token.get("token")): token for token in reversed(list(both))}
    return list(reversed(known.values()))[: attributes.MAX_PUSH_TOKENS]
