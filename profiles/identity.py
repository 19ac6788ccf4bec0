"""Who is who: aliases are given, anonymous profiles identified, two profiles of one person merged, ids renamed.

Every operation takes many objects, applies them in their order, and returns for each None or why it was not
applied; the others are. It is one transaction:

1. `Lock.IMPORTS`: other operations on identity and imports of the workspace wait. From here on nobody else
   merges or erases anybody, or gives a known profile an identifier.
2. Everybody named is looked up, then their rows are locked in the order of ids: whoever tracks one of them waits,
   and afterwards finds the profile gone and looks again.
3. It is decided in memory who becomes whom (`identity_people.py`), and written by a few statements.
4. An identifier that somebody else created since step 2 fails on the primary key: all again from step 1, in the end
   with everybody else kept from making users.
5. The apps above move what they keep, the change is marked, and the audit log written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from accounts import audit
from accounts.models import User
from profiles import (
    attempts,
    changes,
    followers,
    identity_names,
    identity_store,
    locks,
    matching,
)
from profiles.identity_names import Name
from profiles.identity_people import IdentityError, People
from profiles.identity_store import Written
from profiles.locks import Lock

Outcomes = list[IdentityError | None]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Author:
    """Who asks, for the audit log: somebody in the admin, or a REST API key by its prefix."""

    actor: User | None = None
    key_prefix: str = ""


@dataclass(frozen=True)
class Alias:
    """An alias to be given to the user with an external id; without one, to a new user."""

    label: str
    name: str
    external_id: str | None = None

    @property
    def key(self) -> str:
        """The key of the identifier it becomes."""
        return matching.alias_key(self.label, self.name)


@dataclass(frozen=True)
class AliasRename:
    """An alias that is to get another name; its label stays."""

    label: str
    old_name: str
    new_name: str


def add_aliases(*, workspace_id: int, aliases: Sequence[Alias], author: Author, now: datetime) -> Outcomes:
    """Give users aliases; one without an external id becomes a new user's. Errors: UnknownUser, Taken."""

    def add(people: People, alias: Alias) -> None:
        if alias.external_id is None:
            people.create(alias.key)
        else:
            people.add_alias(people.named(identity_names.external_id(alias.external_id)), alias.key)

    users = [identity_names.external_id(alias.external_id) for alias in aliases if alias.external_id]
    keys = [alias.key for alias in aliases]
    return _run(workspace_id, users, keys, aliases, add, author=author, now=now)


def add_alias_by_hand(
    *, workspace_id: int, profile_id: int, label: str, name: str, author: Author, now: datetime
) -> None:
    """Give one user an alias, and note it in the audit log. Raises UnknownUserError or TakenError."""
    user, key = identity_names.profile(profile_id), matching.alias_key(label, name)

    def add(people: People, _item: None) -> None:
        people.add_alias(people.named(user), key)

    action = audit.Action.USER_ALIAS_ADDED
    _only(_run(workspace_id, [user], [key], [None], add, author=author, now=now, action=action))


def remove_alias_by_hand(
    *, workspace_id: int, profile_id: int, label: str, name: str, author: Author, now: datetime
) -> None:
    """Take an alias from a user, and note it in the audit log. Raises UnknownUserError if it is not the user's."""
    user, key = identity_names.profile(profile_id), matching.alias_key(label, name)

    def remove(people: People, _item: None) -> None:
        people.remove_alias(people.named(user), key)

    action = audit.Action.USER_EDITED
    _only(_run(workspace_id, [user], [key], [None], remove, author=author, now=now, action=action))


def rename_aliases(
    *, workspace_id: int, renames: Sequence[AliasRename], author: Author, now: datetime
) -> Outcomes:
    """Let aliases be called otherwise. Errors: UnknownUser, Taken, Unchanged."""

    def rename(people: People, item: AliasRename) -> None:
        old = identity_names.alias(label=item.label, name=item.old_name)
        people.rename_alias(old, matching.alias_key(item.label, item.new_name))

    users = [identity_names.alias(label=item.label, name=item.old_name) for item in renames]
    keys = [matching.alias_key(item.label, item.new_name) for item in renames]
    return _run(workspace_id, users, keys, renames, rename, author=author, now=now)


def identify(
    *,
    workspace_id: int,
    pairs: Sequence[tuple[Name, str]],
    with_data: bool = True,
    author: Author,
    now: datetime,
) -> Outcomes:
    """Let anonymous users be those with the external ids beside them: they take them, or merge into their owners.

    Without data, a user who merges brings identifiers, push tokens and cohorts, but no attributes and no events.
    Errors: UnknownUser, AlreadyIdentified.
    """

    def become(people: People, pair: tuple[Name, str]) -> None:
        people.identify(people.named(pair[0]), pair[1], with_data=with_data)

    users = [name for name, _external_id in pairs]
    keys = [matching.external_id_key(external_id) for _name, external_id in pairs]
    action = audit.Action.USER_IDENTIFIED
    return _run(workspace_id, users, keys, pairs, become, author=author, now=now, action=action)


