"""The statements that read and write held members, a constant number whatever the number of members.

The caller owns the transaction and knows who else may write (`cohorts/held.py` says which locks).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from pyroaring import BitMap

from profiles import bitmaps, changes
from profiles.matching import Keys

# A list is one parameter: an array on PostgreSQL, JSON on SQLite.
_IN = {"postgresql": "= ANY(%s)", "sqlite": "IN (SELECT value FROM json_each(%s))"}


# --- writing -----------------------------------------------------------------------------------------------
def insert(*, held_set_id: int, page: int, members: Mapping[UUID, Keys]) -> None:
    """Write all keys of members; those that are written already stay as they are."""
    sql = _INSERT[connection.vendor].format(clock=changes.CLOCK[connection.vendor])
    keys = {member.hex: list(keys) for member, keys in members.items()}
    bitmaps.store(sql, [held_set_id, page, orjson.dumps(keys).decode()])


_INSERT = {
    "postgresql": """
        INSERT INTO cohorts_heldkey (held_set_id, page, member, position, key, held_at)
        SELECT %s, %s, m.key::uuid, k.ordinality - 1, k.key, {clock}
        FROM json_each(%s::json) AS m(key, keys),
            json_array_elements_text(m.keys) WITH ORDINALITY AS k(key, ordinality)
        ON CONFLICT DO NOTHING
    """,
    "sqlite": """
        INSERT INTO cohorts_heldkey (held_set_id, page, member, position, "key", held_at)
        SELECT %s, %s, m.key, k.key, k.value, {clock} FROM json_each(%s) m, json_each(m.value) k WHERE TRUE
        ON CONFLICT DO NOTHING
    """,
}


def delete(*, held_set_id: int, members: Collection[UUID]) -> None:
    """Delete all keys of members."""
    sql = f"DELETE FROM cohorts_heldkey WHERE held_set_id = %s AND member {_in()}"  # noqa: S608
    bitmaps.store(sql, [held_set_id, _members(members)])


def delete_pages(*, held_set_id: int, first: int, last: int) -> None:
    """Delete what some pages of a full sync brought."""
    sql = "DELETE FROM cohorts_heldkey WHERE held_set_id = %s AND page BETWEEN %s AND %s"
    bitmaps.store(sql, [held_set_id, first, last])


# --- who is held -------------------------------------------------------------------------------------------
def count(*, held_set_id: int) -> int:
    """Count the members of a set one by one: for the rare moments when it is not known."""
    sql = "SELECT COUNT(DISTINCT member) FROM cohorts_heldkey WHERE held_set_id = %s AND position = 0"
    return int(bitmaps.fetch(sql, [held_set_id])[0][0])


def known(*, held_set_id: int, members: Collection[UUID]) -> set[UUID]:
    """Return those of the members that the set has."""
    sql = f"SELECT member FROM cohorts_heldkey WHERE held_set_id = %s AND position = 0 AND member {_in()}"  # noqa: S608
    return _found(sql, [held_set_id, _members(members)])


def named(
    *, workspace_id: int, held_set_id: int, keys: Collection[str], profile_ids: Iterable[int] = ()
) -> set[UUID]:
    """Return the members that have one of the keys, or an identifier of one of the profiles."""
    sql = f"""
        SELECT member FROM cohorts_heldkey WHERE held_set_id = %s AND "key" {_in()}
        UNION
        SELECT h.member FROM profiles_identifier i JOIN cohorts_heldkey h ON h.key = i.key
        WHERE i.workspace_id = %s AND i.profile_id {_in()} AND h.held_set_id = %s
    """  # noqa: S608
    parameters = [
        held_set_id,
        bitmaps.as_parameter(keys),
        workspace_id,
        bitmaps.as_parameter(profile_ids),
        held_set_id,
    ]
    return _found(sql, parameters)


def named_in(*, held_set_ids: Iterable[int], keys: Collection[str]) -> dict[int, set[UUID]]:
    """Return the members that have one of the keys, by set."""
    sql = f'SELECT held_set_id, member FROM cohorts_heldkey WHERE "key" {_in()} AND held_set_id {_in()}'  # noqa: S608
    found: dict[int, set[UUID]] = {}
    for held_set_id, member in bitmaps.fetch(
        sql, [bitmaps.as_parameter(keys), bitmaps.as_parameter(held_set_ids)]
    ):
        found.setdefault(held_set_id, set()).add(_member(member))
    return found


def some(*, held_set_id: int, limit: int) -> set[UUID]:
    """Return a few members; none if the set is empty."""
    sql = "SELECT member FROM cohorts_heldkey WHERE held_set_id = %s LIMIT %s"
    return _found(sql, [held_set_id, limit])


def held_before(*, held_set_id: int, moment: Any, limit: int) -> set[UUID]:
    """Return a few of the members that are held since before a moment."""
    sql = """
        SELECT member FROM cohorts_heldkey
        WHERE held_set_id = %s AND position = 0 AND held_at < %s ORDER BY held_at LIMIT %s
    """
    return _found(sql, [held_set_id, changes.stamp(moment), limit])


# --- who has a profile -------------------------------------------------------------------------------------
def matches(*, workspace_id: int, held_set_id: int, members: Collection[UUID]) -> dict[UUID, int]:
    """Return the profile of each member that has one: that of its first key which is somebody's."""
    sql = f"""
        SELECT h.member, i.profile_id
        FROM cohorts_heldkey h JOIN profiles_identifier i ON i.workspace_id = %s AND i.key = h.key
        WHERE h.held_set_id = %s AND h.member {_in()} ORDER BY h.position DESC
    """  # noqa: S608
    rows = bitmaps.fetch(sql, [workspace_id, held_set_id, _members(members)])
    return {_member(member): profile_id for member, profile_id in rows}  # the first position comes last


def of_profiles(*, workspace_id: int, held_set_id: int, profile_ids: BitMap) -> set[UUID]:
    """Return the members that some profiles are."""
    return named(workspace_id=workspace_id, held_set_id=held_set_id, keys=(), profile_ids=profile_ids)


def of_anybody(*, workspace_id: int, held_set_id: int) -> set[UUID]:
    """Return the members that any profile is."""
    sql = """
        SELECT DISTINCT h.member
        FROM cohorts_heldkey h JOIN profiles_identifier i ON i.workspace_id = %s AND i.key = h.key
        WHERE h.held_set_id = %s
    """
    return _found(sql, [workspace_id, held_set_id])


def of_anybody_held_since(*, workspace_id: int, held_set_id: int, moment: Any) -> set[UUID]:
    """Return the members held at or after a moment that any profile is."""
    sql = """
        SELECT DISTINCT h.member
        FROM cohorts_heldkey f JOIN cohorts_heldkey h ON h.held_set_id = f.held_set_id AND h.member = f.member
        JOIN profiles_identifier i ON i.workspace_id = %s AND i.key = h.key
        WHERE f.held_set_id = %s AND f.position = 0 AND f.held_at >= %s
    """
    return _found(sql, [workspace_id, held_set_id, changes.stamp(moment)])


def _found(sql: str, parameters: list[Any]) -> set[UUID]:
    return {_member(member) for (member,) in bitmaps.fetch(sql, parameters)}


def _in() -> str:
    return _IN[connection.vendor]


def _members(members: Iterable[UUID]) -> Any:
    return bitmaps.as_parameter(
        members if connection.vendor == "postgresql" else (member.hex for member in members)
    )


def _member(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(hex=value)
