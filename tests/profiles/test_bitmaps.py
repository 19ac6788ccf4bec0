"""Bitmaps in the database: the same out as in."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from profiles import bitmaps

ids = st.sets(st.integers(0, 2**32 - 1), max_size=50)


@given(ids)
def test_what_is_packed_comes_out_again(members):
    assert bitmaps.unpack(bitmaps.pack(BitMap(members))) == BitMap(members)


@given(ids)
def test_ids_that_postgresql_packed_come_out_in_their_order(members):
    packed = b"".join(number.to_bytes(4, "big") for number in members)
    assert list(bitmaps.from_packed_ids(packed)) == list(members)


@pytest.mark.parametrize("blob", [None, b"", memoryview(b"")])
def test_no_blob_is_nobody(blob):
    assert bitmaps.unpack(blob) == BitMap()
    assert not bitmaps.from_packed_ids(blob)


def test_unpacked_empty_bitmap_is_nobodys_but_the_callers():
    first = bitmaps.unpack(b"")
    first.add(1)
    assert bitmaps.unpack(b"") == BitMap()


@pytest.mark.parametrize("version", [b"\x00", b"\x02", b"\xff"])
def test_blob_of_another_version_is_refused(version):
    with pytest.raises(bitmaps.BlobVersionError, match=str(version[0])):
        bitmaps.unpack(version + BitMap([1]).serialize())


@pytest.mark.parametrize("cut", [2, 5, 9])
def test_truncated_blob_is_refused(cut):
    with pytest.raises(ValueError, match=r".+"):
        bitmaps.unpack(bitmaps.pack(BitMap([1, 70_000, 2**31]))[:cut])


@pytest.mark.django_db
def test_stored_blob_is_fetched_as_it_was(workspace):
    blob = bitmaps.pack(BitMap(range(0, 200_000, 3)))
    bitmaps.store(
        "INSERT INTO profiles_filterbitmap (workspace_id, digest, members, size_bytes, as_of, used_at) "
        "VALUES (%s, %s, %s, 1, '2026-01-01', '2026-01-01')",
        [workspace.pk, b"\x00\xff", blob],
    )
    rows = bitmaps.fetch(
        "SELECT members, digest, workspace_id FROM profiles_filterbitmap WHERE workspace_id = %s",
        [workspace.pk],
    )
    assert [(bytes(members), bytes(digest), owner) for members, digest, owner in rows] == [
        (blob, b"\x00\xff", workspace.pk)
    ]


@pytest.mark.django_db
def test_statements_take_part_in_the_transaction(workspace):
    with transaction.atomic():
        bitmaps.store("UPDATE accounts_workspace SET name = %s", ["changed"])
        assert bitmaps.fetch("SELECT name FROM accounts_workspace", [])[0][0] == "changed"
        transaction.set_rollback(True)
    assert bitmaps.fetch("SELECT name FROM accounts_workspace", [])[0][0] == workspace.name


@pytest.mark.django_db
@pytest.mark.parametrize("run", [bitmaps.fetch, bitmaps.store])
def test_database_errors_are_djangos(run):
    with pytest.raises(DatabaseError), transaction.atomic():
        run("SELECT * FROM nothing_of_this_name", [])


@pytest.mark.postgresql
@pytest.mark.django_db
def test_lost_connection_is_an_operational_error(monkeypatch):
    def lost(self, *args, **kwargs):
        raise psycopg.errors.AdminShutdown("terminating connection")

    connection.ensure_connection()
    monkeypatch.setattr(psycopg.Cursor, "execute", lost)
    with pytest.raises(OperationalError):
        bitmaps.fetch("SELECT 1", [])
    monkeypatch.undo()


def test_one_placeholder_for_each_value():
    assert bitmaps.placeholders([1, 2, 3]) == "%s, %s, %s"
    assert bitmaps.placeholders(iter("ab")) == "%s, %s"