def merge(
    *, workspace_id: int, pairs: Sequence[tuple[Name, Name]], author: Author, now: datetime
) -> Outcomes:
    """Let the first user of each pair become part of the second, who keeps what they have.

    Pairs may be chained (a into b, then b into c); a pair that names somebody an earlier pair merged away names
    nobody. Errors: UnknownUser, SameUser.
    """

    def join(people: People, pair: tuple[Name, Name]) -> None:
        people.merge(people.named(pair[0]), people.named(pair[1]))

    users = [name for pair in pairs for name in pair]
    return _run(workspace_id, users, [], pairs, join, author=author, now=now)


def rename(
    *, workspace_id: int, renames: Sequence[tuple[str, str]], author: Author, now: datetime
) -> Outcomes:
    """Give users other external ids; the old ones are free at once. Errors: UnknownUser, Taken, Unchanged."""

    def give(people: People, item: tuple[str, str]) -> None:
        people.rename(identity_names.external_id(item[0]), item[1])

    users = [identity_names.external_id(current) for current, _new in renames]
    keys = [matching.external_id_key(new) for _current, new in renames]
    action = audit.Action.USER_RENAMED
    return _run(workspace_id, users, keys, renames, give, author=author, now=now, action=action)


# --- the transaction -------------------------------------------------------------------------------------------
def _run(
    workspace_id: int,
    names: Iterable[Name],
    keys: Iterable[str],
    items: Sequence[Item],
    apply: Callable[[People, Item], None],
    *,
    author: Author,
    now: datetime,
    action: audit.Action | None = None,
) -> Outcomes:
    """Apply each item to the people named. `action` is what the audit log says of everybody it touches."""

    def work() -> Outcomes:
        locks.alone(Lock.IMPORTS, workspace_id=workspace_id)
        people = identity_store.load(workspace_id=workspace_id, names=names, keys=keys)
        before = dict(people.owners)
        outcomes = [_outcome(apply, people, item) for item in items]
        written = identity_store.write(workspace_id=workspace_id, people=people, before=before, now=now)
        _tell(workspace_id, written, now)
        _audit(workspace_id, written, action, author, now)
        return outcomes

    return attempts.run(work, alone=lambda: locks.alone(Lock.NEWCOMERS, workspace_id=workspace_id))


def _outcome(apply: Callable[[People, Item], None], people: People, item: Item) -> IdentityError | None:
    try:
        apply(people, item)
    except IdentityError as error:
        return error
    return None


def _only(outcomes: Outcomes) -> None:
    if outcomes[0] is not None:
        raise outcomes[0]


def _tell(workspace_id: int, written: Written, now: datetime) -> None:
    if written.kept_by_merged:
        followers.merged(workspace_id=workspace_id, kept_by_merged=written.kept_by_merged, now=now)
    for kind, profile_ids in (
        (changes.Kind.EXISTENCE, [*written.created, *written.kept_by_merged]),
        (changes.Kind.ATTRIBUTES, written.touched),
        (changes.Kind.EVENTS, written.with_new_events),
    ):
        changes.record(workspace_id=workspace_id, kind=kind, profile_ids=profile_ids)


def _audit(
    workspace_id: int, written: Written, action: audit.Action | None, author: Author, now: datetime
) -> None:
    """Note who was merged into whom, with both of them, and what else was done to those who were touched."""

    def note(action: audit.Action, details: Mapping[str, Mapping[str, object]]) -> None:
        audit.record_all(
            workspace_id=workspace_id,
            action=action,
            details=details,
            actor=author.actor,
            key_prefix=author.key_prefix,
            now=now,
        )

    merged = written.kept_by_merged
    if merged:
        gone = {f"user {old}": {"merged_into": new} for old, new in merged.items()}
        kept = {f"user {new}": {"merged": _merged_into(new, merged)} for new in sorted(set(merged.values()))}
        note(audit.Action.USERS_MERGED, {**gone, **kept})
    if action and (others := written.touched - set(merged.values())):
        note(action, {f"user {profile_id}": {} for profile_id in sorted(others)})


def _merged_into(kept: int, kept_by_merged: Mapping[int, int]) -> list[int]:
    return sorted(old for old, new in kept_by_merged.items() if new == kept)
