"""Cursors are taken back as they were handed out, by the kind of list that did, and nothing else is."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from profiles.api.cursors import CursorField, written


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_what_was_handed_out_is_taken_back(after):
    assert CursorField("members").run_validation(written("members", after)) == after


@given(st.text() | st.binary(max_size=30).map(lambda it: base64.urlsafe_b64encode(it).decode()))
def test_anything_else_is_refused_by_name(text):
    refuses(text)


@pytest.mark.parametrize(
    "text", ["members:-1", "members:007", "members:1 ", "members:", f"members:{2**63}", "segments:1", "1", ""]
)
def test_what_looks_like_one_is_refused(text):
    refuses(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


@pytest.mark.parametrize(
    "text", ["", " ", "é", "\x00", "\ud800", "=", f"{written('members', 7)}=", "x" * 100_000]
)
def test_what_is_no_word_is_refused(text):
    refuses(text)


def refuses(text: str) -> None:
    with pytest.raises(serializers.ValidationError, match="cursor must be the next_cursor"):
        CursorField("members").run_validation(text)
